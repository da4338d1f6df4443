"""The older family's operations in JSON: one address, a form to post, arguments by position.

Errors come with HTTP 200 as well; where PHP dies, there is an empty body or the text it died with.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from connector_sugar import faults
from connector_sugar.http import Reply
from connector_sugar.legacy.operations import (
    ALL_RIGHTS,
    OPERATIONS,
    FieldRow,
    Rights,
    Row,
    Rows,
    clean,
    known_by,
    plain,
)
from leadbus import foreign_json

_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html)\b", re.IGNORECASE | re.DOTALL)
_ERROR = {"name", "number", "description"}
_GRANTED = frozenset({"1", "true"})


class Json:
    """Implements `legacy.operations.Encoding`."""

    service = "legacy REST service"
    script = "rest.php"
    versions: tuple[str, ...] = ("v4_1", "v4", "v2")

    def headers(self, operation: str) -> dict[str, str]:
        """See `Encoding`."""
        return {"Content-Type": "application/x-www-form-urlencoded"}

    def encode(self, version: str, operation: str, arguments: Sequence[Any]) -> bytes:
        """See `Encoding`. The order of the keys is what counts; dicts keep it."""
        named = list(zip(OPERATIONS[operation], arguments, strict=True))[: known_by(version, operation)]
        sent = {name: _ARGUMENTS.get(name, _text)(value) for name, value in named}
        form = {
            "method": operation,
            "input_type": "JSON",
            "response_type": "JSON",
            "rest_data": json.dumps(sent, separators=(",", ":")),
        }
        return urlencode(form).encode("ascii")

    def decode(self, operation: str, reply: Reply, *, writing: bool) -> Any:
        """See `Encoding`. The Content-Type says nothing: PHP calls its JSON text/html."""
        if reply.status_code != 200:
            raise faults.of_status(reply.status_code, reply.headers.get("Retry-After"), writing=writing)
        try:
            result = foreign_json.loads(reply.content)
        except ValueError:
            page = _PAGE.match(reply.content)
            raise (faults.PAGE if page else faults.FAULTS["-1"]).error(writing=writing) from None
        if isinstance(result, dict) and result.keys() >= _ERROR:
            raise faults.of_fault(str(result["number"]), writing=writing)
        if result is None and operation != "logout":
            raise faults.FAULTS["11"].error(writing=writing)
        try:
            return _RESULTS[operation](result)
        except (LookupError, TypeError, ValueError, AttributeError):
            raise faults.UNREADABLE.error(writing=writing) from None


# Arguments ------------------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _texts(values: Sequence[str]) -> list[str]:
    return [clean(value) for value in values]


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": clean(value)} for name, value in values.items()]


def _links(fields: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    return [{"name": name, "value": list(wanted)} for name, wanted in fields.items()]


_ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("fields", "select_fields", "related_fields", "related_ids"), _texts),
    **dict.fromkeys(("link_name_to_fields_array", "related_module_link_name_to_fields_array"), _links),
    "name_value_list": _pairs,
    "name_value_lists": lambda rows: [_pairs(row) for row in rows],
    "user_auth": lambda auth: {name: clean(value) for name, value in auth.items()} | {"version": "1"},
}


# Results: PHP writes an empty mapping as an empty list -------------------------------------------------


def _named(value: Any) -> list[Any]:
    return list(value.values() if isinstance(value, dict) else value or ())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else plain(str(value))


def _values(pairs: Any) -> dict[str, str]:
    return {pair["name"]: _shown(pair["value"]) for pair in _named(pairs)}


def _linked(item: Any) -> dict[str, list[dict[str, str]]]:
    """v2 has bare lists where v4 wraps each level in an object of one member."""
    links = item.get("link_list") if isinstance(item, dict) else item
    return {
        link["name"]: [_values(_inner(record)) for record in link["records"] or ()] for link in links or ()
    }


def _inner(record: Any) -> Any:
    return record["link_value"] if isinstance(record, dict) and "link_value" in record else record


def _rows(result: Any) -> Rows:
    linked = [_linked(item) for item in result.get("relationship_list") or ()]
    total = int(result.get("total_count", -1))
    return Rows(
        [
            Row(item["id"], _values(item["name_value_list"]), linked[at] if at < len(linked) else {})
            for at, item in enumerate(result["entry_list"])
        ],
        total if total >= 0 else None,
    )


def _rights(result: Any) -> Rights:
    return {
        module if isinstance(module, str) else module["module_key"]: ALL_RIGHTS
        if isinstance(module, str)
        else frozenset(a["action"] for a in module["acls"] or () if str(a["access"]).lower() in _GRANTED)
        for module in result["modules"]
    }


def _fields(result: Any) -> list[FieldRow]:
    return [
        FieldRow(
            field["name"],
            field.get("type") or "",
            plain(field.get("label") or ""),
            bool(int(field.get("required") or 0)),
            tuple(str(option["name"]) for option in _named(field["options"]))
            if field.get("options")
            else None,
        )
        for field in _named(result["module_fields"])
    ]


def _texts_of(result: Any) -> dict[str, str]:
    return {name: str(result[name] or "") for name in ("flavor", "version", "gmt_time")}


_RESULTS: Mapping[str, Callable[[Any], Any]] = {
    "login": lambda result: str(result["id"]),
    "logout": lambda result: None,
    "get_server_info": _texts_of,
    "get_user_id": str,
    "get_available_modules": _rights,
    "get_module_fields": _fields,
    "get_entry_list": _rows,
    "get_relationships": _rows,
    "set_entries": lambda result: [str(key) for key in result["ids"]],
    "set_relationship": lambda result: not int(result["failed"]),
}
