"""From a row of a request to values as stored, and what is wrong with it.

Source: samples of the contract notes (Zoho's documentation); unknown and read-only fields are passed over
(reported by users).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import moments
from .errors import RowError
from .schema import Field, Module
from .site import Site
from .store import Row, as_number

_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
_DURATION = re.compile(r"\d+:\d\d(:\d\d)?|\d+")
_NUMBERS = {"integer", "bigint", "currency", "double", "percent"}
_OTHERS = {"Tasks", "Calls", "Events"}


class _Wrong(Exception):
    """What the details of INVALID_DATA say beside the place."""

    def __init__(self, field: str | None = None, **details: Any) -> None:
        super().__init__()
        self.field, self.details = field, details


@dataclass(slots=True)
class Checker:
    """For the rows of one call into one module. place: where they stand, as in json_path."""

    site: Site
    module: Module
    place: str = "$.data"

    def check(self, given: Mapping[str, Any], index: int, *, new: bool) -> Row:
        """The values that the row sets, as stored. Raises RowError."""
        errors: list[RowError] = []
        values: Row = {}
        for name, field in self.module.fields.items():
            if name not in given or field.read_only:
                continue
            try:
                values[name] = self._stored(field, given)
            except _Wrong as wrong:
                where = f"{self.place}[{index}].{name}" + (f".{wrong.field}" if wrong.field else "")
                place = {"api_name": wrong.field or name, "json_path": where}
                errors.append(RowError("INVALID_DATA", place | wrong.details))
        errors += self._missing(given, values, index, new=new)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise RowError("MULTIPLE_OR_MULTI_ERRORS", {"errors": [error.row for error in errors]})
        self._refuse(values, index)
        return values

    def _missing(self, given: Mapping[str, Any], values: Row, index: int, *, new: bool) -> list[RowError]:
        """What a record must have; an update may leave it out, but not take it away."""
        errors = [
            RowError("MANDATORY_NOT_FOUND", self._at(index, name))
            for name, field in self.module.fields.items()
            if field.required and ((new and name not in given) or values.get(name, "") is None)
        ]
        if values.get("What_Id") and self.module.name in _OTHERS and not given.get("$se_module"):
            errors.append(RowError("DEPENDENT_FIELD_MISSING", self._at(index, "$se_module")))
        if values.get("Parent_Id"):
            values["$se_module"] = _module_of(given["Parent_Id"]) or given.get("$se_module")
        return errors

    def _at(self, index: int, name: str) -> dict[str, str]:
        return {"api_name": name, "json_path": f"{self.place}[{index}].{name}"}

    def _refuse(self, values: Row, index: int) -> None:
        for refusal in self.site.refusals:
            if refusal.module == self.module.name and str(values.get(refusal.field)) == refusal.value:
                self.site.refused_rows += 1
                raise RowError(
                    "INVALID_DATA", self._at(index, refusal.field), "a validation rule refuses the value"
                )

    def _stored(self, field: Field, given: Mapping[str, Any]) -> Any:
        value = given[field.name]
        if value is None or value == "":
            return None
        if field.type in _NUMBERS:
            return _number(field, value)
        if field.name == "Call_Duration":
            return _duration(value)
        if field.type == "ownerlookup":
            return self._owner(value)
        if field.type == "lookup":
            return self._lookup(field, given)
        return _STORED.get(field.type, _text)(field, value)

    def _owner(self, value: Any) -> str:
        """By id or, in an object, by email."""
        if isinstance(value, dict) and "id" not in value and value.get("email"):
            user = self.site.users.by_email(str(value["email"]))
        else:
            user = self.site.users.get(_id_of(value))
        if user is None or not user.may_own:
            raise _Wrong("id")
        return user.id

    def _lookup(self, field: Field, given: Mapping[str, Any]) -> str:
        value = given[field.name]
        key, to = _id_of(value), field.to
        if to == "*":
            to = _module_of(value) or given.get("$se_module") or ""
        if as_number(key) is None or (to and self.site.store.get(to, key) is None):
            raise _Wrong("id")
        return str(key)


def _id_of(value: Any) -> Any:
    """Objects since v3, plain ids before; the official SDK sends numbers."""
    if not isinstance(value, dict | str | int) or isinstance(value, bool):
        raise _Wrong(expected_data_type="jsonobject")
    return value.get("id") if isinstance(value, dict) else value


def _module_of(value: Any) -> str | None:
    module = value.get("module") if isinstance(value, dict) else None
    name = module.get("api_name") if isinstance(module, dict) else module
    return name if isinstance(name, str) else None


def _text(field: Field, value: Any) -> Any:
    if not isinstance(value, str):
        raise _Wrong(expected_data_type=field.type)
    if len(value) > field.length:
        raise _Wrong(maximum_length=field.length)
    return value


def _email(field: Field, value: Any) -> Any:
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        raise _Wrong(expected_data_type="email")
    return _text(field, value)


def _boolean(field: Field, value: Any) -> Any:
    if not isinstance(value, bool):
        raise _Wrong(expected_data_type="boolean")
    return value


def _picklist(field: Field, value: Any) -> Any:
    """Takes texts that are no option of it."""
    text = _text(field, value)
    return None if text == "-None-" else text


def _picks(field: Field, value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Wrong(expected_data_type="jsonarray")
    return value


def _tags(field: Field, value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(tag, dict) and tag.get("name") for tag in value):
        raise _Wrong(expected_data_type="jsonarray")
    names = list(dict.fromkeys(str(tag["name"]) for tag in value))
    if len(names) > 10 or any(len(name) > 25 for name in names):
        raise _Wrong(maximum_length=10 if len(names) > 10 else 25)
    return names


def _date(field: Field, value: Any) -> Any:
    try:
        return moments.check_date(str(value))
    except ValueError:
        raise _Wrong(expected_data_type="date") from None


def _datetime(field: Field, value: Any) -> Any:
    try:
        return moments.stored(str(value))
    except ValueError:
        raise _Wrong(expected_data_type="datetime") from None


def _number(field: Field, value: Any) -> Any:
    if field.type == "bigint" and isinstance(value, str) and value.lstrip("-").isdigit():
        return _text(field, value)
    whole = field.type in {"integer", "bigint"}
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise _Wrong(expected_data_type=field.type)
    if len(str(abs(int(value)))) > field.length:
        raise _Wrong(maximum_length=field.length)
    return str(value) if field.type == "bigint" else value


def _duration(value: Any) -> Any:
    """Minutes and seconds; a call of no length is none."""
    if not _DURATION.fullmatch(str(value)) or not any(map(int, str(value).split(":"))):
        raise _Wrong(expected_data_type="text")
    return str(value)


_STORED: Mapping[str, Callable[[Field, Any], Any]] = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "email": _email,
    "multiselectpicklist": _picks,
    "picklist": _picklist,
    "text_tags": _tags,
}
