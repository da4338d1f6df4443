"""`/search` and `/actions/count`: by criteria, email, phone or word, out of an index that lags behind.

Source: Zoho's documentation by the contract notes (`equals` on text behaves like contains); that the index
lags, and what a search costs: reported by users.
"""

import re
from typing import Any

from .criteria import Condition, condition
from .errors import ApiError
from .listing import PER_PAGE, choice, fields_of
from .operations import Call, Operation, Reply
from .rendering import shown
from .schema import Module
from .store import Row

_RECORDS = 2_000
_CRITERIA = 10
_WAYS = ("criteria", "email", "phone", "word")
_CONVERTED = {"false": "converted = 0", "true": "converted = 1", "both": "1"}
_TOKENS = re.compile(r"[()]|(?:\\.|[^()\\])+")
_SPLIT = re.compile(r"(?<!\\),")
_COMPARATORS = {
    "equals": "equal",
    "not_equal": "not_equal",
    "starts_with": "starts_with",
    "contains": "contains",
    "in": "in",
    "not_in": "not_in",
    "between": "between",
    "greater_than": "greater_than",
    "greater_equal": "greater_equal",
    "less_than": "less_than",
    "less_equal": "less_equal",
}
_NUMBERS = {"integer", "bigint", "currency", "double", "percent"}
_NOT_TEXT = _NUMBERS | {"boolean", "date", "datetime", "lookup", "ownerlookup", "picklist"}


def search(call: Call) -> Reply:
    module = call.module
    call.allow("view", module)
    fields = fields_of(call) if "fields" in call.params else None
    page, per_page = call.number("page", 1, 10**6), call.number("per_page", PER_PAGE, PER_PAGE)
    if page * per_page > _RECORDS:
        raise ApiError("DISCRETE_PAGINATION_LIMIT_EXCEEDED")
    way = next((name for name in _WAYS if call.params.get(name)), None)
    if way is None:
        raise ApiError("REQUIRED_PARAM_MISSING", {"param_name": "criteria"})
    sql, values = _searched(call, module, way)
    lag = int(call.site.settings.search_lag_seconds * 1_000)
    converted = choice(call, "converted", _CONVERTED, "false")
    where = f"module = ? AND deleted IS NULL AND {converted} AND changed_ms <= ? AND {sql}"
    parameters = [module.name, call.store.now_ms() - lag, *values]
    found = call.store.find(where, parameters, "modified DESC, id DESC", per_page + 1, (page - 1) * per_page)
    if not found:
        return Reply(204)
    rows = shown(call.site, call.user, module, found[:per_page], fields)
    info = {"per_page": per_page, "count": len(rows), "page": page, "more_records": len(found) > per_page}
    return Reply(200, {"data": rows, "info": info})


def count(call: Call) -> Reply:
    """Of all records if nothing is asked for; converted leads are none of them (assumed)."""
    module = call.module
    call.allow("view", module)
    ways = [name for name in (*_WAYS, "cvid") if call.params.get(name)]
    if len(ways) > 1:
        names = [{"param_name": name} for name in ways]
        raise ApiError("AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": names})
    sql, values = _searched(call, module, ways[0]) if ways else ("1", [])
    where = f"module = ? AND deleted IS NULL AND converted = 0 AND {sql}"
    number = call.store.value(f"SELECT count(*) FROM records WHERE {where}", (module.name, *values))
    return Reply(200, {"count": number})


def _searched(call: Call, module: Module, way: str) -> Condition:
    given = call.params[way]
    if way == "criteria":
        return condition(module, parsed(module, given))
    if way == "word":
        return "body LIKE ?", [f"%{given}%"]
    names = [field.name for field in module.fields.values() if field.type == way]
    if not names:
        return "0", []
    return condition(module, _group("or", [_leaf(name, "equal", given) for name in names]))


def parsed(module: Module, text: str) -> Row:
    """Criteria as bulk read has them. Raises INVALID_QUERY, LIMIT_EXCEEDED."""
    reader = _Reader(module, [token for token in _TOKENS.findall(text) if token.strip()])
    whole = reader.group()
    if reader.left:
        raise _invalid(reader.left[0])
    return whole


class _Reader:
    """`(a:equals:b)`, `((..)and(..))`, `(..)and(..)or(..)`."""

    def __init__(self, module: Module, tokens: list[str]) -> None:
        self.module, self.left, self.read = module, tokens, 0

    def group(self) -> Row:
        """Criteria joined by and / or, from left to right."""
        whole = self._bracket()
        while self.left and self.left[0].strip().lower() in {"and", "or"}:
            operator = self.left.pop(0).strip().lower()
            whole = _group(operator, [whole, self._bracket()])
        return whole

    def _bracket(self) -> Row:
        self._take("(")
        inner = self.group() if self.left[:1] == ["("] else self._criterion()
        self._take(")")
        return inner

    def _criterion(self) -> Row:
        text = self.left.pop(0) if self.left else ""
        name, _, rest = text.strip().partition(":")
        comparator, colon, value = rest.partition(":")
        if not colon or comparator not in _COMPARATORS:
            raise _invalid(text)
        if name not in self.module.fields and name != "id":
            raise _invalid(name)
        self.read += 1
        if self.read > _CRITERIA:
            raise ApiError("LIMIT_EXCEEDED", {"limit": _CRITERIA, "param_name": "criteria"})
        values = [_plain(one) for one in _SPLIT.split(value)]
        if comparator in {"in", "not_in", "between"}:
            return _leaf(name, _COMPARATORS[comparator], values)
        kind = self.module.fields[name].type if name in self.module.fields else "bigint"
        if comparator == "equals" and kind not in _NOT_TEXT:
            return _leaf(name, "contains", _plain(value))
        return _leaf(name, _COMPARATORS[comparator], _number(kind, _plain(value)))

    def _take(self, token: str) -> None:
        if not self.left or self.left.pop(0) != token:
            raise _invalid(token)


def _number(kind: str, text: str) -> Any:
    """Numbers are stored as numbers; texts that are none match nothing."""
    if kind in _NUMBERS - {"bigint"}:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _leaf(name: str, comparator: str, value: Any) -> Row:
    return {"field": {"api_name": name}, "comparator": comparator, "value": value}


def _group(operator: str, group: list[Row]) -> Row:
    return {"group_operator": operator, "group": group}


def _invalid(what: str) -> ApiError:
    return ApiError("INVALID_QUERY", {"operator": what, "api_name": "criteria"}, "Invalid query formed")


OPERATIONS = (
    Operation(
        "search",
        "GET",
        "/crm/{version}/{module}/search",
        "read",
        "search.READ",
        search,
        credits=lambda call: 3,
        heavy=lambda call: True,
    ),
    Operation("count", "GET", "/crm/{version}/{module}/actions/count", "read", "modules.READ", count),
)
