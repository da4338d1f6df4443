"""The operations of the older family: arguments by position, answers in one shape whatever the encoding."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector_sugar.http import Reply

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "login": ("user_auth", "application_name", "name_value_list"),
    "logout": ("session",),
    "get_server_info": (),
    "get_user_id": ("session",),
    "get_available_modules": ("session", "filter"),
    "get_module_fields": ("session", "module_name", "fields"),
    "get_entry_list": (
        *("session", "module_name", "query", "order_by", "offset", "select_fields"),
        *("link_name_to_fields_array", "max_results", "deleted", "favorites"),
    ),
    "get_relationships": (
        *("session", "module_name", "module_id", "link_field_name", "related_module_query", "related_fields"),
        *("related_module_link_name_to_fields_array", "deleted", "order_by", "offset", "limit"),
    ),
    "set_entries": ("session", "module_name", "name_value_lists"),
    "set_relationship": (
        *("session", "module_name", "module_id", "link_field_name", "related_ids", "name_value_list"),
        "delete",
    ),
}
"""Names of the arguments in v4_1. The servers go by position and look at no name."""

_LACKING: Mapping[str, Mapping[str, int]] = {
    "v4": {"get_relationships": 2},
    "v2": {"get_entry_list": 1, "get_available_modules": 1, "get_relationships": 3},
}
PAGED_LINKS = frozenset({"v4_1"})
"""Versions whose get_relationships can be asked for a part."""

_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = {"&#039;": "'", "&quot;": '"', "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("|".join(_ENTITIES))


def known_by(version: str, operation: str) -> int:
    """How many of an operation's arguments a version knows; those that it lacks are the last ones."""
    return len(OPERATIONS[operation]) - _LACKING.get(version, {}).get(operation, 0)


def clean(text: str) -> str:
    """The text without what neither XML nor PHP's JSON can carry (control characters, lone surrogates)."""
    return _NOT_TEXT.sub("", text)


def plain(text: str) -> str:
    """The text with exactly those four entities decoded that the servers encode."""
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], text) if "&" in text else text


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a module: values by field (never None), related rows by link; all as the CRM spells them."""

    id: str
    values: Mapping[str, str]
    linked: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """What get_entry_list and get_relationships answer. total: of all matching rows, where it is told."""

    rows: Sequence[Row]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What get_module_fields tells of a field. options: their values, None if it has no list."""

    name: str
    type: str
    label: str
    required: bool
    options: tuple[str, ...] | None


Rights = Mapping[str, frozenset[str]]
"""Actions granted by module (`list`, `view`, `edit` ...)."""
ALL_RIGHTS = frozenset({"edit", "delete", "list", "view", "import", "export"})
"""What is taken for granted where v2 only names a module."""


class Encoding(Protocol):
    """How calls are written and answers read.

    service: what it is called to a person. script: the address's last part. versions: in the order tried.
    """

    service: str
    script: str
    versions: tuple[str, ...]

    def headers(self, operation: str) -> dict[str, str]:
        """Of the request."""
        ...

    def encode(self, version: str, operation: str, arguments: Sequence[Any]) -> bytes:
        """Arguments by position as for v4_1: texts, numbers, booleans, lists of texts (ids, names of fields),
        mappings (pairs, links), lists of mappings (rows)."""
        ...

    def decode(self, operation: str, reply: Reply, *, writing: bool) -> Any:
        """The result; raises LeadbusError, AuthExpired for a lost session among them.

        login: the session's id. get_server_info: a mapping. get_user_id: the id.
        get_module_fields: FieldRows. get_available_modules: Rights. set_entries: ids.
        get_entry_list, get_relationships: Rows. set_relationship: whether it was done.
        """
        ...
