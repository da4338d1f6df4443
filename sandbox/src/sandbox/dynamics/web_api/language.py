"""`$filter` as a tree; what its names mean is another matter."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import CrmError
from .literals import Unreadable, Value, read

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"[^"]*")|(?P<mark>[(),\[\]=])|(?P<word>[^\s(),'"\[\]=]+))""", re.DOTALL
)
_OPERATORS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """left, right: a name (text) or a literal."""

    operator: str
    left: "str | Value"
    right: "str | Value"


@dataclass(frozen=True, slots=True)
class Function:
    """arguments: of a named one by name, else by number."""

    name: str
    arguments: "dict[str, str | Value | list[Value]]"


@dataclass(frozen=True, slots=True)
class Junction:
    kind: Literal["and", "or", "not"]
    parts: "tuple[Node, ...]"


Node: TypeAlias = Comparison | Function | Junction


def parse(text: str) -> Node:
    """Raises BadRequest."""
    reader = _Reader(text)
    node = reader.either()
    if reader.token is not None:
        raise reader.wrong()
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: Iterator[str] = self._split(text)
        self.token: str | None = next(self._tokens, None)

    def wrong(self) -> CrmError:
        return CrmError("BadRequest", f"Syntax error in the $filter expression '{self._text}'.")

    def either(self) -> Node:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _both(self) -> Node:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _one(self) -> Node:
        if self._takes("not"):
            return Junction("not", (self._one(),))
        if self._takes("("):
            node = self.either()
            self._expect(")")
            return node
        left = self._operand()
        if self._takes("("):
            if isinstance(left, Value):
                raise self.wrong()
            return Function(left, self._arguments())
        if self.token not in _OPERATORS:
            raise self.wrong()
        return Comparison(self._next(), left, self._operand())

    def _arguments(self) -> "dict[str, str | Value | list[Value]]":
        given: dict[str, str | Value | list[Value]] = {}
        while not self._takes(")"):
            first = self._argument()
            if isinstance(first, str) and self._takes("="):
                given[first] = self._argument()
            else:
                given[str(len(given))] = first
            self._takes(",")
        return given

    def _argument(self) -> "str | Value | list[Value]":
        if not self._takes("["):
            return self._operand()
        values = []
        while not self._takes("]"):
            value = self._operand()
            if isinstance(value, str):
                # Values of a list stand in double quotes: `["a","b"]`.
                value = Value("text", value.strip('"'))
            values.append(value)
            self._takes(",")
        return values

    def _operand(self) -> "str | Value":
        token = self._next()
        if token in {"(", ")", ",", "[", "]", "="}:
            raise self.wrong()
        try:
            return read(token)
        except Unreadable:
            return token

    def _takes(self, token: str) -> bool:
        if self.token != token:
            return False
        self._next()
        return True

    def _expect(self, token: str) -> None:
        if not self._takes(token):
            raise self.wrong()

    def _next(self) -> str:
        token = self.token
        if token is None:
            raise self.wrong()
        self.token = next(self._tokens, None)
        return token

    def _split(self, text: str) -> Iterator[str]:
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self.wrong()
            place = match.end()
            yield match[match.lastgroup or 0]
