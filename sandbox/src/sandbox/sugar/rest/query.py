"""Query strings as PHP reads them: brackets make maps and lists."""

import re
from collections.abc import Iterable
from typing import Any

_KEY = re.compile(r"\[([^\]]*)\]")


def parse(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`filter[0][name][$in][]=x` -> {"filter": [{"name": {"$in": ["x"]}}]}."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        head, bracket, _ = name.partition("[")
        keys = [head, *_KEY.findall(name)] if bracket else [head]
        _put(found, keys, value)
    return {name: _lists(value) for name, value in found.items()}


def _put(into: dict[str, Any], keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        inner = into.setdefault(key or str(len(into)), {})
        if not isinstance(inner, dict):
            return
        into = inner
    into[keys[-1] or str(len(into))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in value.items()}
    return list(items.values()) if items and all(key.isdigit() for key in items) else items
