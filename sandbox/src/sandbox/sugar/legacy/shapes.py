"""Answers in legacy REST's shape: what SOAP lists as name and value is keyed by name here."""

from collections.abc import Callable, Mapping
from typing import Any

_KEYED = frozenset({"name_value_list", "link_value", "module_fields", "link_fields", "options"})


def keyed(value: Any) -> Any:
    """The same with every list of named things keyed by their names; empty lists stay lists, as in PHP."""
    if isinstance(value, dict):
        return {name: _by_name(item) if name in _KEYED else keyed(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    # v2 has a record's pairs as a list in a list.
    return (
        _by_name(value)
        if value and all(_is_pair(item) for item in value)
        else [keyed(item) for item in value]
    )


def reshape(version: str, operation: str, result: Any, sent: Mapping[str, str]) -> Any:
    """The result of an operation as JSON; `sent` are the pairs a set_entry came with."""
    change = _SPECIAL.get(operation)
    shaped = keyed(result)
    if version == "v2" and operation == "get_entry_list":
        shaped.pop("total_count")
    return change(shaped, sent) if change and shaped is not None else shaped


def _by_name(items: Any) -> Any:
    return {item["name"]: keyed(item) for item in items} if items else []


def _is_pair(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"name", "value"}


def _total_as_text(result: Any, sent: Mapping[str, str]) -> Any:
    return {name: str(item) if name == "total_count" else item for name, item in result.items()}


def _count_as_text(result: Any, sent: Mapping[str, str]) -> Any:
    return {"result_count": str(result["result_count"])}


def _with_sent(result: Any, sent: Mapping[str, str]) -> Any:
    entry = {**sent, "id": result["id"]}
    return {**result, "entry_list": {name: {"name": name, "value": value} for name, value in entry.items()}}


def _admin_as_boolean(result: Any, sent: Mapping[str, str]) -> Any:
    pairs = result["name_value_list"]
    if admin := pairs.get("user_is_admin"):
        pairs["user_is_admin"] = {**admin, "value": admin["value"] == "1"}
    for name, value in _LOGIN_TEXTS.items():
        if name in pairs:
            pairs[name] = {"name": name, "value": pairs[name]["value"] or value}
    return result


def _access_as_boolean(result: Any, sent: Mapping[str, str]) -> Any:
    for module in result["modules"]:
        if isinstance(module, dict):
            module["acls"] = [{**acl, "access": acl["access"] == "1"} for acl in module["acls"]]
    return result


_LOGIN_TEXTS = {
    "user_currency_id": "-99",
    "mobile_max_list_entries": "10",
    "mobile_max_subpanel_entries": "3",
}
_SPECIAL: Mapping[str, Callable[[Any, Mapping[str, str]], Any]] = {
    "login": _admin_as_boolean,
    "get_entry_list": _total_as_text,
    "get_entries_count": _count_as_text,
    "set_entry": _with_sent,
    "get_available_modules": _access_as_boolean,
}
