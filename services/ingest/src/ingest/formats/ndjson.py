"""A stream of JSON objects, one per line, read in chunks: its length changes the time, not the memory."""

from collections.abc import AsyncIterator

LINES_PER_CHUNK = 500
LONGEST_LINE = 1024 * 1024


async def chunks(stream: AsyncIterator[bytes]) -> AsyncIterator[list[bytes | None]]:
    """Lines without their ends, up to 500 at a time; blank lines are left out, None = a line over 1 MB."""
    ready: list[bytes | None] = []
    rest = b""
    skipping = False
    async for data in stream:
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            if skipping:
                skipping = False
            elif len(line) > LONGEST_LINE:
                ready.append(None)
            elif line.strip():
                ready.append(line)
        if skipping:
            rest = b""
        elif len(rest) > LONGEST_LINE:
            ready.append(None)
            rest, skipping = b"", True
        while len(ready) >= LINES_PER_CHUNK:
            yield ready[:LINES_PER_CHUNK]
            del ready[:LINES_PER_CHUNK]
        # What has come is worked on at once; a slow sender should not wait for a full chunk.
        if ready:
            yield ready
            ready = []
    if rest.strip() and not skipping:
        yield [rest]
