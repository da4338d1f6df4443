"""COQL: `select a, b from Leads where (a = 'x' and b in ('y')) order by a limit 0, 200`.

Source: Zoho's documentation by the contract notes, limits of v8. Assumed: converted leads are found only if
the query asks about `Converted__s`.
"""

import re

from . import moments
from .criteria import EMPTY, column_of, condition
from .errors import ApiError
from .operations import Call, Operation, Reply
from .query import Query, Reader, exceeded
from .rendering import shown
from .schema import Module
from .store import Row

_ROWS, _ALL_ROWS, _USUAL_ROWS, _COLUMNS = 2_000, 100_000, 200, 50
_LIMIT = re.compile(
    r"\blimit\s+(?:(?P<offset>\d+)\s*,\s*)?(?P<rows>\d+)(?:\s+offset\s+(?P<later>\d+))?\s*;?\s*$", re.I
)


def answer(call: Call) -> Reply:
    query = Reader(_text(call)).query()
    module = call.named(query.module)
    call.allow("view", module)
    _check(module, query)
    where, values = condition(module, _typed(module, query.criteria))
    live = "module = ? AND deleted IS NULL"
    if "Converted__s" not in query.asked:
        live += " AND converted = 0"
    order = [f"{column_of(module, name)} {'DESC' if down else 'ASC'}" for name, down in query.order]
    # Else SQLite walks all ids and leaves the index of addresses alone.
    by_id = "+id ASC" if "Email" in query.asked else "id ASC"
    found = call.store.find(
        f"{live} AND {where}",
        (module.name, *values),
        ", ".join([*order, by_id]),
        query.limit + 1,
        query.offset,
    )
    if not found:
        return Reply(204)
    rows = shown(call.site, call.user, module, found[: query.limit], query.columns)
    info = {"count": len(rows), "more_records": len(found) > query.limit}
    return Reply(200, {"data": [_bare(row) for row in rows], "info": info})


def _check(module: Module, query: Query) -> None:
    known = {*module.fields, "id"}
    for name in {*query.columns, *query.asked, *(name for name, _ in query.order)}:
        if name not in known:
            reason = "column given seems to be invalid"
            raise ApiError("INVALID_QUERY", {"reason": reason, "column_name": name})
    if len(set(query.columns)) < len(query.columns):
        raise ApiError("DUPLICATE_DATA", {"clause": "select"})
    if len(query.columns) > _COLUMNS:
        raise exceeded("select", _COLUMNS)
    for name in query.asked:
        if name in module.fields and module.fields[name].type == "textarea":
            raise ApiError(
                "INVALID_QUERY", {"reason": "not allowed in the where clause", "column_name": name}
            )
    if not 0 < query.limit <= _ROWS or query.offset + query.limit > _ALL_ROWS:
        raise exceeded("limit", _ROWS if query.limit > _ROWS else _ALL_ROWS)


def _typed(module: Module, criteria: Row) -> Row:
    """Raises INVALID_QUERY for a value that the column cannot have."""
    if "group" in criteria:
        return criteria | {"group": [_typed(module, part) for part in criteria["group"]]}
    name, value = criteria["field"]["api_name"], criteria["value"]
    kind = module.fields[name].type if name in module.fields else "id"
    values = value if isinstance(value, list) else [value]
    if kind == "boolean" and any(str(one).lower() not in {"true", "false", EMPTY.lower()} for one in values):
        raise _wrong(name)
    if kind == "datetime":
        for one in values:
            try:
                one == EMPTY or moments.seconds(str(one))
            except ValueError:
                raise _wrong(name) from None
    if kind in {"lookup", "ownerlookup"}:
        texts = [one if one == EMPTY else str(one) for one in values]
        return criteria | {"value": texts if isinstance(value, list) else texts[0]}
    return criteria


def _wrong(name: str) -> ApiError:
    return ApiError("INVALID_QUERY", {"reason": "invalid value", "column_name": name})


def _bare(row: Row) -> Row:
    """Other records by their ids alone."""
    return {
        name: {"id": value["id"]} if isinstance(value, dict) and "id" in value else value
        for name, value in row.items()
    }


def _text(call: Call) -> str:
    text = call.body.get("select_query") if isinstance(call.body, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ApiError("MANDATORY_NOT_FOUND", {"api_name": "select_query", "json_path": "$.select_query"})
    return text


def _credits(call: Call) -> int:
    """By the limit: 1 up to 200 rows, 2 up to 1,000, 3 beyond."""
    match = _LIMIT.search(_text(call))
    rows = int(match["rows"]) if match else _USUAL_ROWS
    return 1 + (rows > 200) + (rows > 1_000)


OPERATIONS = (
    Operation(
        "coql", "POST", "/crm/{version}/coql", "read", "coql.READ", answer, _credits, lambda call: True
    ),
)
