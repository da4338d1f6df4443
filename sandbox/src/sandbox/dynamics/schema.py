"""Entities and their attributes, as an organisation has them: the words for them, not what there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AttributeType = Literal[
    "string",
    "memo",
    "integer",
    "bigint",
    "decimal",
    "double",
    "money",
    "boolean",
    "datetime",
    "date",
    "picklist",
    "state",
    "status",
    "lookup",
    "customer",
    "owner",
    "uniqueidentifier",
    "partylist",
]

LOOKUPS: frozenset[AttributeType] = frozenset({"lookup", "customer", "owner"})
OPTION_SETS: frozenset[AttributeType] = frozenset({"picklist", "state", "status"})
TEXTS: frozenset[AttributeType] = frozenset({"string", "memo"})

ACTIVITIES = ("task", "phonecall", "appointment", "email", "campaignresponse")
"""What `activitypointer` is a view of."""


@dataclass(frozen=True, slots=True)
class Option:
    """state: of a status, the only state it may go with."""

    value: int
    label: str
    state: int | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """length: of texts. binds: of lookups, the navigation name by the entity it may point to; the case of its
    letters counts. to: entities that a lookup without navigation points to."""

    name: str
    type: AttributeType = "string"
    length: int | None = None
    label: str = ""
    options: tuple[Option, ...] = ()
    binds: Mapping[str, str] = field(default_factory=dict)
    to: tuple[str, ...] = ()
    read_only: bool = False
    required: bool = False
    custom: bool = False

    @property
    def is_lookup(self) -> bool:
        return self.type in LOOKUPS

    @property
    def targets(self) -> tuple[str, ...]:
        """Entities that a lookup may point to."""
        return self.to or tuple(self.binds)

    @property
    def column(self) -> str:
        """What the Web API calls it when it is read."""
        return f"_{self.name}_value" if self.is_lookup else self.name

    def option(self, value: object) -> Option | None:
        return next((option for option in self.options if option.value == value), None)


@dataclass(slots=True)
class Entity:
    """set: as addresses of the Web API have it. code: its object type code. id, title: attributes.

    collections: navigation names of lists of other records, with their entity. keys: attributes that are
    alternate keys. tracked: change tracking is enabled.
    """

    name: str
    set: str
    code: int
    id: str
    title: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    collections: dict[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    tracked: bool = True

    @property
    def schema_name(self) -> str:
        """`Lead`, as messages and metadata have it."""
        return self.name.capitalize()

    @property
    def members(self) -> tuple[str, ...]:
        """Entities whose records it shows: itself, or all activities."""
        return ACTIVITIES if self.name == "activitypointer" else (self.name,)

    def by_bind(self, navigation: str) -> tuple[Attribute, str] | None:
        """The lookup that has the navigation name, and the entity it then points to ("" = any of it)."""
        for attribute in self.attributes.values():
            targets = [target for target, name in attribute.binds.items() if name == navigation]
            if targets:
                return attribute, targets[0] if len(targets) == 1 else ""
        return None
