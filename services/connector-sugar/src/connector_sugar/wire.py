# mypy: disable-error-code="no-untyped-call, arg-type"
# (zeep is only partly typed, and partly wrongly)
"""SugarCRM's SOAP: envelopes out and in, arguments, rows and the queries that select them.

zeep encodes and decodes by a WSDL of our own. What it must be told, and what the servers make of it, was
recorded on SuiteCRM 7.12.5: parameters count by position, an array without arrayType is misread, texts come
with four characters encoded as entities.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import zeep
from lxml import etree
from zeep.wsdl import Document
from zeep.xsd import SkipValue

WSDL = Path(__file__).with_name("sugar.wsdl")
_ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
_BINDING = "{http://www.sugarcrm.com/sugarcrm}sugarsoapBinding"
_READING = zeep.Settings(strict=True, forbid_dtd=True, forbid_external=True, xml_huge_tree=False)

# Last parts that v2 does not know.
_NOT_IN_V2 = frozenset({"get_entry_list", "get_available_modules"})
_TIME = "%Y-%m-%d %H:%M:%S"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALL_RIGHTS = frozenset({"edit", "delete", "list", "view", "import", "export"})
_GRANTED = frozenset({"1", "true"})
_ENTITIES = {"&#039;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("|".join(_ENTITIES))


class _LocalFiles(zeep.Transport):
    """Loads nothing from the network: the WSDL's one import is a file beside it."""

    def load(self, url: str) -> bytes:
        if url == _ENCODING:
            return WSDL.with_name("soap-encoding.xsd").read_bytes()
        if url == str(WSDL):
            return WSDL.read_bytes()
        raise ValueError("The WSDL of the connector refers to nothing else.")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as zeep reads one."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


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


def encode(operation: str, *arguments: Any, version: str) -> bytes:
    """The envelope of a call; arguments in the order of v4_1, whose last parts v2 may lack."""
    if version == "v2" and operation in _NOT_IN_V2:
        arguments = (*arguments[:-1], SkipValue)
    envelope = _codec().binding.get(operation).create(*arguments).content
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def decode(operation: str, reply: Reply) -> Any:
    """The result of a call: structs as zeep's objects, arrays as lists, one-member structs unwrapped.

    Raises:
        zeep.exceptions.Fault: the service refused.
        zeep.exceptions.Error: this is no SOAP.
    """
    codec = _codec()
    return codec.binding.process_reply(codec.client, codec.binding.get(operation), reply)


# Arguments ------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """The text without what XML cannot carry (control characters, lone surrogates)."""
    return _NOT_XML.sub("", text)


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


# Results --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a module: values by field (never None), and related rows by link."""

    id: str
    values: Mapping[str, str]
    linked: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryList:
    """One answer of get_entry_list. total: of all matching rows, None on v2."""

    entries: list[Entry]
    total: int | None


def is_nothing(result: Any) -> bool:
    """v4's answer to an empty or lost session: nil, or a result whose every member is nil."""
    if result is None:
        return True
    members = getattr(result, "__values__", None)
    return members is not None and all(value is None for value in members.values())


def values_of(name_values: Iterable[Any] | None) -> dict[str, str]:
    """A name_value_list as a dict, with exactly those entities decoded that the servers encode."""
    return {
        pair["name"]: _ENTITY.sub(lambda found: _ENTITIES[found[0]], pair["value"] or "")
        for pair in name_values or ()
    }


def entry_list(result: Any) -> EntryList:
    """Reads get_entry_list's result, of any version."""
    related = list(result["relationship_list"] or ())
    entries = [
        Entry(row["id"], values_of(row["name_value_list"]), _linked(related[at]) if at < len(related) else {})
        for at, row in enumerate(result["entry_list"] or ())
    ]
    return EntryList(entries, result["total_count"])


def rights(result: Any) -> dict[str, frozenset[str]]:
    """What get_available_modules lets the user do, by module. v2 only names modules: then everything."""
    return {
        module if isinstance(module, str) else module["module_key"]: _ALL_RIGHTS
        if isinstance(module, str)
        else frozenset(acl["action"] for acl in module["acls"] or () if acl["access"] in _GRANTED)
        for module in result
    }


def _linked(item: Any) -> dict[str, list[dict[str, str]]]:
    """v2 has bare arrays where v4 wraps each level in a struct of one member."""
    return {
        link["name"]: [values_of(_inner(record, "link_value")) for record in link["records"] or ()]
        for link in _inner(item, "link_list")
    }


def _inner(item: Any, member: str) -> list[Any]:
    return list((item if isinstance(item, list) else item[member]) or ())


# Queries: SQL conditions, columns prefixed by their table ----------------------------------------------


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + clean(text).replace("\\", "\\\\").replace("'", "''") + "'"


def with_ids(table: str, ids: Collection[str]) -> str:
    """The rows with these ids."""
    return f"{table}.id IN ({', '.join(map(quoted, ids))})"


def with_emails(module: str, emails: Iterable[str]) -> str:
    """The module's rows that have one of these addresses, primary or not; perhaps a few others too.

    The server refuses a query in which it sees `--`, `;` or UNION, and addresses may contain all three, as
    well as quotes. Such addresses go into a pattern, in which `_` stands for what could offend: callers
    compare the addresses found with those they asked for.
    """
    plain: list[str] = []
    patterns: list[str] = []
    for email in emails:
        caps = _ascii_upper(email)
        pattern = re.sub("[^A-Z0-9@.+_-]", "_", caps).replace("--", "-_").replace("UNION", "_NION")
        (plain if pattern == caps else patterns).append(quoted(pattern))
    conditions = [f"ea.email_address_caps IN ({', '.join(plain)})"] if plain else []
    conditions += [f"ea.email_address_caps LIKE {pattern}" for pattern in patterns]
    addresses = " OR ".join(conditions)
    return (
        f"{module.lower()}.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr"  # noqa: S608 quoted
        " JOIN email_addresses ea ON ea.id = eabr.email_address_id"
        f" WHERE eabr.bean_module = '{module}' AND eabr.deleted = 0 AND ea.deleted = 0 AND ({addresses}))"
    )


def changed_after(table: str, since: str, last: tuple[str, str] | None) -> str:
    """Rows modified at or after a time, or those that follow the last one seen (its time and id)."""
    modified = f"{table}.date_modified"
    if last is None:
        return f"{modified} >= {quoted(since)}"
    time, key = map(quoted, last)
    return f"{modified} > {time} OR ({modified} = {time} AND {table}.id > {key})"


def _ascii_upper(text: str) -> str:
    """As the server makes email_address_caps: other letters than a-z it may leave as they are."""
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)


def sugar_time(at: datetime) -> str:
    """`Y-m-d H:i:s` in UTC: any other spelling is stored as null without an error."""
    return at.astimezone(UTC).strftime(_TIME)


def moment(text: str) -> datetime:
    """The inverse of `sugar_time`. Raises ValueError for anything else."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def chunks(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The rows in order, at most `size` at a time."""
    return (rows[at : at + size] for at in range(0, len(rows), size))
