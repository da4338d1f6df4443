"""What a request is answered: a result per item, and the one status that is true of all of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest.items import STATUSES, Result, Status
from leadbus.problems import Problem

UNREAD_SECONDS = 60.0
_REJECTED = "No item was taken; errors say what to change, per item."
_FAILED = (
    "Kafka did not acknowledge every item. Send the request again: what was accepted already counts once,"
    " if it is sent with the same event ids (they are in the results) or the same Idempotency-Key."
)


def answer(results: Sequence[Result]) -> Response:
    """202 all accepted or duplicate; 207 some rejected; 422 all rejected; 503 any not acknowledged."""
    listed = [result.as_json() for result in results]
    kinds = {result.status for result in results}
    if "failed" in kinds:
        return Problem(503, _FAILED, {"Retry-After": "2"}, results=listed).response()
    if kinds == {"rejected"}:
        return Problem(422, _REJECTED, results=listed).response()
    return _json({"results": listed}, 207 if "rejected" in kinds else 202)


class Streamed(Response):
    """Answers while the request is still being read.

    Starlette's own streaming response reads the request too, to notice a disconnect, and so takes the
    body away from whoever is reading it. A client that sends on without reading what it is answered
    would keep both sides waiting for ever, so its connection is ended after a minute.
    """

    def __init__(self, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for part in self._parts:
            async with asyncio.timeout(UNREAD_SECONDS):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def line(result: Result) -> bytes:
    """One result of a stream."""
    return to_json(result.as_json()) + b"\n"


def last_line(counts: Mapping[Status, int]) -> bytes:
    """The end of a stream: that it was read to its end, and what became of how many items."""
    summary = {"done": True} | {status: counts.get(status, 0) for status in STATUSES}
    return to_json(summary) + b"\n"


def _json(content: Any, status: int) -> Response:
    return Response(to_json(content), status, media_type="application/json")
