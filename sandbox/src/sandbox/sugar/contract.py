"""The SOAP contract as data: which types and operations each service version has.

The encoder and the WSDL are both driven by these tables, so what is described is what is sent.
Source: the WSDLs that SuiteCRM 7.12.5 serves at service/v2, v4 and v4_1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

NAMESPACE = "http://www.sugarcrm.com/sugarcrm"
VERSIONS = ("v2", "v4", "v4_1")

TEXT, INT, BOOL = "xsd:string", "xsd:int", "xsd:boolean"


@dataclass(frozen=True, slots=True)
class Struct:
    """A record type: member name and type, in wire order."""

    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A SOAP-ENC array of one item type."""

    item: str


@dataclass(frozen=True, slots=True)
class Operation:
    """Parts in their order (they are matched by position), how many PHP insists on, and the result's type."""

    parts: tuple[tuple[str, str], ...]
    required: int
    result: str | None


def _struct(**members: str) -> Struct:
    return Struct(tuple(members.items()))


_TYPES: dict[str, Struct | Array] = {
    "user_auth": _struct(user_name=TEXT, password=TEXT),
    "name_value": _struct(name=TEXT, value=TEXT),
    "name_value_list": Array("tns:name_value"),
    "name_value_lists": Array("tns:name_value_list"),
    "select_fields": Array(TEXT),
    "field": _struct(
        name=TEXT,
        type=TEXT,
        group=TEXT,
        label=TEXT,
        required=INT,
        options="tns:name_value_list",
        default_value=TEXT,
    ),
    "field_list": Array("tns:field"),
    "link_field": _struct(name=TEXT, type=TEXT, relationship=TEXT, module=TEXT, bean_name=TEXT),
    "link_field_list": Array("tns:link_field"),
    "new_module_fields": _struct(
        module_name=TEXT, table_name=TEXT, module_fields="tns:field_list", link_fields="tns:link_field_list"
    ),
    "entry_value": _struct(id=TEXT, module_name=TEXT, name_value_list="tns:name_value_list"),
    "entry_list": Array("tns:entry_value"),
    "link_name_to_fields_array": _struct(name=TEXT, value="tns:select_fields"),
    "link_names_to_fields_array": Array("tns:link_name_to_fields_array"),
    "link_value": Array("tns:name_value"),
    "link_value2": _struct(link_value="tns:link_value"),
    "link_array_list": Array("tns:link_value2"),
    "link_name_value": _struct(name=TEXT, records="tns:link_array_list"),
    "link_list": Array("tns:link_name_value"),
    "link_list2": _struct(link_list="tns:link_list"),
    "link_lists": Array("tns:link_list2"),
    "get_entry_result_version2": _struct(entry_list="tns:entry_list", relationship_list="tns:link_lists"),
    "get_entry_list_result_version2": _struct(
        result_count=INT,
        total_count=INT,
        next_offset=INT,
        entry_list="tns:entry_list",
        relationship_list="tns:link_lists",
    ),
    "get_server_info_result": _struct(flavor=TEXT, version=TEXT, gmt_time=TEXT),
    "new_set_entry_result": _struct(id=TEXT),
    "new_set_entries_result": _struct(ids="tns:select_fields"),
    "new_set_relationship_list_result": _struct(created=INT, failed=INT, deleted=INT),
    "get_entries_count_result": _struct(result_count=INT),
    "acl_list_entry": _struct(action=TEXT, access=TEXT),
    "acl_list": Array("tns:acl_list_entry"),
    "module_list_entry": _struct(
        module_key=TEXT, module_label=TEXT, favorite_enabled=BOOL, acls="tns:acl_list"
    ),
    "module_list_array": Array("tns:module_list_entry"),
    "module_list": _struct(modules="tns:module_list_array"),
}

# v2 has arrays directly inside arrays, plain module names, no totals, groups or table names.
_V2_TYPES: dict[str, Struct | Array] = {
    "field": _struct(
        name=TEXT, type=TEXT, label=TEXT, required=INT, options="tns:name_value_list", default_value=TEXT
    ),
    "new_module_fields": _struct(
        module_name=TEXT, module_fields="tns:field_list", link_fields="tns:link_field_list"
    ),
    "link_array_list": Array("tns:link_value"),
    "link_lists": Array("tns:link_list"),
    "get_entry_list_result_version2": _struct(
        result_count=INT, next_offset=INT, entry_list="tns:entry_list", relationship_list="tns:link_lists"
    ),
    "module_list": _struct(modules="tns:select_fields"),
}
_V4_ONLY = {
    "link_value2",
    "link_list2",
    "acl_list_entry",
    "acl_list",
    "module_list_entry",
    "module_list_array",
}

_FIELDS, _LINKS, _PAIRS = "tns:select_fields", "tns:link_names_to_fields_array", "tns:name_value_list"


def _operation(result: str | None, required: int, **parts: str) -> Operation:
    return Operation(tuple(parts.items()), required, result)


_OPERATIONS: dict[str, Operation] = {
    "login": _operation(
        "tns:entry_value", 1, user_auth="tns:user_auth", application_name=TEXT, name_value_list=_PAIRS
    ),
    "logout": _operation(None, 1, session=TEXT),
    "get_entry": _operation(
        "tns:get_entry_result_version2",
        5,
        session=TEXT,
        module_name=TEXT,
        id=TEXT,
        select_fields=_FIELDS,
        link_name_to_fields_array=_LINKS,
        track_view=BOOL,
    ),
    "get_entries": _operation(
        "tns:get_entry_result_version2",
        5,
        session=TEXT,
        module_name=TEXT,
        ids=_FIELDS,
        select_fields=_FIELDS,
        link_name_to_fields_array=_LINKS,
        track_view=BOOL,
    ),
    "get_entry_list": _operation(
        "tns:get_entry_list_result_version2",
        9,
        session=TEXT,
        module_name=TEXT,
        query=TEXT,
        order_by=TEXT,
        offset=INT,
        select_fields=_FIELDS,
        link_name_to_fields_array=_LINKS,
        max_results=INT,
        deleted=INT,
        favorites=BOOL,
    ),
    "set_relationship": _operation(
        "tns:new_set_relationship_list_result",
        7,
        session=TEXT,
        module_name=TEXT,
        module_id=TEXT,
        link_field_name=TEXT,
        related_ids=_FIELDS,
        name_value_list=_PAIRS,
        delete=INT,
    ),
    "get_relationships": _operation(
        "tns:get_entry_result_version2",
        8,
        session=TEXT,
        module_name=TEXT,
        module_id=TEXT,
        link_field_name=TEXT,
        related_module_query=TEXT,
        related_fields=_FIELDS,
        related_module_link_name_to_fields_array=_LINKS,
        deleted=INT,
        order_by=TEXT,
        offset=INT,
        limit=INT,
    ),
    "set_entry": _operation(
        "tns:new_set_entry_result", 3, session=TEXT, module_name=TEXT, name_value_list=_PAIRS
    ),
    "set_entries": _operation(
        "tns:new_set_entries_result",
        3,
        session=TEXT,
        module_name=TEXT,
        name_value_lists="tns:name_value_lists",
    ),
    "get_server_info": _operation("tns:get_server_info_result", 0),
    "get_user_id": _operation(TEXT, 1, session=TEXT),
    "get_module_fields": _operation(
        "tns:new_module_fields", 2, session=TEXT, module_name=TEXT, fields=_FIELDS
    ),
    "get_available_modules": _operation("tns:module_list", 1, session=TEXT, filter=TEXT),
    "get_entries_count": _operation(
        "tns:get_entries_count_result", 4, session=TEXT, module_name=TEXT, query=TEXT, deleted=INT
    ),
}

# Parts that came with a later version: operation -> parts the older version does not have.
_LATER_PARTS: dict[str, dict[str, frozenset[str]]] = {
    "v2": {
        "get_entry": frozenset({"track_view"}),
        "get_entries": frozenset({"track_view"}),
        "get_entry_list": frozenset({"favorites"}),
        "get_relationships": frozenset({"order_by", "offset", "limit"}),
        "get_available_modules": frozenset({"filter"}),
    },
    "v4": {"get_relationships": frozenset({"offset", "limit"})},
    "v4_1": {},
}


@cache
def types(version: str) -> Mapping[str, Struct | Array]:
    """The complex types of one version by name."""
    if version != "v2":
        return _TYPES
    return {name: kind for name, kind in (_TYPES | _V2_TYPES).items() if name not in _V4_ONLY}


@cache
def operations(version: str) -> Mapping[str, Operation]:
    """The operations of one version by name."""
    later = _LATER_PARTS[version]
    return {
        name: Operation(
            tuple(part for part in operation.parts if part[0] not in later.get(name, ())),
            operation.required,
            operation.result,
        )
        for name, operation in _OPERATIONS.items()
    }
