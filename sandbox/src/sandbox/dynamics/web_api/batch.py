"""`$batch`: many requests in one. Source: Microsoft's page about batch operations."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from urllib.parse import urlsplit
from uuid import uuid4

from ..errors import CrmError
from ..family import Reply
from ..records import Records
from .asks import Answer, Ask, failure
from .dispatch import answer

_MOST = 1000
_LONGEST = 65_536
"""Letters of a request's address. Source: Microsoft's page about FetchXML over the Web API."""
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified", 400: "Bad Request"}


@dataclass(slots=True)
class _Part:
    """One request, as it stands in the batch."""

    method: str
    address: str
    headers: dict[str, str]
    body: bytes
    name: str = ""


_Parts: TypeAlias = "list[_Part | list[_Part]]"


@dataclass(slots=True)
class Batch:
    """operations: of all parts. rows: that they have written."""

    ask: Ask
    boundary: str = field(default_factory=lambda: f"batchresponse_{uuid4()}")
    operations: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    _answers: list[bytes] = field(default_factory=list)

    def reply(self) -> Reply:
        """Raises BadRequest for what is no batch."""
        carry_on = "odata.continue-on-error" in self.ask.preferences
        status = 200
        for part in _split(self.ask.body, self.ask.headers.get("content-type", ""), nested=False):
            failed = self._change_set(part) if isinstance(part, list) else self._single(part)
            if failed and not carry_on:
                status = failed
                break
        parts = b"".join(b"--%b\r\n%b" % (self.boundary.encode(), one) for one in self._answers)
        kind = {"Content-Type": f"multipart/mixed; boundary={self.boundary}", "OData-Version": "4.0"}
        return Reply(status, parts + b"--%b--\r\n" % self.boundary.encode(), kind, self.rows)

    def _single(self, part: _Part) -> int:
        """The status of a refusal, else 0."""
        done = self._done(part, {})
        self._answers.append(_written(done))
        return done.status if done.status >= 400 else 0

    def _change_set(self, parts: list[_Part]) -> int:
        """All of it or nothing; the status of a refusal, else 0."""
        boundary = f"changesetresponse_{uuid4()}"
        try:
            with self.ask.site.store.transaction():
                done = list(self._in_turn(parts))
        except CrmError as error:
            self._answers.append(_written(Answer("failed", error.status, failure(error))))
            return error.status
        for one in done:
            self._count(one)
        answers = zip(parts, done, strict=True)
        body = b"".join(
            b"--%b\r\n%b" % (boundary.encode(), _written(one, part.name)) for part, one in answers
        )
        head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
        self._answers.append(head + body + b"--%b--\r\n\r\n" % boundary.encode())
        return 0

    def _in_turn(self, parts: list[_Part]) -> Iterator[Answer]:
        """Later ones may name what earlier ones have created."""
        names: dict[str, str] = {}
        for part in parts:
            if part.method == "GET":
                raise CrmError("BadRequest", "A GET is not allowed in a change set.")
            done = answer(self._inner(part, names))
            if "OData-EntityId" in done.headers:
                names[f"${part.name}"] = done.headers["OData-EntityId"]
            yield done

    def _done(self, part: _Part, names: dict[str, str]) -> Answer:
        try:
            done = answer(self._inner(part, names))
        except CrmError as error:
            return Answer("failed", error.status, failure(error))
        self._count(done)
        return done

    def _count(self, done: Answer) -> None:
        self.operations[done.operation] += 1
        self.rows += done.rows

    def _inner(self, part: _Part, names: dict[str, str]) -> Ask:
        """Raises ResourceNotFound for another service's address."""
        ask = self.ask
        address = part.address
        if len(address) > _LONGEST:
            raise CrmError("BadRequest", "The request URI is too long.")
        if address.startswith("$"):
            name, _, rest = address.partition("/")
            address = names.get(name, address) + (f"/{rest}" if rest else "")
        split = urlsplit(address)
        root = urlsplit(ask.base).path
        path = split.path.removeprefix(root).lstrip("/") if split.path.startswith("/") else split.path
        if path == split.path.lstrip("/") and split.path.startswith("/"):
            raise CrmError("ResourceNotFound", split.path)
        outer = {name: value for name, value in ask.headers.items() if name in _INHERITED}
        headers = outer | part.headers
        traceparent = headers.get("traceparent", ask.records.caller.traceparent)
        detect = headers.get("mscrm.suppressduplicatedetection", "true").lower() == "false"
        caller = replace(ask.records.caller, traceparent=traceparent, detect_duplicates=detect)
        records = Records(ask.site, caller)
        return Ask(ask.site, records, ask.base, part.method, path, split.query, headers, part.body, names)


_INHERITED = frozenset({"mscrm.suppressduplicatedetection"})


def _split(body: bytes, content_type: str, *, nested: bool) -> _Parts:
    """Raises BadRequest."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise CrmError("BadRequest", "Invalid Content-Type of a batch: a boundary is needed.")
    mark = b"--" + match[1].encode()
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
    if not pieces or not pieces[-1].startswith(b"--"):
        raise CrmError("BadRequest", "The batch does not end with its boundary; its lines end with CRLF.")
    parts: _Parts = []
    for piece in pieces[:-1]:
        headers, rest = _headers(piece.lstrip(b"\r\n"))
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/mixed") and not nested:
            inner = _split(rest, kind, nested=True)
            parts.append([part for part in inner if isinstance(part, _Part)])
        elif kind.startswith("application/http"):
            parts.append(_request(rest, headers.get("content-id", "")))
        else:
            raise CrmError("BadRequest", f"A part of a batch cannot be '{kind}'.")
    if sum(len(part) if isinstance(part, list) else 1 for part in parts) > _MOST:
        raise CrmError("BadRequest", f"A batch has at most {_MOST} requests.")
    return parts


def _request(piece: bytes, name: str) -> _Part:
    line, _, rest = piece.partition(b"\r\n")
    words = line.decode().split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise CrmError("BadRequest", f"Invalid request line '{line.decode('utf-8', 'replace')}'.")
    headers, body = _headers(rest)
    if not name:
        name = headers.get("content-id", "")
    return _Part(words[0], words[1], headers, body, name)


def _headers(piece: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = (b"\r\n" + piece).partition(b"\r\n\r\n")
    headers = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, body


def _written(done: Answer, name: str = "") -> bytes:
    part = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    part += [f"Content-ID: {name}"] if name else []
    reason = _REASONS.get(done.status, "Error")
    lines = [f"HTTP/1.1 {done.status} {reason}", *(f"{key}: {value}" for key, value in done.typed.items())]
    head = "\r\n".join([*part, "", *lines, "", ""]).encode()
    return head + done.raw + b"\r\n"
