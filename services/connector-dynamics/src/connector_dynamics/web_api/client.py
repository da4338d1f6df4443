"""Calls of the Web API: within the organisation's limits, measured, failures by `faults`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_dynamics import faults, http
from connector_dynamics.http import OnCall, Reply, Request
from connector_dynamics.organisations import Shared
from connector_dynamics.web_api import batch
from connector_dynamics.web_api.batch import Answer, Part
from leadbus.errors import LeadbusError, RateLimited

MOST_URL = 2_000
"""Letters from which on a query is sent in a batch: web servers refuse long addresses."""
_HEADERS: Mapping[str, str] = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "If-None-Match": "null",  # as Microsoft's documentation has it, against caches in between
}
JSON: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}
ALL_ANNOTATIONS = 'odata.include-annotations="*"'


@dataclass(frozen=True, slots=True)
class Api:
    """root: https://contoso.crm.dynamics.com/api/data/v9.2/."""

    root: str
    shared: Shared
    on_call: OnCall | None = None

    async def get(
        self,
        operation: str,
        path: str,
        *,
        prefer: Sequence[str] = (),
        by_id: bool = False,
    ) -> tuple[Any, Reply]:
        """What a GET answers. operation: what metrics and traces call it. path: below `root`, or a link.

        by_id: it is about one record, by its id: 404 = Gone.
        """
        headers = {"Prefer": ",".join(prefer)} if prefer else {}
        url = self.url(path)
        if len(url) > MOST_URL:
            (answer,), reply = await self.batch(operation, [Part("GET", url, {**_plain(), **headers})])
            return self.value_of(answer, writing=False), reply
        return await self.call(operation, Request("GET", url, headers), by_id=by_id)

    async def post(
        self,
        operation: str,
        path: str,
        body: Any,
        *,
        by_id: bool = False,
        traces: Sequence[bytes | None] = (),
    ) -> Any:
        """What an action answers; it may be carried out once only. by_id: 404 = Gone."""
        headers = {**JSON, **traced(next(filter(None, traces), None))}
        request = Request("POST", self.url(path), headers, http.encode(body), writing=True)
        return (await self.call(operation, request, by_id=by_id, traces=traces))[0]

    async def batch(
        self,
        operation: str,
        parts: Sequence[Part],
        *,
        writing: bool = False,
        traces: Sequence[bytes | None] = (),
    ) -> tuple[list[Answer], Reply]:
        """An answer for each part; raises where the batch failed as a whole."""
        content_type, content = batch.encode(parts)
        headers = {"Content-Type": content_type, "Prefer": "odata.continue-on-error"}
        request = Request("POST", self.url("$batch"), headers, content, writing)
        with http.measured(self.on_call, operation, traces):
            reply = await self._exchange(request)
            try:
                answers = batch.decode(reply.headers.get("Content-Type", ""), reply.content)
            except ValueError:
                raise await _error(reply, writing=writing) from None
            if len(answers) < len(parts) and not writing:
                raise faults.UNREADABLE.error(writing=False)
        return answers, reply

    async def call(
        self,
        operation: str,
        request: Request,
        *,
        by_id: bool = False,
        traces: Sequence[bytes | None] = (),
    ) -> tuple[Any, Reply]:
        """The answer's value. Raises LeadbusError by `faults`."""
        with http.measured(self.on_call, operation, traces):
            reply = await self._exchange(request)
            if reply.status >= 300:
                raise await _error(reply, writing=request.writing, by_id=by_id)
            try:
                return await reply.value(), reply
            except ValueError:
                raise faults.PAGE.error(writing=request.writing) from None

    def value_of(self, answer: Answer, *, writing: bool, by_id: bool = False) -> Any:
        """Of a part. Raises LeadbusError by `faults`."""
        if error := error_of(answer, writing=writing, by_id=by_id):
            if isinstance(error, RateLimited):
                self.shared.limiter.pause(error)
            raise error
        try:
            return http.decode(answer.content)
        except ValueError:
            raise faults.UNREADABLE.error(writing=writing) from None

    def url(self, path: str) -> str:
        """Absolute; a link of the CRM's is followed only within its own address."""
        if not path.startswith(("http://", "https://")):
            return self.root + path
        if not path.lower().startswith(self.root.lower()):
            raise faults.PAGE_LOST.error(writing=False)
        return path

    async def _exchange(self, request: Request) -> Reply:
        sent = Request(
            request.method,
            request.url,
            {**_HEADERS, **request.headers},
            request.content,
            request.writing,
        )
        async with self.shared.limiter.slot():
            reply = await self.shared.channel.send(sent)
            if reply.status in {429, 503}:
                raise await _error(reply, writing=request.writing)
            return reply


def error_of(answer: Answer, *, writing: bool, by_id: bool = False) -> LeadbusError | None:
    """The error of a part; None if it succeeded."""
    if answer.status < 300:
        return None
    try:
        body = http.decode(answer.content)
    except ValueError:
        body = None
    retry_after = answer.headers.get("retry-after")
    return faults.of_answer(answer.status, body, writing=writing, retry_after=retry_after, by_id=by_id)


def part_headers(headers: Mapping[str, str], trace: bytes | None = None) -> dict[str, str]:
    """Of a call with JSON within a batch."""
    return {**_plain(), **JSON, **headers, **traced(trace)}


def traced(trace: bytes | None) -> dict[str, str]:
    """The header that carries a trace on."""
    return {"traceparent": trace.decode("ascii")} if trace else {}


def _plain() -> dict[str, str]:
    return {name: value for name, value in _HEADERS.items() if name != "If-None-Match"}


async def _error(reply: Reply, *, writing: bool, by_id: bool = False) -> LeadbusError:
    try:
        body = await reply.value()
    except ValueError:
        body = None
    retry_after = reply.headers.get("Retry-After")
    return faults.of_answer(reply.status, body, writing=writing, retry_after=retry_after, by_id=by_id)
