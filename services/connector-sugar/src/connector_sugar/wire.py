"""Rows of a SugarCRM site as both families of protocol bring them, and changes as both write them.

Names of modules and fields are the same in both. Field values are in the kit's form (see
`leadbus.connector.contract`); emails are not among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Email:
    """An address of a record. opted_out: None where the site does not tell."""

    address: str
    primary: bool = False
    opted_out: bool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a module. linked: ids (and few fields) of related rows by link, where asked for."""

    id: str
    values: Mapping[str, str]
    emails: tuple[Email, ...] = ()
    deleted: bool = False
    modified_at: datetime | None = None
    linked: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What to write to one row. id: ours for a new one. values: in the kit's form.

    email: the (new) primary address; opted_out: of that address (of the present one if email is None).
    links: rows to relate it to, by link name. teams: ids of the teams it belongs to, its primary one first.
    """

    id: str
    values: Mapping[str, str]
    email: str | None = None
    opted_out: bool | None = None
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    teams: Sequence[str] = ()
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """Two rows to be related, or parted (on=False), by a link of the first one. other: the other's id."""

    module: str
    id: str
    link: str
    other: str
    on: bool = True
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class SiteInfo:
    """What answers. now: its clock. choice: a sentence that says which protocol was chosen, and why."""

    flavor: str
    version: str
    now: datetime
    choice: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. total: of all, where the site counts. more: whether rows follow."""

    entries: Sequence[Entry]
    more: bool
    total: int | None = None
