"""Several calls in one: `$batch`, as multipart/mixed with an HTTP message in each part.

Microsoft's documentation (execute batch operations using the Web API): at most 1,000 calls, CRLF throughout,
and without `Prefer: odata.continue-on-error` everything behind the first failure is dropped. Change sets,
which fail as a whole, are not used: each row has an outcome of its own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

_END = b"\r\n"
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})\b")


@dataclass(frozen=True, slots=True)
class Part:
    """A call within the batch; its URL is absolute."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the calls answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def encode(parts: Sequence[Part]) -> tuple[str, bytes]:
    """The content type and the body."""
    boundary = f"batch_{uuid4()}"
    lines: list[bytes] = []
    for part in parts:
        lines += [
            f"--{boundary}".encode(),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            b"",
            f"{part.method} {part.url} HTTP/1.1".encode(),
            *(f"{name}: {value}".encode() for name, value in part.headers.items()),
            b"",
            part.content or b"",
        ]
    lines += [f"--{boundary}--".encode(), b""]
    return f'multipart/mixed; boundary="{boundary}"', _END.join(lines)


def decode(content_type: str, content: bytes) -> list[Answer]:
    """The answers in order, perhaps fewer than there were calls. Raises ValueError if it is no batch."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("no multipart answer")
    pieces = (b"\r\n" + content).split(b"\r\n--" + found[1].strip().encode())
    return [_answer(piece) for piece in pieces[1:] if not piece.startswith(b"--")]


def _answer(piece: bytes) -> Answer:
    _, _, message = piece.partition(_END + _END)
    head, _, body = message.lstrip().partition(_END + _END)
    status, *lines = head.split(_END)
    matched = _STATUS.match(status)
    if matched is None:
        raise ValueError("a part without a status")
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return Answer(int(matched[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}, body)
