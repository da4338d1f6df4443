"""Calls to one SugarCRM by modern REST: by themselves, or many requests in one bulk."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connector_sugar.faults import SESSION_LOST_AGAIN, STATUSES, UNREADABLE
from connector_sugar.http import LARGE, Http
from connector_sugar.modern import faults, versions
from connector_sugar.modern.oauth import Session
from connector_sugar.modern.requests import Answer, Request, decode
from connector_sugar.modern.sessions import CALLS
from leadbus.connector.observing import OnCall
from leadbus.errors import AuthExpired, LeadbusError, RateLimited

Result = Answer | LeadbusError

MOST_REQUESTS = 50
"""In one bulk: 20 to 50 save round trips, more only make it run longer."""
LONGEST_FAREWELL = 5.0  # seconds
_JSON = {"Content-Type": "application/json"}


class ModernClient:
    """One adapter's calls in a session. anew: the first sign-in is one with the password."""

    def __init__(
        self,
        session: Session,
        *,
        anew: bool = False,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        on_call: OnCall | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._session = session
        self._anew = anew
        self._root = f"{session.access.url}/rest"
        self._http = Http(
            connections=CALLS + 1,  # a renewal must not wait for the calls that wait for it
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            on_call=on_call,
            transport=transport,
        )
        self._most_requests = MOST_REQUESTS

    @property
    def version(self) -> str:
        """The newest that both sides know; empty before signing in."""
        return self._session.version

    async def sign_in(self) -> None:
        """Signs in unless that has happened.

        Raises:
            NotServed: there is no modern REST, or none of our versions.
            AuthRefused, LeadbusError: by `faults`.
        """
        await self._session.token(self, anew=self._anew)
        self._anew = False

    async def call(self, request: Request) -> Any:
        """The contents of the answer to one request that only reads.

        A lost session is renewed, and the call repeated, once.

        Raises:
            LeadbusError: by `faults`; never AuthExpired.
        """
        answer, _ = await self._send(request, (), writing=False)
        return answer.contents

    async def bulk(
        self, requests: Sequence[Request], *, writing: bool, size: int = MOST_REQUESTS
    ) -> list[Result]:
        """What each request is answered, in their order; never raises for what concerns a part of them.

        size: the most requests in a call; parts that do not fit go side by side.
        """
        size = min(size, self._most_requests)
        parts = [requests[at : at + size] for at in range(0, len(requests), size)]
        answered = await asyncio.gather(*(self._part(part, writing, size) for part in parts))
        return [result for part in answered for result in part]

    async def close(self) -> None:
        """Never raises. The session stays open for the next process."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_FAREWELL):
                await self._session.close(self)
        await self._http.close()

    # Bulks ------------------------------------------------------------------------------------------

    async def _part(self, requests: Sequence[Request], writing: bool, size: int) -> list[Result]:
        """One call; if it is too large, its halves."""
        try:
            return await self._renewed(requests, *await self._envelope(requests, writing), writing)
        except faults.TooLarge as error:
            if len(requests) == 1:
                return [error]
            half = (len(requests) + 1) // 2
            if len(requests) == size:
                # Whoever counts refuses each full bulk; what is large once does not make all others small.
                self._most_requests = min(self._most_requests, half)
            halves = (requests[:half], requests[half:])
            return [result for some in halves for result in await self._part(some, writing, 0)]
        except LeadbusError as error:
            return [error] * len(requests)

    async def _renewed(
        self, requests: Sequence[Request], answers: Sequence[Answer], token: str, writing: bool
    ) -> list[Result]:
        """A session that ended in the middle of a bulk: those after it were not carried out, and go again."""
        late = [at for at, answer in enumerate(answers) if isinstance(answer.error(), AuthExpired)]
        results: list[Result] = list(answers)
        if late:
            self._session.distrust(token)
            again = await self._part_again([requests[at] for at in late], writing)
            for at, result in zip(late, again, strict=True):
                results[at] = result
        return results

    async def _part_again(self, requests: Sequence[Request], writing: bool) -> list[Result]:
        """Those that went before them are done, whatever becomes of these."""
        try:
            answers, _ = await self._envelope(requests, writing)
        except LeadbusError as error:
            return [error] * len(requests)
        lost = SESSION_LOST_AGAIN.error(writing=writing)
        return [lost if isinstance(answer.error(), AuthExpired) else answer for answer in answers]

    async def _envelope(self, requests: Sequence[Request], writing: bool) -> tuple[list[Answer], str]:
        """Answers in order, and the token they were given to."""
        await self.sign_in()
        traces = [request.traceparent for request in requests if request.traceparent]
        parts = [request.in_bulk(self.version) for request in requests]
        envelope = Request("POST", "/bulk", "POST bulk", {"requests": parts})
        answer, token = await self._send(envelope, traces, writing=writing)
        try:
            answers = [Answer(int(part["status"]), part["contents"]) for part in answer.contents]
        except (LookupError, TypeError, ValueError):
            answers = []
        if len(answers) != len(requests):
            raise UNREADABLE.error(writing=writing)
        return answers, token

    # Single calls -----------------------------------------------------------------------------------

    async def _send(self, request: Request, traces: Sequence[bytes], *, writing: bool) -> tuple[Answer, str]:
        """A good answer, and the token it was given to."""
        body = None if request.body is None else json.dumps(request.body).encode()
        for _ in range(2):
            token = await self._session.token(self)
            version = self.version
            target = f"/{version}{request.target}"
            headers = {"OAuth-Token": token, **_JSON}
            if traces:
                headers["traceparent"] = traces[0].decode("ascii")
            try:
                async with self._session.slots:
                    with self._http.measured(request.operation, traces):
                        answer = await self._exchange(request.method, target, body, headers, writing=writing)
                        if error := answer.error(writing=writing):
                            raise error
                        return answer, token
            except AuthExpired:
                self._session.distrust(token)
            except faults.WrongVersion:
                # The site was changed under us.
                self._session.outdated(version)
                self._session.distrust(token)
        raise SESSION_LOST_AGAIN.error(writing=writing)

    async def newest_version(self) -> str:
        """See `Line`."""
        return await versions.newest(self._speaks)

    async def _speaks(self, version: str) -> bool:
        """Whether the site knows a version; asked without signing in."""
        with self._http.measured("GET ping"):
            error = (await self._exchange("GET", f"/{version}/ping", None, {}, writing=False)).error()
            if isinstance(error, faults.WrongVersion):
                return False
            if error is not None and not isinstance(error, AuthExpired):
                raise error
            return True

    async def ask_for_token(self, grant: Mapping[str, str]) -> Any:
        """See `Line`."""
        with self._http.measured("POST oauth2/token"):
            body, target = json.dumps(grant).encode(), f"/{self.version}/oauth2/token"
            answer = await self._exchange("POST", target, body, _JSON, writing=False)
            if error := faults.of_sign_in(answer.status, answer.contents, grant["grant_type"]):
                raise error
            return answer.contents

    async def _exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], *, writing: bool
    ) -> Answer:
        """Any answer in JSON; raises for every other."""
        reply = await self._http.exchange(method, self._root + target, body, headers, writing=writing)
        retry_after = reply.headers.get("Retry-After", "")
        if reply.status_code in {429, 503} and retry_after.isdecimal():
            raise RateLimited(STATUSES[reply.status_code].sentence, float(retry_after))
        try:
            large = len(reply.content) > LARGE
            contents = await asyncio.to_thread(decode, reply.content) if large else decode(reply.content)
        except ValueError:
            raise faults.of_page(reply.status_code, writing=writing) from None
        return Answer(reply.status_code, contents)
