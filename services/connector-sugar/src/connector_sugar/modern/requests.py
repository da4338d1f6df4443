"""Requests to modern REST and their answers."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from connector_sugar.modern import faults
from leadbus import foreign_json
from leadbus.errors import LeadbusError


@dataclass(frozen=True, slots=True)
class Request:
    """One request, to be made by itself or within a bulk.

    path: without the version. operation: what it is called to an observer, without ids: `POST Leads/filter`.
    """

    method: str
    path: str
    operation: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    traceparent: bytes | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def in_bulk(self, version: str) -> dict[str, Any]:
        """As a bulk carries it: its data is a JSON text."""
        part: dict[str, Any] = {"url": f"/{version}{self.target}", "method": self.method}
        return part if self.body is None else {**part, "data": json.dumps(self.body)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered: an HTTP status and JSON, numbers with a point in it as Decimal."""

    status: int
    contents: Any

    def error(self, *, writing: bool = False, fields: Collection[str] = ()) -> LeadbusError | None:
        """The error that it is; see `faults.of_contents`."""
        return faults.of_contents(self.status, self.contents, writing=writing, fields=fields)


def decode(content: bytes) -> Any:
    """JSON with exact numbers. Raises ValueError."""
    return foreign_json.loads(content)
