"""COQL's grammar: a query's text read into its parts.

Source: Zoho's documentation by the contract notes. Assumed: two criteria stand side by side without brackets,
not three.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from .criteria import EMPTY
from .errors import ApiError
from .store import Row

_USUAL_ROWS, _CRITERIA, _VALUES = 200, 25, 50
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|''|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_$][\w$.]*)|(?P<mark><=|>=|!=|<>|[=<>(),]))",
)
_MARKS = {
    "=": "equal",
    "!=": "not_equal",
    "<>": "not_equal",
    "<": "less_than",
    "<=": "less_equal",
    ">": "greater_than",
    ">=": "greater_equal",
}


@dataclass(slots=True)
class Query:
    """criteria: as bulk read has them. order: field and whether it descends."""

    columns: list[str]
    module: str
    criteria: Row
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int = _USUAL_ROWS
    offset: int = 0
    asked: set[str] = field(default_factory=set)


class Reader:
    """Raises SYNTAX_ERROR, LIMIT_EXCEEDED."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.criteria = 0
        self.asked: set[str] = set()

    def query(self) -> Query:
        self._expect("select")
        columns = [self._word()]
        while self._is(","):
            columns.append(self._word())
        self._expect("from")
        module = self._word()
        self._expect("where")
        read = Query(columns, module, self._group(), asked=self.asked)
        if self._is("order"):
            self._expect("by")
            read.order.append(self._ordering())
            while self._is(","):
                read.order.append(self._ordering())
        if self._is("limit"):
            self._limit(read)
        if self.tokens:
            raise syntax_error(self.tokens[0][1])
        return read

    def _limit(self, read: Query) -> None:
        """`limit count`, `limit offset, count`, `limit count offset offset`."""
        read.limit = self._number()
        if self._is(","):
            read.offset, read.limit = read.limit, self._number()
        elif self._is("offset"):
            read.offset = self._number()

    def _ordering(self) -> tuple[str, bool]:
        name = self._word()
        descends = self._is("desc")
        if not descends:
            self._is("asc")
        return name, descends

    def _group(self) -> Row:
        """One criterion, or two with a word between them; more only in brackets."""
        first = self._operand()
        for operator in ("and", "or"):
            if self._is(operator):
                return {"group_operator": operator, "group": [first, self._operand()]}
        return first

    def _operand(self) -> Row:
        if not self._is("("):
            return self._criterion()
        inner = self._group()
        self._expect(")")
        return inner

    def _criterion(self) -> Row:
        self.criteria += 1
        if self.criteria > _CRITERIA:
            raise exceeded("criteria", _CRITERIA)
        name = self._word()
        self.asked.add(name)
        comparator, value = self._compared()
        return {"field": {"api_name": name}, "comparator": comparator, "value": value}

    def _compared(self) -> tuple[str, Any]:
        if self._is("is"):
            return ("not_equal" if self._is("not") else "equal"), self._null()
        negated = self._is("not")
        if self._is("in"):
            return ("not_in" if negated else "in"), self._values()
        if self._is("between"):
            low = self._value()
            self._expect("and")
            return ("not_between" if negated else "between"), [low, self._value()]
        if self._is("like"):
            return _like(str(self._value()), negated=negated)
        mark = self._next()[1]
        if negated or mark not in _MARKS:
            raise syntax_error(mark)
        return _MARKS[mark], self._value()

    def _null(self) -> str:
        self._expect("null")
        return EMPTY

    def _values(self) -> list[Any]:
        self._expect("(")
        values = [self._value()]
        while self._is(","):
            values.append(self._value())
        self._expect(")")
        if len(values) > _VALUES:
            raise exceeded("in", _VALUES)
        return values

    def _value(self) -> Any:
        kind, text = self._next()
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind != "text":
            raise syntax_error(text)
        return re.sub(r"\\(.)|''", lambda match: match[1] or "'", text[1:-1])

    def _number(self) -> int:
        kind, text = self._next()
        if kind != "number" or not text.isdigit():
            raise syntax_error(text)
        return int(text)

    def _word(self) -> str:
        kind, text = self._next()
        if kind != "word":
            raise syntax_error(text)
        return text

    def _next(self) -> tuple[str, str]:
        if not self.tokens:
            raise syntax_error("the end")
        return self.tokens.pop(0)

    def _is(self, text: str) -> bool:
        if self.tokens and self.tokens[0][0] != "text" and self.tokens[0][1].lower() == text:
            self.tokens.pop(0)
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise syntax_error(self.tokens[0][1] if self.tokens else "the end")


def _like(pattern: str, *, negated: bool) -> tuple[str, str]:
    before, after = pattern.startswith("%"), pattern.endswith("%") and len(pattern) > 1
    words = {
        (True, True): "contains",
        (False, True): "starts_with",
        (True, False): "ends_with",
        (False, False): "equal",
    }
    word = words[before, after]
    if negated and word not in {"contains", "equal"}:
        raise syntax_error("not")
    return (f"not_{word}" if negated else word), pattern.strip("%")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, text = [], 0, text.rstrip().removesuffix(";").rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise syntax_error(text[at : at + 10])
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        at = match.end()
    return tokens


def syntax_error(near: str) -> ApiError:
    return ApiError("SYNTAX_ERROR", {"near": near})


def exceeded(clause: str, limit: int) -> ApiError:
    return ApiError("LIMIT_EXCEEDED", {"clause": clause, "limit": limit})
