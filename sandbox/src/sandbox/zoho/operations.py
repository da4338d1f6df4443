"""What a call is, what answers it, and which operations there are."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..web.faults import Nature
from .errors import ApiError, no_permission
from .schema import Module
from .site import Site
from .store import Store
from .users import User

_VERSIONS = {"v2", "v2.1", "v3", "v4", "v5", "v6", "v7", "v8"}
_ROWS = 100
_PART = re.compile(r"\{(\w+)\}")


@dataclass(slots=True)
class Call:
    """One call of a signed-in user. path: parts of the address; headers: names in lower case; body: JSON."""

    site: Site
    user: User
    path: Mapping[str, str]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    raw: bytes = b""

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def version(self) -> float:
        return float(self.path["version"][1:])

    @property
    def module(self) -> Module:
        """Of the path. Raises INVALID_MODULE."""
        return self.named(self.path["module"])

    @property
    def traceparent(self) -> str | None:
        return self.headers.get("traceparent")

    def named(self, name: str) -> Module:
        """Raises INVALID_MODULE."""
        found = self.store.modules.get(name)
        if found is None:
            raise ApiError("INVALID_MODULE", {"resource_path_index": 0})
        return found

    def allow(self, action: str, module: Module) -> None:
        """Raises NO_PERMISSION if the user has not the right to view, create, edit or delete such records."""
        if not self.site.may(self.user, action, module):
            raise no_permission(f"Crm_Implied_{action.title()}_{module.name}")

    def required(self, name: str) -> str:
        """A parameter. Raises REQUIRED_PARAM_MISSING."""
        if not self.params.get(name):
            raise ApiError("REQUIRED_PARAM_MISSING", {"param_name": name})
        return self.params[name]

    def number(self, name: str, usual: int, top: int) -> int:
        """A parameter, from 1 to `top`. Raises INVALID_DATA."""
        given = self.params.get(name) or str(usual)
        if not given.isascii() or not given.isdigit() or not 0 < int(given) <= top:
            raise ApiError("INVALID_DATA", {"param_name": name, "maximum_length": top})
        return int(given)

    def rows(self, key: str = "data", most: int = _ROWS) -> list[dict[str, Any]]:
        """The rows of the body. Raises MANDATORY_NOT_FOUND, INVALID_DATA."""
        given = self.body.get(key) if isinstance(self.body, dict) else None
        where = {"api_name": key, "json_path": f"$.{key}"}
        if not given:
            raise ApiError("MANDATORY_NOT_FOUND", where)
        if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
            raise ApiError("INVALID_DATA", {**where, "expected_data_type": "jsonarray"})
        if len(given) > most:
            raise ApiError("INVALID_DATA", {**where, "maximum_length": most})
        return given


@dataclass(slots=True)
class Reply:
    """body: JSON, None = without a body; raw goes before it. rows: how many the call is charged for."""

    status: int = 200
    body: Any = None
    rows: int = 0
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Call], Reply]


def _one(call: Call) -> int:
    return 1


def _light(call: Call) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Operation:
    """name: how calls of it are counted. address: with {parts}, from /crm on.

    scope: `group.action`, see `oauth.Token.check`. credits, heavy: asked before it is answered; heavy calls
    have a limit of their own.
    """

    name: str
    method: str
    address: str
    nature: Nature
    scope: str
    answer: Handler
    credits: Callable[[Call], int] = _one
    heavy: Callable[[Call], bool] = _light


class Directory:
    """Finds the operation of a request; the first that fits."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._entries = [
            (operation, re.compile(_PART.sub(r"(?P<\1>[^/]+)", operation.address)))
            for operation in operations
        ]

    def find(self, method: str, address: str) -> tuple[Operation, dict[str, str]]:
        """Raises INVALID_URL_PATTERN, INVALID_REQUEST_METHOD."""
        other_method = False
        for operation, pattern in self._entries:
            match = pattern.fullmatch(address)
            if match is None or match["version"] not in _VERSIONS:
                continue
            if operation.method == method:
                return operation, match.groupdict()
            other_method = True
        raise ApiError("INVALID_REQUEST_METHOD" if other_method else "INVALID_URL_PATTERN")
