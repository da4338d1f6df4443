"""From a request's body to items: which format, how large, and what cannot be read at all."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request

from ingest.formats import cloudevents
from ingest.formats.json import Cutter, NotJson, pieces
from ingest.inputs import Input
from ingest.items import Fault, Item
from ingest.limits import HeldBytes
from leadbus.problems import Problem

MOST_BYTES = 5 * 1024 * 1024
MOST_HELD_BYTES = 128 * 1024 * 1024
MOST_DROPPED_BYTES = 64 * 1024 * 1024
MOST_DROP_SECONDS = 5.0
JSON = "application/json"
NDJSON = "application/x-ndjson"
CLOUDEVENT = "application/cloudevents+json"
CLOUDEVENTS = "application/cloudevents-batch+json"

_CUTTER = Cutter()
"""For bodies that are cut from beginning to end at one go; making one takes as long as cutting an item."""
Cut = Callable[[Request, bytes, Input | None], list[Item]]


def format_of(request: Request) -> str:
    """The content type, without parameters.

    Raises:
        Problem: 415, with what is taken.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    require_identity(request)
    if media not in _CUTS and media != NDJSON:
        raise Problem(415, f"Send Content-Type {', '.join([*_CUTS, NDJSON])}.")
    return media


def require_identity(request: Request) -> None:
    """Raises Problem 415 for a body that is not sent as it is."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise Problem(415, f"Content-Encoding {encoding[:40]} is not taken; send the body as it is.")


class Bodies:
    """Reads bodies, no more of them at once than there is room for."""

    def __init__(self, most_held: int = MOST_HELD_BYTES) -> None:
        self._held = HeldBytes(most_held)

    def read(self, request: Request, most_bytes: int = MOST_BYTES) -> "_Body":
        """`async with` gives the body, counted while it comes in.

        Raises:
            Problem: 413 over `most_bytes`; 503 while other requests' bodies fill the room.
        """
        return _Body(self._held, request, most_bytes)


class _Body:
    """A context manager of its own: made of a generator, it would take as long as an item is parsed."""

    def __init__(self, room: HeldBytes, request: Request, most_bytes: int) -> None:
        self._room = room
        self._request = request
        self._most = most_bytes
        self._held = 0

    async def __aenter__(self) -> bytes:
        try:
            return await self._read()
        except BaseException:
            self._room.release(self._held)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._room.release(self._held)

    async def _read(self) -> bytes:
        announced = self._request.headers.get("content-length", "0")
        stream = self._request.stream()
        if announced.isdigit() and int(announced[:20]) > self._most:
            raise await _too_large(stream, self._most)
        parts: list[bytes] = []
        async for part in stream:
            if self._held + len(part) > self._most:
                parts.clear()
                raise await _too_large(stream, self._most)
            if not self._room.hold(len(part)):
                raise Problem(503, "Too much is being read at once; try again.", {"Retry-After": "1"})
            self._held += len(part)
            parts.append(part)
        return b"".join(parts)


def items_of(request: Request, media: str, body: bytes, expected: Input | None) -> list[Item]:
    """The items in `body`; `expected`: the input of the path, None where the items say it themselves.

    Raises:
        Problem: 422, not readable as JSON; 413, too many items.
    """
    try:
        return _CUTS[media](request, body, expected)
    except NotJson as error:
        raise unreadable(error) from None


def item_of_line(cutter: Cutter, index: int, line: bytes | None, expected: Input) -> Item:
    """The item that one line of a stream is; an unreadable line is a rejected item."""
    if line is None:
        return Item(index, "", expected, [Fault("", "the line is longer than 1 MB", "too_large")])
    try:
        found = pieces(cutter, line)
    except (NotJson, Problem) as error:
        return Item(index, "", expected, [Fault("", str(error), "json_invalid")])
    said, text, faults = found[0] if len(found) == 1 else (None, "[]", [])
    return Item(index, text, expected, faults, said=said)


def unreadable(error: NotJson) -> Problem:
    """A body that is no JSON at all."""
    errors = [{"field": "", "reason": str(error), "code": "json_invalid"}]
    return Problem(422, f"The body is not valid JSON: {error}.", errors=errors)


async def _too_large(rest: AsyncIterator[bytes], most_bytes: int) -> Problem:
    """The refusal. Senders read it only after they have sent everything, so the rest is read and dropped;
    from those that send without end the connection is taken."""
    detail = f"The body is larger than {most_bytes // (1024 * 1024)} MB."
    if most_bytes == MOST_BYTES:
        detail += " Send several, or a stream (application/x-ndjson)."
    return Problem(413, detail, {} if await _dropped(rest) else {"Connection": "close"})


async def _dropped(rest: AsyncIterator[bytes]) -> bool:
    dropped = 0
    try:
        async with asyncio.timeout(MOST_DROP_SECONDS):
            async for part in rest:
                dropped += len(part)
                if dropped > MOST_DROPPED_BYTES:
                    return False
    except TimeoutError:
        return False
    return True


def _plain(request: Request, body: bytes, expected: Input | None) -> list[Item]:
    if "ce-specversion" in request.headers or "ce-id" in request.headers:
        return [cloudevents.from_binary(Cutter(), request.headers, body, expected)]
    if expected is None:
        raise Problem(
            422, "This path takes CloudEvents: ce- headers, or Content-Type application/cloudevents+json."
        )
    found = pieces(_CUTTER, body)
    return [
        Item(index, text, expected, faults, said=said) for index, (said, text, faults) in enumerate(found)
    ]


def _cloud_events(request: Request, body: bytes, expected: Input | None) -> list[Item]:
    cutter = Cutter()
    return [
        cloudevents.from_structured(cutter, index, value, faults, expected)
        for index, (value, _, faults) in enumerate(pieces(cutter, body))
    ]


_CUTS: dict[str, Cut] = {JSON: _plain, CLOUDEVENT: _cloud_events, CLOUDEVENTS: _cloud_events}
