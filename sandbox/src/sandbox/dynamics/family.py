"""A protocol, to the server: names calls, answers them and words refusals; `front` does the rest."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request

from ..web.faults import Nature
from .errors import CrmError
from .records import Records
from .site import Site


@dataclass(slots=True)
class Call:
    """One request of a signed-in user. path: below the organisation's root. query: as in the address.

    headers: names in lower case. operations: what it does to the organisation, counted by whoever answers it.
    """

    site: Site
    records: Records
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    operations: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Reply:
    """rows: how many have been written, which the call is charged for."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    rows: int = 0


class Family(Protocol):
    def operation(self, request: Request, body: bytes) -> tuple[str, Nature]:
        """What calls of it are counted as."""
        ...

    def answer(self, call: Call) -> Reply:
        """Raises CrmError."""
        ...

    def failed(self, error: CrmError) -> Reply:
        """The refusal in the protocol's words."""
        ...
