"""Values, rows and queries as the adapter knows them, whatever protocol they came by: no meaning yet.

Entities and attributes are named as the CRM names them in the singular and in lower case (`lead`,
`emailaddress1`): the same in SOAP, FetchXML and the Web API's metadata. Ids are GUIDs in lower case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reference:
    """A lookup's value; name: what people see, where it was read."""

    entity: str
    id: str
    name: str = ""


class Option(int):
    """An option's number, also that of a state or a status; SOAP writes it otherwise than a plain int."""


class Long(int):
    """A whole number of up to 64 bits; SOAP names its type."""


class Money(Decimal):
    """An amount; SOAP writes it otherwise than a plain decimal."""


class Double(Decimal):
    """A floating point number; SOAP names its type."""


Value = str | int | bool | Decimal | Reference | tuple[Reference, ...] | datetime | date | None
"""What an attribute holds. Read: times and dates are the CRM's texts (2026-01-31T08:00:00Z, 2026-01-31),
several options are their numbers joined by commas, options and amounts may come as plain int and Decimal.
Written: `Option`, `Long`, `Money`, `Double`, `datetime` (aware) and `date` where the attribute is such a one;
a tuple of references is a list of parties (`from` and `to` of a phone call)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as read. labels: what people see of options and lookups, by attribute.

    values: attributes without a value may be missing; those of a linked entity are called `alias.attribute`.
    version: for `Write.version`; None where the server tells none (before 8.0). deleted: then nothing else.
    """

    entity: str
    id: str
    values: Mapping[str, Value] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of rows. next: handed back for the next page, good after a restart too; None = the last one.

    at: the server's clock when it answered, aware. mark: of `Organisation.changes`, on the last page.
    """

    entries: tuple[Entry, ...]
    next: str | None
    at: datetime
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A row to create under this id, or to change. values: what stands there afterwards; None empties.

    ownerid may be among the values, and statecode with statuscode among those of a change, whatever the CRM's
    version; a row begins open. version: of the row when it was read; the change is refused (Conflict) if it
    has another one by now.
    """

    id: str
    values: Mapping[str, Value]
    version: str | None = None
    traceparent: bytes | None = None

    @property
    def refers(self) -> bool:
        """Whether it names another record."""
        return any(isinstance(value, Reference) for value in self.values.values())


# Queries: the part of FetchXML that we need, which all versions and both families understand -----------

Operator = Literal["eq", "ne", "in", "ge", "gt", "le", "lt", "null", "not-null", "like", "eq-userid"]
Compared = str | int | bool | Decimal | datetime | date


@dataclass(frozen=True, slots=True)
class Condition:
    """values: one, several for `in`, none for `null`; `like` has % and _ as in SQL."""

    attribute: str
    operator: Operator = "eq"
    values: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """All (`and`) or any (`or`) of these; none at all = every row."""

    conditions: tuple["Condition | Filter", ...] = ()
    type: Literal["and", "or"] = "and"


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of another entity whose `from_` is our `to`. outer: rows without such a one are kept."""

    entity: str
    from_: str
    to: str
    alias: str
    attributes: tuple[str, ...] = ()
    where: Filter = Filter()
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """order: attributes, ascending; the entity's id is always the last of them. size: rows a page."""

    entity: str
    attributes: tuple[str, ...]
    where: Filter = Filter()
    order: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    size: int = 1_000


# What the CRM says of itself --------------------------------------------------------------------------

AttributeType = Literal[
    "text",
    "memo",
    "integer",
    "long",
    "decimal",
    "double",
    "money",
    "boolean",
    "date",
    "local_date",
    "datetime",
    "option",
    "options",
    "state",
    "status",
    "lookup",
    "id",
    "parties",
    "other",
]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column. length: characters. options: labels by number, as the CRM's user sees them.

    states: of a status column, the state that each option goes with.

    local_date: a date that follows the user's zone, which the Web API has as a time (documentation, behavior
    and format of date and time columns).
    targets: entities that a lookup may name. creatable, updatable: whether it may be written.
    """

    name: str
    label: str
    type: AttributeType
    length: int | None = None
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    custom: bool = False
    options: Mapping[int, str] | None = None
    states: Mapping[int, int] = field(default_factory=dict)
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Info:
    """What an organisation says of itself, and of the user in whose name we call.

    product: as in `products`. version: 8.2.1.176. protocol: a sentence on what is spoken, and why.
    online: Microsoft runs it. at: the server's clock.
    """

    product: str
    version: str
    protocol: str
    online: bool
    organisation: str
    user_id: str
    user_name: str
    at: datetime
