"""Tags of records: added, taken away, put in place of the others.

Source: Zoho's documentation and the contract notes; tagging is charged as one call (assumed).
"""

from collections.abc import Callable
from typing import Any

from .errors import BAD_ID, ApiError, RowError, success
from .operations import Call, Operation, Reply
from .records import status_of
from .rendering import shown
from .schema import Module
from .store import Record, Row, as_number

_MOST_TAGGED = 500
_MOST_TAGS, _LONGEST_TAG = 10, 25


def add_tags(call: Call) -> Reply:
    """`over_write` takes away the others."""

    def added(before: list[str], names: list[str]) -> list[str]:
        over = (call.body.get("over_write") or call.params.get("over_write")) in {True, "true"}
        return [*dict.fromkeys([*([] if over else before), *names])]

    return _tag(call, added)


def remove_tags(call: Call) -> Reply:
    return _tag(call, lambda before, names: [name for name in before if name not in names])


_RECORDS = "/crm/{version}/{module}"
OPERATIONS = tuple(
    Operation(name, "POST", address, "write", "modules.UPDATE", answer)
    for name, address, answer in (
        ("add tags", f"{_RECORDS}/actions/add_tags", add_tags),
        ("remove tags", f"{_RECORDS}/actions/remove_tags", remove_tags),
        ("add tags", f"{_RECORDS}/{{id}}/actions/add_tags", add_tags),
        ("remove tags", f"{_RECORDS}/{{id}}/actions/remove_tags", remove_tags),
    )
)


def _tag(call: Call, change: Callable[[list[str], list[str]], list[str]]) -> Reply:
    module = call.module
    call.allow("edit", module)
    names = [str(tag.get("name") or "") for tag in call.rows("tags", _MOST_TAGS)]
    if any(not 0 < len(name) <= _LONGEST_TAG for name in names):
        raise ApiError("INVALID_DATA", {"api_name": "name", "maximum_length": _LONGEST_TAG})
    ids = [call.path["id"]] if "id" in call.path else _ids(call)
    outcomes, locked = [], 0
    for key in ids:
        record = call.store.get(module.name, key)
        locked += record is not None and record.locked
        try:
            outcomes.append(_tagged(call, module, record, key, names, change))
        except RowError as refused:
            outcomes.append(refused.row)
    done = sum(outcome["status"] == "success" for outcome in outcomes)
    counts = {"success_count": str(done), "locked_count": str(locked)}
    return Reply(status_of(outcomes), {"data": outcomes, **counts}, rows=len(ids))


def _ids(call: Call) -> list[Any]:
    """Raises MANDATORY_NOT_FOUND, LIMIT_EXCEEDED."""
    ids = call.body.get("ids")
    if not isinstance(ids, list) or not ids:
        raise ApiError("MANDATORY_NOT_FOUND", {"api_name": "ids", "json_path": "$.ids"})
    if len(ids) > _MOST_TAGGED:
        raise ApiError("LIMIT_EXCEEDED", {"api_name": "ids", "limit": _MOST_TAGGED})
    return ids


def _tagged(
    call: Call,
    module: Module,
    record: Record | None,
    key: Any,
    names: list[str],
    change: Callable[[list[str], list[str]], list[str]],
) -> Row:
    if record is None or as_number(key) is None:
        raise RowError("INVALID_DATA", {"id": key}, BAD_ID)
    if record.locked:
        raise RowError("RECORD_LOCKED", {"id": record.id})
    before = record.values.get("Tag") or []
    after = change(before, names)
    if len(after) > _MOST_TAGS:
        raise RowError("LIMIT_EXCEEDED", {"id": record.id, "limit": _MOST_TAGS})
    if after != before:
        call.store.save(record, call.user.id, {"Tag": after})
    [row] = shown(call.site, call.user, module, [record], ["Tag"])
    return success({"id": record.id, "tags": row["Tag"]}, "tags updated successfully")
