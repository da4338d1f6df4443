"""Literals of OData: texts, numbers, ids, times."""

import re
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "number", "boolean", "guid", "time", "date", "null"]

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("guid", re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")),
    ("time", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("number", re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")),
    ("text", re.compile(r"'(?:[^']|'')*'")),
    ("boolean", re.compile(r"true|false")),
    ("null", re.compile(r"null")),
)


class Unreadable(ValueError):
    """It is no literal."""


class Value(NamedTuple):
    kind: Kind
    value: Any


def read(text: str) -> Value:
    """Raises Unreadable."""
    for kind, pattern in _KINDS:
        if pattern.fullmatch(text):
            return Value(kind, _value(kind, text))
    raise Unreadable(text)


def _value(kind: Kind, text: str) -> Any:
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "number":
        return float(text) if set(text) & set(".eE") else int(text)
    if kind == "boolean":
        return text == "true"
    return None if kind == "null" else text
