"""Calls to one Zoho organisation in one user's name: signed in, few at once, failures by `faults`."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx

from connector_zoho import faults, refusals
from connector_zoho.oauth import Access, Session
from connector_zoho.organisations import Organisation, Organisations
from connector_zoho.settings import ZohoConnection
from connector_zoho.wire import Answer, Reply, Wire, encode
from leadbus.connector.contract import Limits
from leadbus.connector.observing import OnCall
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AuthExpired, LeadbusError, RateLimited, Transient

VERSION = "/crm/v8"
FACTS_SECONDS = 3_600.0
"""How long an organisation's edition, time zone and currency are taken to stay as they are."""
DOWNLOADS_SECONDS = 60.0
"""Zoho's documentation: results of bulk reading are given ten times a minute."""
_JSON = {"Content-Type": "application/json"}
_CREDITS_LEFT = "X-API-CREDITS-REMAINING"


class ZohoClient:
    """One connection's calls; all clients of an organisation share its slots."""

    def __init__(
        self,
        connection: ZohoConnection,
        tokens: TokenKeeper,
        organisations: Organisations,
        on_call: OnCall | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.session = Session(connection.access, tokens, wire := Wire(transport, on_call), self._check)
        self._wire = wire
        self._connection = connection
        self._organisations = organisations
        self._shared = organisations.join(connection.organisation_id)
        self._facts: Organisation | None = None
        self._facts_until = 0.0
        self._asking = asyncio.Lock()
        self._closed = False

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        writing: bool = False,
        traces: Sequence[bytes | None] = (),
    ) -> Answer:
        """What the API answers; an answer with rows that failed is one too, whatever its HTTP status.

        operation: what metrics and traces call it. path: below `/crm/v8`, unless it begins with `/crm/`.
        writing: whether it matters if it is carried out twice. traces: of those for whom it is made.

        A token that has ended is renewed, and the call repeated, once.

        Raises:
            LeadbusError: by `faults`; never AuthExpired.
        """
        sent = dict(headers or {})
        content = None
        if body is not None:
            content, sent = encode(body), {**sent, **_JSON}
        if trace := next(filter(None, traces), None):
            sent["traceparent"] = trace.decode("ascii")
        for _ in range(2):
            access = await self.session.access()
            try:
                async with self._shared.limiter.slot() as began:
                    with self._wire.measured(operation, traces):
                        reply = await self._wire.exchange(
                            method,
                            _url(access, path),
                            params=params,
                            content=content,
                            headers={**sent, **_signed(access)},
                            writing=writing,
                        )
                        return await self._answer(reply, began, writing=writing)
            except AuthExpired:
                self.session.distrust(access.token)
        raise faults.TOKEN_LOST_AGAIN.error(writing=writing)

    @contextlib.asynccontextmanager
    async def download(self, operation: str, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A file, part by part, however long it is.

        Raises:
            LeadbusError: by `faults`; RateLimited after ten files a minute.
        """
        for _ in range(2):
            access = await self.session.access()
            with self._wire.measured(operation):
                async with (
                    self._shared.limiter.slot(),
                    self._wire.stream(_url(access, path), _signed(access)) as (reply, parts),
                ):
                    error = await self._download_error(reply)
                    if error is None:
                        yield parts
                        return
                if not isinstance(error, AuthExpired):
                    raise error
            self.session.distrust(access.token)
        raise faults.TOKEN_LOST_AGAIN.error(writing=False)

    async def organisation(self) -> Organisation:
        """Facts of the organisation and of our user; asked for now and then. Raises LeadbusError."""
        async with self._asking:
            await self.session.access()  # which may learn them
            if self._facts is None or time.monotonic() >= self._facts_until:
                org = await self.call("GET org", "GET", "/org")
                user = await self.call("GET users", "GET", "/users", params={"type": "CurrentUser"})
                self._learn(Organisation.of(_first(org, "org"), _first(user, "users")))
            assert self._facts is not None  # noqa: S101
            return self._facts

    async def limits(self) -> Limits:
        """What the organisation bears, and what it said last of its credits."""
        return (await self.organisation()).limits(self._shared.credits_left)

    def require_match(self, facts: Organisation) -> None:
        """Raises Mismatch if user or organisation are not those of the settings."""
        access = self._connection.access
        pairs = (
            (refusals.ANOTHER_USER, access.user, facts.user_email),
            (refusals.ANOTHER_ORGANISATION, access.organisation, facts.zgid),
        )
        for code, typed, found in pairs:
            if typed != found:
                raise refusals.mismatch(code, typed, found)

    async def close(self) -> None:
        """Never raises."""
        if not self._closed:
            self._closed = True
            await self.session.close()
            self._organisations.leave(self._connection.organisation_id)
            await self._wire.close()

    # What comes back --------------------------------------------------------------------------------

    async def _answer(self, reply: Reply, began: float, *, writing: bool) -> Answer:
        left = reply.headers.get(_CREDITS_LEFT, "")
        if left.isdecimal() or reply.status < 400:  # refusals need not tell what they did not cost
            self._shared.credits_left = int(left) if left.isdecimal() else None
        try:
            body = await reply.value()
        except ValueError:
            if reply.status == 429:
                raise self._too_many(reply, None, began) from None
            raise faults.of_page(reply.status, writing=writing) from None
        if reply.status == 429:
            raise self._too_many(reply, body, began)
        if error := faults.of_answer(reply.status, body, writing=writing):
            raise error
        return Answer(reply.status, body, reply.at)

    def _too_many(self, reply: Reply, body: Any, began: float) -> Transient:
        """Too many at once, or in 24 hours: the code is the same, the text is reported to tell them apart."""
        message = body.get("message") if isinstance(body, dict) else None
        if self._shared.credits_left == 0 or (isinstance(message, str) and "credit" in message.lower()):
            return RateLimited(faults.NO_CREDITS, faults.NO_CREDITS_SECONDS)
        self._shared.limiter.slow_down(began)
        after = reply.headers.get("Retry-After", "")
        if after.isdecimal():
            return RateLimited(faults.TOO_MANY.sentence, float(after))
        return Transient(faults.TOO_MANY.sentence)

    async def _download_error(self, reply: Reply) -> LeadbusError | None:
        if reply.status < 300:
            return None
        if reply.status == 429:
            return RateLimited(faults.TOO_MANY.sentence, DOWNLOADS_SECONDS)
        try:
            return faults.of_envelope(reply.status, await reply.value(), writing=False)
        except ValueError:
            return faults.of_page(reply.status, writing=False)

    # Who we are -------------------------------------------------------------------------------------

    async def _check(self, access: Access) -> None:
        """See `oauth.Check`."""
        rows: list[Mapping[str, Any]] = []
        for path, key in (("/org", "org"), ("/users?type=CurrentUser", "users")):
            async with self._shared.limiter.slot() as began:
                with self._wire.measured(f"GET {key}"):
                    reply = await self._wire.exchange("GET", _url(access, path), headers=_signed(access))
                try:
                    answer = await self._answer(reply, began, writing=False)
                except AuthExpired:
                    raise faults.TOKEN_LOST_AGAIN.error(writing=False) from None
                rows.append(_first(answer, key))
        facts = Organisation.of(*rows)
        self.require_match(facts)
        self._learn(facts)

    def _learn(self, facts: Organisation) -> None:
        self._facts, self._facts_until = facts, time.monotonic() + FACTS_SECONDS
        self._shared.limiter.most = facts.limits(None).calls or self._shared.limiter.most


def _url(access: Access, path: str) -> str:
    return access.api + (path if path.startswith("/crm/") else VERSION + path)


def _signed(access: Access) -> dict[str, str]:
    """Zoho's documentation: not Bearer, although token answers say so."""
    return {"Authorization": f"Zoho-oauthtoken {access.token}"}


def _first(answer: Answer, key: str) -> Mapping[str, Any]:
    rows = answer.body.get(key) if isinstance(answer.body, dict) else None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        raise faults.UNREADABLE.error(writing=False)
    return rows[0]
