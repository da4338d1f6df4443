"""What a module is: its table, its fields and its links, read once from the catalogue's text."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from . import catalogue

Source = Literal["db", "custom", "computed"]

# Field type -> SQLite column. NOCASE stands for MySQL's utf8_general_ci.
_COLUMNS = {"bool": "INTEGER", "int": "INTEGER", "currency": "REAL", "double": "REAL"}
_TEXT_COLUMN = "TEXT COLLATE NOCASE"
_GROUPS = {
    "date_entered": "created_by_name",
    "created_by": "created_by_name",
    "date_modified": "modified_by_name",
    "modified_user_id": "modified_by_name",
    "assigned_user_id": "assigned_user_name",
    "email1": "email1",
    "email2": "email2",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as get_module_fields describes it; `length` counts characters, None = unlimited."""

    name: str
    type: str
    label: str
    length: int | None = None
    source: Source = "db"
    required: bool = False
    default: str | None = None
    options: str | None = None
    modern: bool = False
    cased: bool = False

    @property
    def group(self) -> str:
        return _GROUPS.get(self.name, "")

    @property
    def column(self) -> str:
        return f"{self.name} {'TEXT' if self.cased else _COLUMNS.get(self.type, _TEXT_COLUMN)}"


@dataclass(frozen=True, slots=True)
class Link:
    """How records of a module find their related ones.

    `table` holds both ids (`own`, `other`): a join table, or the table of the child or the parent itself.
    """

    module: str
    table: str
    own: str
    other: str
    fixed: tuple[tuple[str, str], ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Module:
    """`fields` are what every protocol shows; `modern` are those of modern REST alone."""

    name: str
    label: str
    table: str
    fields: Mapping[str, Field]
    links: Mapping[str, Link]
    modern: Mapping[str, Field]

    # Kept, since every row that is read or written asks for them.
    @cached_property
    def all_fields(self) -> Mapping[str, Field]:
        return {**self.fields, **self.modern}

    @cached_property
    def _by_source(self) -> Mapping[Source, list[Field]]:
        found: dict[Source, list[Field]] = {"db": [], "custom": [], "computed": []}
        for field in self.all_fields.values():
            found[field.source].append(field)
        return found

    def columns(self, source: Source) -> list[Field]:
        return self._by_source[source]

    @property
    def custom_table(self) -> str | None:
        return f"{self.table}_cstm" if self.columns("custom") else None


def _field(line: str) -> tuple[Field, bool]:
    """`name | type(length) | label | flag, key=value, ...`; True = only where there are teams."""
    name, kind, label, *rest = (cell.strip() for cell in line.split("|"))
    kind, _, length = kind.rstrip(")").partition("(")
    flags: dict[str, str] = {}
    for flag in filter(None, (part.strip() for part in "".join(rest).split(","))):
        key, _, value = flag.partition("=")
        flags[key] = value
    source: Source = "custom" if "custom" in flags else "computed" if "computed" in flags else "db"
    field = Field(
        name,
        kind,
        label,
        length=int(length) if length else None,
        source=source,
        required="required" in flags,
        default=flags.get("default"),
        options="checkbox_dom" if kind == "bool" else flags.get("options"),
        modern="modern" in flags,
        cased="cased" in flags,
    )
    return field, "teams" in flags


def _link(line: str) -> tuple[str, Link]:
    """`link | module | table(own, other) | column=constant, +extra column`"""
    name, module, where, *rest = (cell.strip() for cell in line.split("|"))
    table, _, ids = where.rstrip(")").partition("(")
    own, other = (part.strip() for part in ids.split(","))
    flags = [flag.strip() for flag in "".join(rest).split(",") if flag.strip()]
    fixed = tuple((key, value) for key, _, value in (flag.partition("=") for flag in flags) if value)
    extra = tuple(flag[1:] for flag in flags if flag.startswith("+"))
    return name, Link(module, table, own, other, fixed, extra)


def _lines(block: str) -> list[str]:
    return [line for line in block.strip().splitlines() if line.strip()]


def _module(name: str, label: str, table: str, fields: str, links: str, *, teams: bool) -> Module:
    parsed = [field for field, of_teams in map(_field, _lines(fields)) if teams or not of_teams]
    found = dict(_link(line) for line in _lines(links))
    return Module(
        name,
        label,
        table,
        {field.name: field for field in parsed if not field.modern},
        {name: link for name, link in found.items() if teams or link.module != "Teams"},
        {field.name: field for field in parsed if field.modern},
    )


@cache
def edition(*, teams: bool, modern: bool) -> Mapping[str, Module]:
    """The modules of a site by name: with or without teams, and with what came with modern REST."""
    absent = ({"Teams"} if not teams else set()) | ({"WebLogicHooks"} if not modern else set())
    return {row[0]: _module(*row, teams=teams) for row in catalogue.MODULES if row[0] not in absent}


# Tables that hold nothing but pairs of ids, with their columns besides id, date_modified and deleted.
JOIN_TABLES: Mapping[str, tuple[str, ...]] = catalogue.JOIN_TABLES
