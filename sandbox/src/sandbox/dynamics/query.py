"""What is searched for, whoever asks in whatever language: OData, FetchXML or a QueryExpression.

`search` answers it. Pages follow by key, as Dynamics' paging cookies do: when a record changes its place
while somebody reads on, no other is passed over.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .record import Record

Operator = Literal[
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "not-like",
    "in",
    "not-in",
    "null",
    "not-null",
]


@dataclass(frozen=True, slots=True)
class Condition:
    """values: as a record has them, see `record`; of lookups the id. `like`: with % and _ .

    link: the alias of a linked entity, "" = the searched one. other: an attribute to compare with, instead of
    a value.
    """

    attribute: str
    operator: Operator
    values: tuple[Any, ...] = ()
    link: str = ""
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """An empty one lets all pass."""

    kind: Literal["and", "or"] = "and"
    parts: "tuple[Condition | Filter, ...]" = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    attribute: str
    descending: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Joined records of another entity: those whose `from_` is the `to` of the entity outside.

    columns: None = all. outer: the ones outside stay if there is none. parent: the alias of the link outside,
    "" = the searched entity.
    """

    entity: str
    from_: str
    to: str
    alias: str
    outer: bool = False
    columns: tuple[str, ...] | None = ()
    filter: Filter = Filter()
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """columns: None = all. top: at most as many in all. size: of a page.

    after: values of the orders and the id of the last record before the page, see `Found.after`. page: its
    number, which places it if there is no `after`. counted: whether the total is wanted. distinct: a
    record comes once, however many are joined to it.
    """

    entity: str
    columns: tuple[str, ...] | None = None
    filter: Filter = Filter()
    orders: tuple[Order, ...] = ()
    links: tuple[Link, ...] = ()
    top: int | None = None
    size: int = 5000
    page: int = 1
    after: tuple[Any, ...] | None = None
    counted: bool = False
    distinct: bool = False


@dataclass(slots=True)
class Match:
    """linked: records by alias; None where an outer link found none."""

    record: Record
    linked: dict[str, Record | None] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """more: there is a page after this one, which begins `after`; first: the same of the page's first record.

    total: None unless it was wanted.
    """

    matches: list[Match]
    more: bool = False
    first: tuple[Any, ...] | None = None
    after: tuple[Any, ...] | None = None
    total: int | None = None


Part: TypeAlias = Condition | Filter
