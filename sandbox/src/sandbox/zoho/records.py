"""Writing records: insert, update, upsert and delete, with an outcome for every row.

Source: Zoho's documentation by the contract notes. Assumed: rows of one call are taken one after the other;
of several duplicates the oldest is meant; an update that changes nothing has a new Modified_Time all the
same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import moments
from .errors import BAD_ID, ApiError, RowError, success
from .operations import Call, Operation, Reply
from .rendering import outcome
from .schema import Module
from .store import Record, Row, as_number
from .values import Checker

_HEAVY_ROWS = 10
_ROWS_PER_CREDIT = 10
_CHECK_FIELDS = 10

_Write: TypeAlias = Callable[["Writing", Row, int], Row]


@dataclass(slots=True)
class Writing:
    """The rows of one call, into one module."""

    call: Call
    module: Module
    duplicate_check: Sequence[str] = ()

    @property
    def checker(self) -> Checker:
        return Checker(self.call.site, self.module)

    def insert(self, given: Row, index: int) -> Row:
        """Raises RowError."""
        return success(self._details(self._add(given, index)), "record added")

    def update(self, given: Row, index: int) -> Row:
        """Raises RowError."""
        if given.get("id") is None:
            raise RowError("MANDATORY_NOT_FOUND", {"api_name": "id", "json_path": f"$.data[{index}].id"})
        record = self.call.store.get(self.module.name, given["id"])
        if record is None or record.converted:
            place = {"api_name": "id", "json_path": f"$.data[{index}].id"}
            raise RowError("INVALID_DATA", place, BAD_ID)
        return success(self._details(self._change(record, given, index)), "record updated")

    def upsert(self, given: Row, index: int) -> Row:
        """Raises RowError."""
        if given.get("id") is not None:
            return self.update(given, index) | {"action": "update", "duplicate_field": "id"}
        for name in self.duplicate_check:
            record = self._duplicate(name, given.get(name))
            if record is not None:
                details = self._details(self._change(record, given, index))
                return success(details, "record updated", duplicate_field=name, action="update")
        details = self._details(self._add(given, index))
        return success(details, "record added", duplicate_field=None, action="insert")

    def _add(self, given: Row, index: int) -> Record:
        values = self.checker.check(given, index, new=True)
        self._check_unique(values, index)
        call = self.call
        if not values.get("Owner"):
            values["Owner"] = call.user.id
        return call.store.add(self.module.name, values, call.user.id, call.traceparent)

    def _change(self, record: Record, given: Row, index: int) -> Record:
        if record.locked:
            raise RowError("RECORD_LOCKED", {"id": record.id})
        self._check_unmodified(record)
        values = self.checker.check(given, index, new=False)
        self._check_unique(values, index, record.id)
        for name in given.get("$append_values") or ():
            if isinstance(values.get(name), list):
                values[name] = [*dict.fromkeys([*(record.values.get(name) or ()), *values[name]])]
        self.call.store.save(record, self.call.user.id, differing(record, values))
        return record

    def _check_unmodified(self, record: Record) -> None:
        given = self.call.headers.get("if-unmodified-since")
        if given is None:
            return
        if record.modified > moment(given, "If-Unmodified-Since"):
            modified = moments.shown(record.modified, self.call.user.zone)
            raise RowError("ALREADY_MODIFIED", {"Modified_Time": modified, "id": record.id})

    def _check_unique(self, values: Row, index: int, own: str = "") -> None:
        for name in self.module.checked_for_duplicates:
            other = self._duplicate(name, values.get(name), own)
            if other is not None:
                raise RowError("DUPLICATE_DATA", self._other(other, f"$.data[{index}].{name}", name))

    def _other(self, other: Record, path: str, name: str) -> Row:
        module = {"api_name": self.module.name, "id": self.module.id}
        owner = self.call.site.users.reference(other.values.get("Owner"))
        record = {"id": other.id, "module": module, "Owner": owner}
        return {"api_name": name, "json_path": path, "id": other.id, "duplicate_record": record}

    def _duplicate(self, name: str, value: Any, own: str = "") -> Record | None:
        """The oldest live record that has the value, whatever its letters' case."""
        if value is None or value == "":
            return None
        column = {"Email": "email", self.module.title: "name"}.get(name, f"json_extract(body, '$.{name}')")
        found = self.call.store.find(
            f"{column} = ? AND module = ? AND deleted IS NULL AND converted = 0 AND id != ?",
            (value, self.module.name, as_number(own) or 0),
            limit=1,
        )
        return found[0] if found else None

    def _details(self, record: Record) -> Row:
        return outcome(self.call.site, self.call.user, record)


def differing(record: Record, values: Row) -> Row:
    """Those of the values that the record has not yet."""
    return {name: value for name, value in values.items() if record.values.get(name) != value}


def moment(text: str, name: str) -> int:
    """Of a header, in seconds. Raises INVALID_DATA."""
    try:
        return moments.seconds(text)
    except ValueError:
        raise ApiError("INVALID_DATA", {"header_name": name, "expected_data_type": "datetime"}) from None


def run(writing: Writing, write: _Write, done: int = 200) -> Reply:
    """All rows, one after the other; the status says how many were taken."""
    rows = writing.call.rows()
    outcomes = []
    for index, row in enumerate(rows):
        try:
            outcomes.append(write(writing, row, index))
        except RowError as refused:
            outcomes.append(refused.row)
    return Reply(status_of(outcomes, done), {"data": outcomes}, rows=len(rows))


def status_of(outcomes: Sequence[Mapping[str, Any]], done: int = 200) -> int:
    """All taken, some of them, none; 412 if it is only that somebody was there before."""
    bad = [row for row in outcomes if row["status"] != "success"]
    if not bad:
        return done
    if len(bad) < len(outcomes):
        return 207
    return 412 if all(row["code"] == "ALREADY_MODIFIED" for row in bad) else 400


def insert(call: Call) -> Reply:
    call.allow("create", call.module)
    return run(Writing(call, call.module), Writing.insert, 201)


def update(call: Call) -> Reply:
    call.allow("edit", call.module)
    if "id" in call.path:
        call.body["data"] = [row | {"id": call.path["id"]} for row in call.rows(most=1)]
    return run(Writing(call, call.module), Writing.update)


def upsert(call: Call) -> Reply:
    call.allow("create", call.module)
    call.allow("edit", call.module)
    call.rows()
    return run(Writing(call, call.module, _check_fields(call)), Writing.upsert)


def delete(call: Call) -> Reply:
    call.allow("delete", call.module)
    keys = [call.path["id"]] if "id" in call.path else call.required("ids").split(",")
    if len(keys) > 100:
        raise ApiError("LIMIT_EXCEEDED", {"param_name": "ids", "limit": 100})
    outcomes = []
    for key in keys:
        record = call.store.get(call.module.name, key)
        if record is None:
            outcomes.append(RowError("INVALID_DATA", {"id": key}, BAD_ID).row)
        elif record.locked:
            outcomes.append(RowError("RECORD_LOCKED", {"id": key}).row)
        else:
            call.store.delete(record, call.user.id)
            outcomes.append(success({"id": key}, "record deleted"))
    return Reply(status_of(outcomes), {"data": outcomes}, rows=len(keys))


def _check_fields(call: Call) -> list[str]:
    """In the order in which they are looked at. Raises INVALID_DATA, LIMIT_EXCEEDED."""
    module, given = call.module, call.body.get("duplicate_check_fields")
    system = [module.unique_by] if module.unique_by else []
    unique = [name for name in module.checked_for_duplicates if name not in system]
    if not given:
        return [*system, *unique]
    if not isinstance(given, list) or len(given) > _CHECK_FIELDS:
        raise ApiError("LIMIT_EXCEEDED", {"api_name": "duplicate_check_fields", "limit": _CHECK_FIELDS})
    for index, name in enumerate(given):
        if name not in {*system, *unique}:
            path = f"$.duplicate_check_fields[{index}]"
            raise ApiError("INVALID_DATA", {"api_name": "duplicate_check_fields", "json_path": path})
    return [*given, *(name for name in unique if name not in given)]


def many(call: Call) -> int:
    """How many rows a call brings, at a glance."""
    rows = call.body.get("data") if isinstance(call.body, dict) else None
    return len(rows) if isinstance(rows, list) else 0


def credits_of_rows(call: Call) -> int:
    """One for every ten begun."""
    return max(1, -(-many(call) // _ROWS_PER_CREDIT))


def heavy_of_rows(call: Call) -> bool:
    return many(call) > _HEAVY_ROWS


def _writes(name: str, method: str, address: str, scope: str, answer: Callable[[Call], Reply]) -> Operation:
    """How writes are charged, and when they are heavy: Zoho's documentation."""
    return Operation(
        name, method, f"/crm/{{version}}/{address}", "write", scope, answer, credits_of_rows, heavy_of_rows
    )


OPERATIONS = (
    _writes("upsert", "POST", "{module}/upsert", "modules.CREATE", upsert),
    _writes("insert", "POST", "{module}", "modules.CREATE", insert),
    _writes("update", "PUT", "{module}", "modules.UPDATE", update),
    _writes("update", "PUT", "{module}/{id}", "modules.UPDATE", update),
    Operation("delete", "DELETE", "/crm/{version}/{module}", "write", "modules.DELETE", delete),
    Operation("delete", "DELETE", "/crm/{version}/{module}/{id}", "write", "modules.DELETE", delete),
)
