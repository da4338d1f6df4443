"""Modules and their fields, as an organisation has them: the words for them, not what there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

JSON_TYPES: Mapping[str, str] = {
    "boolean": "boolean",
    "integer": "integer",
    "bigint": "string",
    "currency": "double",
    "double": "double",
    "percent": "double",
    "lookup": "jsonobject",
    "ownerlookup": "jsonobject",
    "multiselectpicklist": "jsonarray",
    "text_tags": "jsonarray",
}
"""json_type of a data_type, where it is not `string`. Source: the official SDK's parsing."""

LENGTHS: Mapping[str, int] = {
    "boolean": 5,
    "currency": 16,
    "date": 20,
    "double": 16,
    "email": 100,
    "integer": 9,
    "bigint": 18,
    "percent": 5,
    "phone": 30,
    "text": 255,
    "textarea": 32_000,
    "website": 450,
}
"""Usual lengths of a data_type, else 120."""


@dataclass(frozen=True, slots=True)
class Field:
    """type: Zoho's data_type. options: of a pick list. to: the module a lookup points to."""

    name: str
    type: str = "text"
    length: int = 255
    label: str = ""
    required: bool = False
    read_only: bool = False
    custom: bool = False
    unique: bool = False
    options: tuple[str, ...] = ()
    to: str = ""
    id: str = ""

    @property
    def json_type(self) -> str:
        return JSON_TYPES.get(self.type, "string")

    @property
    def is_lookup(self) -> bool:
        return self.type in {"lookup", "ownerlookup"}


@dataclass(slots=True)
class Module:
    """title: the field that names a record. unique_by: the system's duplicate check field, or empty."""

    name: str
    singular: str
    title: str
    unique_by: str = ""
    fields: dict[str, Field] = field(default_factory=dict)
    id: str = ""

    def put(self, described: Field) -> None:
        """Adds the field, or takes it in place of the one with its name."""
        self.fields[described.name] = described

    @property
    def checked_for_duplicates(self) -> list[str]:
        """Fields that no two records may share."""
        return [found.name for found in self.fields.values() if found.unique]


def make(
    name: str,
    type_: str = "text",
    length: int | None = None,
    *,
    options: str = "",
    to: str = "",
    required: bool = False,
    read_only: bool = False,
    custom: bool = False,
) -> Field:
    """options: separated by `|`, without -None-, which every pick list has."""
    return Field(
        name,
        type_,
        LENGTHS.get(type_, 120) if length is None else length,
        name.removesuffix("__s").replace("_", " "),
        required,
        read_only,
        custom,
        options=("-None-", *options.split("|")) if options else (),
        to=to,
    )


def with_option(described: Field, option: str, *, there: bool) -> Field:
    """The field with the option at its end, or without it."""
    others = tuple(known for known in described.options if known != option)
    return replace(described, options=(*others, option) if there else others)
