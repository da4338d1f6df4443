"""A stream is cut into lines wherever its packets end, with bounded memory."""

import random
from collections.abc import AsyncIterator

import pytest

from ingest.formats.ndjson import LINES_PER_CHUNK, LONGEST_LINE, chunks


async def packets(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def lines(*parts: bytes) -> list[bytes | None]:
    return [line async for chunk in chunks(packets(*parts)) for line in chunk]


@pytest.mark.parametrize("seed", range(5))
async def test_lines_come_out_whole_wherever_the_packets_end(seed: int) -> None:
    rng = random.Random(seed)
    sent = [b"%d:" % n + b"x" * rng.randrange(50) for n in range(2_000)]
    body = b"\n".join(sent) + rng.choice([b"", b"\n", b"\n\n"])
    cuts = sorted(rng.randrange(len(body)) for _ in range(300))
    parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert await lines(*parts) == sent


async def test_chunks_are_never_larger_than_their_bound() -> None:
    sizes = [len(chunk) async for chunk in chunks(packets(b"{}\n" * 1_234))]
    assert max(sizes) <= LINES_PER_CHUNK
    assert sum(sizes) == 1_234


async def test_a_line_without_end_is_not_kept() -> None:
    part = b"x" * 100_000
    assert await lines(b"{}\n", *[part] * 30, b"\n{}\n") == [b"{}", None, b"{}"]
    assert await lines(b"y" * (LONGEST_LINE + 1) + b"\n{}") == [None, b"{}"]
    assert await lines(*[part] * 30) == [None]


async def test_blank_lines_and_carriage_returns_are_no_items() -> None:
    assert await lines(b"\n\r\n{}\r\n\n") == [b"{}\r"]
