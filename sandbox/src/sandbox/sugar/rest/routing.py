"""Which route of modern REST a request is for."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..faults import Happening, Nature
from . import linked, metadata, records, special
from .api import Api

Handler: TypeAlias = Callable[[Api], Any]

_RECORD, _LINK = "{module}/{record}", "{module}/{record}/link/{link}"

# Method, pattern, what it is by its nature, who answers; the first that fits. None = the endpoint itself.
_ROUTES: tuple[tuple[str, str, Nature, Handler | None], ...] = (
    ("POST", "oauth2/token", "login", None),
    ("POST", "oauth2/logout", "logout", None),
    ("POST", "bulk", "write", None),
    ("GET", "ping", "read", metadata.ping),
    ("GET", "metadata", "read", metadata.metadata),
    ("GET", "me", "read", metadata.me),
    ("PATCH", "integrate/{module}", "write", special.upsert),
    ("PATCH", "integrate/{module}/{field}/{value}", "write", special.upsert),
    ("GET", "integrate/{module}/{field}/{value}", "read", special.by_key),
    ("GET", "{module}", "read", records.listing),
    ("POST", "{module}", "write", records.create),
    ("GET", "{module}/count", "read", records.count),
    ("GET", "{module}/filter/count", "read", records.count),
    ("POST", "{module}/filter/count", "read", records.count),
    ("GET", "{module}/filter", "read", records.listing),
    ("POST", "{module}/filter", "read", records.listing),
    ("POST", "{module}/duplicateCheck", "read", special.duplicate_check),
    ("GET", "{module}/enum/{field}", "read", metadata.options),
    ("GET", _RECORD, "read", records.read),
    ("PUT", _RECORD, "write", records.change),
    ("DELETE", _RECORD, "write", records.delete),
    ("POST", f"{_RECORD}/convert", "write", special.convert),
    ("POST", f"{_RECORD}/link", "write", linked.add_many),
    ("GET", _LINK, "read", linked.listing),
    ("POST", _LINK, "write", linked.create_over),
    ("GET", f"{_LINK}/count", "read", linked.count),
    ("GET", f"{_LINK}/filter", "read", linked.listing),
    ("POST", f"{_LINK}/filter", "read", linked.listing),
    ("POST", f"{_LINK}/{{other}}", "write", linked.add_one),
    ("DELETE", f"{_LINK}/{{other}}", "write", linked.remove),
)
# How the counts name what stands for these.
_NAMED = {"{record}": ":record", "{other}": ":record", "{field}": ":field", "{value}": ":value"}


@dataclass(frozen=True, slots=True)
class Route:
    """`handler` is None for what the endpoint answers itself."""

    name: str
    happening: Happening
    path: Mapping[str, str]
    handler: Handler | None


def find(method: str, parts: Sequence[str], modules: Container[str]) -> Route | None:
    for known, pattern, nature, handler in _ROUTES:
        names = pattern.split("/")
        if known != method or len(names) != len(parts):
            continue
        path = {name[1:-1]: part for name, part in zip(names, parts, strict=True) if name.startswith("{")}
        fixed = all(name == part for name, part in zip(names, parts, strict=True) if not name.startswith("{"))
        module = path.get("module")
        if fixed and (module is None or module in modules):
            told = (_NAMED.get(name, part) for name, part in zip(names, parts, strict=True))
            happening = Happening(f"rest {method} {'/'.join(told)}", nature, module)
            return Route(pattern, happening, path, handler)
    return None
