# mypy: disable-error-code="no-untyped-call, arg-type"
# (zeep is only partly typed, and partly wrongly)
"""The older family's operations in SOAP, by zeep and a WSDL of our own.

What zeep must be told, and what the servers make of it, was recorded on SuiteCRM 7.12.5: parameters count by
position, an array without arrayType is misread, an empty session of v4 gets an answer of nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import zeep
import zeep.exceptions
from lxml import etree
from zeep.wsdl import Document
from zeep.xsd import SkipValue

from connector_sugar import faults
from connector_sugar.http import Reply
from connector_sugar.legacy import envelope
from connector_sugar.legacy.operations import (
    ALL_RIGHTS,
    OPERATIONS,
    FieldRow,
    Rights,
    clean,
    known_by,
)

WSDL = Path(__file__).with_name("sugar.wsdl")
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_BINDING = "{http://www.sugarcrm.com/sugarcrm}sugarsoapBinding"
_READING = zeep.Settings(strict=True, forbid_dtd=True, forbid_external=True, xml_huge_tree=False)
_GRANTED = frozenset({"1", "true"})


class _LocalFiles(zeep.Transport):
    """Loads nothing from the network: the WSDL's one import is a file beside it."""

    def load(self, url: str) -> bytes:
        if url == _ENCODING:
            return WSDL.with_name("soap-encoding.xsd").read_bytes()
        if url == str(WSDL):
            return WSDL.read_bytes()
        raise ValueError("The WSDL of the connector refers to nothing else.")


@dataclass(frozen=True, slots=True)
class _Codec:
    """The WSDL, read once for the process."""

    client: zeep.Client
    binding: Any


@cache
def _codec() -> _Codec:
    files = _LocalFiles()
    client = zeep.Client(
        Document(str(WSDL), files, settings=zeep.Settings()), transport=files, settings=_READING
    )
    return _Codec(client, client.wsdl.bindings[_BINDING])


class Soap:
    """Implements `legacy.operations.Encoding`."""

    service = "SOAP service"
    script = "soap.php"
    # v4_1 tells most; where it fails (SuiteCRM from 7.12.6 on), v2 mostly works.
    versions: tuple[str, ...] = ("v4_1", "v2", "v4")

    def headers(self, operation: str) -> dict[str, str]:
        """See `Encoding`."""
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}

    def encode(self, version: str, operation: str, arguments: Sequence[Any]) -> bytes:
        """See `Encoding`."""
        known = known_by(version, operation)
        named = zip(OPERATIONS[operation], arguments, strict=True)
        values = [_argument(name, value) for name, value in named][:known]
        lacking = [SkipValue] * (len(arguments) - known)
        message = _codec().binding.get(operation).create(*values, *lacking).content
        return etree.tostring(message, encoding="utf-8", xml_declaration=True)

    def decode(self, operation: str, reply: Reply, *, writing: bool) -> Any:
        """See `Encoding`."""
        if reply.status_code == 200 and not reply.content.strip():
            raise faults.UNREADABLE.error(writing=writing)
        is_xml = "xml" in reply.headers.get("Content-Type", "")
        if not is_xml or reply.status_code not in {200, 500}:
            raise faults.of_status(reply.status_code, reply.headers.get("Retry-After"), writing=writing)
        try:
            if operation in envelope.ROWS and reply.status_code == 200:
                result: Any = envelope.rows(reply.content)
            else:
                codec = _codec()
                result = codec.binding.process_reply(codec.client, codec.binding.get(operation), reply)
            if _is_nothing(result) and operation != "logout":
                raise faults.FAULTS["11"].error(writing=writing)
            read = _RESULTS.get(operation)
            return read(result) if read else result
        except zeep.exceptions.Fault as fault:
            raise faults.of_fault(fault.code, writing=writing) from None
        except (
            *(zeep.exceptions.Error, etree.LxmlError),
            *(LookupError, TypeError, ValueError, AttributeError),
        ):
            # zeep quotes the answer, and with it people's data.
            raise faults.UNREADABLE.error(writing=writing) from None


def _is_nothing(result: Any) -> bool:
    """v4's answer to an empty or lost session: nil, or a result whose every member is nil."""
    if result is None:
        return True
    members = getattr(result, "__values__", None)
    return members is not None and all(value is None for value in members.values())


# Arguments ------------------------------------------------------------------------------------------


def _array(kind: str, items: Iterable[Any]) -> Any:
    found = list(items)
    return {"_value_1": found, "arrayType": f"{kind}[{len(found)}]"} if found else []


def strings(values: Iterable[str]) -> Any:
    """An array of texts."""
    return _array("xsd:string", map(clean, values))


def pairs(values: Mapping[str, str]) -> Any:
    """A name_value_list."""
    return _array("tns:name_value", ({"name": name, "value": clean(v)} for name, v in values.items()))


def pair_lists(rows: Iterable[Mapping[str, str]]) -> Any:
    """name_value_lists: one list for each row."""
    return _array("tns:name_value_list", map(pairs, rows))


def links(fields: Mapping[str, Sequence[str]]) -> Any:
    """link_name_to_fields_array: fields of the related records by link."""
    return _array(
        "tns:link_name_to_fields_array",
        ({"name": name, "value": strings(wanted)} for name, wanted in fields.items()),
    )


_ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("fields", "select_fields", "related_fields", "related_ids"), strings),
    **dict.fromkeys(("link_name_to_fields_array", "related_module_link_name_to_fields_array"), links),
    "name_value_list": pairs,
    "name_value_lists": pair_lists,
    "user_auth": lambda auth: {name: clean(value) for name, value in auth.items()},
}


def _argument(name: str, value: Any) -> Any:
    if name in _ARGUMENTS:
        return _ARGUMENTS[name](value)
    return clean(value) if isinstance(value, str) else value


# Results --------------------------------------------------------------------------------------------


def _rights(modules: Any) -> Rights:
    return {
        module if isinstance(module, str) else module["module_key"]: ALL_RIGHTS
        if isinstance(module, str)
        else frozenset(acl["action"] for acl in module["acls"] or () if acl["access"] in _GRANTED)
        for module in modules
    }


def _fields(result: Any) -> list[FieldRow]:
    return [
        FieldRow(
            field["name"],
            field["type"] or "",
            field["label"] or "",
            bool(field["required"]),
            tuple(option["name"] or "" for option in field["options"]) if field["options"] else None,
        )
        for field in result["module_fields"] or ()
    ]


_RESULTS: Mapping[str, Callable[[Any], Any]] = {
    "login": lambda result: result["id"],
    "get_server_info": lambda result: {
        name: result[name] or "" for name in ("flavor", "version", "gmt_time")
    },
    "get_available_modules": _rights,
    "get_module_fields": _fields,
    "set_entries": list,
    "set_relationship": lambda result: not result["failed"],
}
