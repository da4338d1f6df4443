"""Signing in to modern REST: one session for all who call with the same access, renewed by one of them.

SugarCRM keeps one session per user and platform: a sign-in ends the one before it. So what a sign-in brought
is kept durably before it is used: whoever finds the session ended, here or in another process, first goes on
with what was kept meanwhile, then renews it, and signs in with the password last. A refresh token is good
for one use.
"""

import asyncio
import json
import time
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from connector_sugar import faults
from connector_sugar.settings import SugarAccess
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AuthExpired, AuthRefused

_MARGIN = 60.0  # seconds before its end from which on an access token is not used any more
_SHORTEST = 1.0  # seconds for which a token is used all the same, however short its life is said to be
_MOMENT = 0.3  # seconds that another process may need between a sign-in and keeping what it brought


class Line(Protocol):
    """One client's connection to the site."""

    async def newest_version(self) -> str:
        """Of REST, of those that both sides know. Raises LeadbusError; NotServed: none."""
        ...

    async def ask_for_token(self, grant: Mapping[str, str]) -> Any:
        """The contents of the answer. Raises AuthRefused, LeadbusError; AuthExpired for a dead token."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token request brought. until: by the wall clock, as it serves other processes too."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    until: float

    @classmethod
    def of(cls, answer: Any, began: float) -> "Grant":
        """Raises LookupError, TypeError or ValueError if it is no such answer."""
        life = max(float(answer["expires_in"]) - _MARGIN, _SHORTEST)
        return cls(str(answer["access_token"]), str(answer["refresh_token"]), began + life)

    @classmethod
    def kept(cls, text: str | None) -> "Grant | None":
        """The inverse of `text`; None if it is something else."""
        try:
            return cls(**json.loads(text)) if text else None
        except (TypeError, ValueError):
            return None

    def text(self) -> str:
        """For a keeper."""
        return json.dumps(asdict(self))


class Session:
    """The session of one user on one platform.

    version: of REST, the newest that both sides know; empty until the first token. slots: the calls in
    flight at once, of all who share the session.
    """

    def __init__(self, access: SugarAccess, keeper: TokenKeeper, slots: asyncio.Semaphore) -> None:
        self.version = ""
        self.access = access
        self.slots = slots
        self._keeper = keeper
        self._grant: Grant | None = None
        self._dead = ""
        self._line: Line | None = None
        self._renewing: asyncio.Task[str] | None = None
        self._refused: AuthRefused | None = None

    async def token(self, line: Line, *, anew: bool = False) -> str:
        """An access token.

        anew: sign in with the password, whatever there is; others go on with the session that it makes.

        Raises:
            AuthRefused: the CRM does not let us in; remembered, as more tries could lock the user.
            LeadbusError: no answer, or none that can be read.
        """
        if anew:
            renewing = self._begin(line, self._sign_in_after(self._renewing, line))
        elif self._refused is not None:
            raise self._refused
        elif self._grant is not None and self._is_good(self._grant):
            return self._grant.access_token
        elif self._renewing is None or self._renewing.done():
            renewing = self._begin(line, self._renew(line))
        else:
            renewing = self._renewing
        # A caller that gives up must not take the new refresh token with it.
        return await asyncio.shield(renewing)

    def distrust(self, token: str) -> None:
        """The CRM refused this access token: it is used no more."""
        if self._grant is not None and self._grant.access_token == token:
            self._grant, self._dead = None, token

    def outdated(self, version: str) -> None:
        """The site does not speak this version any more: the next is found out before the next token."""
        if self.version == version:
            self.version = ""

    async def close(self, line: Line) -> None:
        """Lets a renewal by this line end. The session stays open, for others and for the next process."""
        if self._renewing is not None and self._line is line:
            await asyncio.wait([self._renewing])

    def _is_good(self, grant: Grant) -> bool:
        return grant.access_token != self._dead and time.time() < grant.until

    def _begin(self, line: Line, renewal: Coroutine[Any, Any, str]) -> "asyncio.Task[str]":
        self._line, self._renewing = line, asyncio.create_task(self._remembered(renewal))
        self._renewing.add_done_callback(_seen)
        return self._renewing

    async def _remembered(self, renewal: Coroutine[Any, Any, str]) -> str:
        try:
            return await renewal
        except AuthRefused as refused:
            self._refused = refused
            raise

    async def _renew(self, line: Line) -> str:
        await self._find_version(line)
        kept = Grant.kept(await self._keeper.get())
        while kept is not None:
            if self._is_good(kept):
                self._grant = kept
                return kept.access_token
            try:
                return await self._ask(
                    line, {"grant_type": "refresh_token", "refresh_token": kept.refresh_token}
                )
            except AuthExpired:
                # Somebody else signed in on our platform, perhaps another process of ours; or it is too old.
                await asyncio.sleep(_MOMENT)
                before, kept = kept, Grant.kept(await self._keeper.get())
                if kept == before:
                    break
        return await self._sign_in(line)

    async def _sign_in_after(self, before: "asyncio.Task[str] | None", line: Line) -> str:
        if before is not None:
            await asyncio.wait([before])
        await self._find_version(line)
        return await self._sign_in(line)

    async def _sign_in(self, line: Line) -> str:
        password = self.access.password.get_secret_value()
        return await self._ask(
            line, {"grant_type": "password", "username": self.access.user, "password": password}
        )

    async def _find_version(self, line: Line) -> None:
        if not self.version:
            self.version = await line.newest_version()

    async def _ask(self, line: Line, grant: Mapping[str, str]) -> str:
        began = time.time()
        answer = await line.ask_for_token(
            {
                **grant,
                "client_id": self.access.client_id,
                "client_secret": self.access.client_secret.get_secret_value(),
                "platform": self.access.platform,
            }
        )
        try:
            granted = Grant.of(answer, began)
        except (LookupError, TypeError, ValueError):
            raise faults.UNREADABLE.error(writing=False) from None
        self._grant = None  # it died of the new one, which is not used before it is kept
        await self._keeper.put(granted.text())
        self._grant, self._refused = granted, None
        return granted.access_token


def _seen(task: "asyncio.Task[str]") -> None:
    """Whoever waited has the error; if nobody did, it is not to be complained of."""
    if not task.cancelled():
        task.exception()
