"""Access tokens: one for all pods, renewed by one of them, and never more often than Zoho bears.

Zoho's documentation: an access token lives an hour, a refresh token until it is revoked; a refresh token
gives 10 access tokens in 10 minutes, and whoever asks for more is shut out for a while. So what was got is
kept before it is used, whoever finds a token ended looks at what was kept meanwhile, and each request is
counted before it is sent.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from connector_zoho import data_centres, faults, refusals
from connector_zoho.settings import ZohoAccess
from connector_zoho.wire import Wire
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import RateLimited

WINDOW_SECONDS = 600.0
MOST_REQUESTS = 8
"""In a window; Zoho's limit is 10, and a person in its API console counts too."""
MOST_FOR_TESTS = 5
"""From so many on a test goes on with the token there is, and leaves the rest to the work."""
_MARGIN = 60.0  # seconds before its end from which on an access token is not used any more
_SHORTEST = 1.0  # seconds for which a token is used all the same, however short its life is said to be
_REQUEST_SECONDS = 20.0  # less than a keeper leaves us alone
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Access:
    """What a call needs. api: the address of the API."""

    token: str = field(repr=False)
    api: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What all pods know of one sign-in.

    accounts: the server that refreshes it. until: the access token's end, by the wall clock; so are
    `requests`, of the last token requests, and `not_before`, before which Zoho wants to hear of no other.
    refused: the word with which Zoho refused the last request, or ours. checked: whether user and
    organisation are known to be those of the settings.
    """

    accounts: str
    refresh_token: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    api_domain: str = ""
    until: float = 0.0
    requests: tuple[float, ...] = ()
    not_before: float = 0.0
    refused: str = ""
    checked: bool = False

    @classmethod
    def of(cls, text: str | None) -> "Kept | None":
        """The inverse of `text`; None if it is something else."""
        try:
            values = json.loads(text) if text else None
            return cls(**{**values, "requests": tuple(values["requests"])}) if values else None
        except (LookupError, TypeError, ValueError):
            return None

    def text(self) -> str:
        """For a keeper."""
        return json.dumps(asdict(self))

    def requests_in_window(self, now: float) -> tuple[float, ...]:
        """Times of the requests that still count."""
        return tuple(at for at in self.requests if at > now - WINDOW_SECONDS)

    def pause(self, now: float) -> float:
        """Seconds before the next token may be asked for."""
        recent = self.requests_in_window(now)
        full = recent[-MOST_REQUESTS] + WINDOW_SECONDS - now if len(recent) >= MOST_REQUESTS else 0.0
        return max(full, self.not_before - now, 0.0)

    def granted(self, answer: Any, began: float) -> "Kept":
        """With what a token request brought; Zoho sends a refresh token for a grant only."""
        try:
            life = max(float(answer["expires_in"]) - _MARGIN, _SHORTEST)
            api_domain = str(answer["api_domain"])
            data_centres.api_of(api_domain, "production")
            return replace(
                self,
                refresh_token=str(answer.get("refresh_token") or self.refresh_token),
                access_token=str(answer["access_token"]),
                api_domain=api_domain,
                until=began + life,
                not_before=0.0,
                refused="",
            )
        except (AttributeError, LookupError, TypeError, ValueError):
            raise faults.UNREADABLE.error(writing=False) from None


Check = Callable[[Access], Awaitable[None]]
"""Whether a sign-in is the typed-in user's, into the typed-in organisation; raises Mismatch if not."""


class Session:
    """One adapter's way to the tokens that all pods share."""

    def __init__(
        self,
        access: ZohoAccess,
        keeper: TokenKeeper,
        wire: Wire,
        check: Check,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = access
        self._keeper = keeper
        self._wire = wire
        self._check = check
        self._clock = clock
        self._held: Kept | None = None
        self._dead = ""
        self._to_force = keeper.anew
        self._renewing: asyncio.Task[Access] | None = None

    async def access(self) -> Access:
        """An access token that is still good.

        Raises:
            NotSignedIn, AuthRefused: a person must sign in (again).
            RateLimited: so many tokens were asked for that Zoho would give no more.
            LeadbusError: no answer, or none that can be read.
        """
        if self._held is not None and self._is_good(self._held) and not self._to_force:
            return self._access(self._held)
        if self._renewing is None or self._renewing.done():
            self._renewing = _started(self._renew())
        # A caller that gives up must not take a new token with it.
        return await asyncio.shield(self._renewing)

    def distrust(self, token: str) -> None:
        """The CRM refused this access token: it is used no more."""
        self._dead = token

    async def take_code(self, code: str, redirect_uri: str, accounts: str) -> None:
        """Exchanges what a sign-in with the browser brought; keeps it if it is the right user's.

        accounts: the server that gave it; who calls has made sure that our secret may go there.

        Raises:
            Mismatch: another user or organisation; nothing was kept.
            AuthRefused, RateLimited, LeadbusError: as `access`.
        """
        async with self._keeper.alone():
            fresh = Kept(accounts, requests=(self._clock(),))
            fresh = await self._ask(fresh, {**_grant(code), "redirect_uri": redirect_uri})
            if not fresh.refresh_token:
                raise refusals.refused(refusals.NO_REFRESH_TOKEN)
            await self._check(self._access(fresh))
            await self._keep(replace(fresh, checked=True))
            self._dead, self._to_force = "", False

    async def close(self) -> None:
        """Lets a renewal end; tokens stay good for others and for the next process."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing], timeout=_REQUEST_SECONDS)

    # Renewing ---------------------------------------------------------------------------------------

    async def _renew(self) -> Access:
        kept = Kept.of(await self._keeper.get())
        if kept is None or not self._serves(kept):
            async with self._keeper.alone():
                kept = Kept.of(await self._keeper.get())
                if kept is None or not self._serves(kept):
                    kept = await self._ask_anew(kept)
        if not kept.checked:
            kept = await self._checked(kept)
        self._held, self._to_force = kept, False
        return self._access(kept)

    def _serves(self, kept: Kept) -> bool:
        """Whether a token that was kept is used as it is; a test renews it as long as that does no harm."""
        if self._to_force and kept.refresh_token:
            now = self._clock()
            is_near = len(kept.requests_in_window(now)) >= MOST_FOR_TESTS or kept.pause(now) > 0
            return is_near and self._is_good(kept) and not kept.refused
        return self._is_good(kept)

    def _is_good(self, kept: Kept) -> bool:
        return bool(kept.access_token) and kept.access_token != self._dead and self._clock() < kept.until

    async def _ask_anew(self, kept: Kept | None) -> Kept:
        """By the refresh token; by the grant token only if that has never been answered."""
        if kept is not None and kept.refused and not (self._to_force and kept.refresh_token):
            raise refusals.refused(kept.refused)
        if kept is not None and kept.refresh_token:
            form = {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
        elif grant_token := self._settings.grant_token.get_secret_value().strip():
            kept, form = kept or Kept(self._settings.accounts_server), _grant(grant_token)
        else:
            raise refusals.NotSignedIn(refusals.NOT_SIGNED_IN)
        now = self._clock()
        if pause := kept.pause(now):
            raise RateLimited(refusals.TOO_MANY_TOKENS, pause)
        kept = replace(kept, requests=(*kept.requests_in_window(now), now))
        await self._keep(kept)
        try:
            granted = await self._ask(kept, form)
        except RateLimited as error:
            await self._keep(replace(kept, not_before=self._clock() + error.retry_after))
            raise
        except refusals.SignInRefused as error:
            await self._keep(replace(kept, refused=error.code, access_token=""))
            raise
        if not granted.refresh_token:
            await self._keep(replace(kept, refused=refusals.NO_REFRESH_TOKEN))
            raise refusals.refused(refusals.NO_REFRESH_TOKEN)
        await self._keep(granted)
        return granted

    async def _checked(self, kept: Kept) -> Kept:
        """Of a grant token, which was used up before anybody could know whose it is."""
        try:
            await self._check(self._access(kept))
        except refusals.Mismatch as error:
            async with self._keeper.alone():
                await self._keep(Kept(kept.accounts, requests=kept.requests, refused=error.code))
            raise
        async with self._keeper.alone():
            latest = Kept.of(await self._keeper.get()) or kept
            await self._keep(replace(latest, checked=True))
        return replace(kept, checked=True)

    async def _keep(self, kept: Kept) -> None:
        await self._keeper.put(kept.text())

    async def _ask(self, kept: Kept, form: Mapping[str, str]) -> Kept:
        secret = self._settings.client_secret.get_secret_value()
        content = urlencode({**form, "client_id": self._settings.client_id, "client_secret": secret}).encode()
        began = self._clock()
        with self._wire.measured("POST token"):
            reply = await self._wire.exchange(
                "POST",
                f"{kept.accounts}/oauth/v2/token",
                content=content,
                headers=_FORM,
                seconds=_REQUEST_SECONDS,
            )
            try:
                body = await reply.value()
            except ValueError:
                raise faults.of_page(reply.status, writing=False) from None
            error = refusals.of_sign_in(reply.status, body)
            if error is not None:
                raise error
            return kept.granted(body, began)

    def _access(self, kept: Kept) -> Access:
        return Access(kept.access_token, data_centres.api_of(kept.api_domain, self._settings.environment))


def _grant(code: str) -> dict[str, str]:
    return {"grant_type": "authorization_code", "code": code}


def _started(renewal: Coroutine[Any, Any, Access]) -> "asyncio.Task[Access]":
    """Whoever waits for it has its error; if nobody does, it is not to be complained of."""
    task = asyncio.create_task(renewal)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
