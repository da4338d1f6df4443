"""What an organisation says about its entities: their attributes and options, and what its user may do."""

import time
from collections.abc import Mapping
from typing import Literal

from connector_dynamics.client import Organisation
from connector_dynamics.translation import CALL, CAMPAIGN, EMAIL, KINDS, MEETING, NOTE, TASK, USER
from connector_dynamics.values import LEAD_SOURCE, Shapes, option_of
from connector_dynamics.wire import Attribute, AttributeType, Option
from leadbus.connector.contract import FieldInfo, FieldType
from leadbus.errors import Rejected

_TYPES: Mapping[AttributeType, FieldType] = {
    **dict.fromkeys(("text", "memo"), "text"),
    **dict.fromkeys(("integer", "long", "decimal", "double", "money"), "number"),
    "boolean": "boolean",
    **dict.fromkeys(("date", "local_date"), "date"),
    "datetime": "datetime",
    **dict.fromkeys(("option", "state", "status"), "option"),
    "options": "options",
    "lookup": "reference",
}
_PRIVILEGES: Mapping[str, str] = {
    **dict.fromkeys((TASK, CALL, MEETING, EMAIL), "Activity"),
    NOTE: "Note",
    USER: "User",
}
"""What privileges call an entity, where it is not by its name: all activities share theirs."""
_BY_THE_SYSTEM = frozenset({"id", "state", "status"})
"""Types of attributes that every record has, whatever is written to it."""
_READ, _WRITE = ("Read",), ("Create", "Write")
_AGAIN_SECONDS = 30.0


class Metadata:
    """For one connection."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._asked: dict[str, float] = {}
        self._shapes: dict[str, tuple[list[Attribute], Shapes]] = {}

    async def describe(self, entity: str) -> list[FieldInfo]:
        """The fields as they are now."""
        return [_info(attribute) for attribute in await self._organisation.attributes(entity, fresh=True)]

    async def shapes(self, entity: str, *, fresh: bool = False) -> Shapes:
        """The attributes by name, as they were an hour ago at most; fresh: as they are now."""
        attributes = await self._organisation.attributes(entity, fresh=fresh)
        known, shapes = self._shapes.get(entity, (None, {}))
        if known is not attributes:
            shapes = {attribute.name: attribute for attribute in attributes}
            self._shapes[entity] = attributes, shapes
        return shapes

    async def asked_again(self, entity: str) -> bool:
        """Whether the attributes were asked for anew just now, as is done every 30 seconds at most."""
        if time.monotonic() - self._asked.get(entity, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return False
        self._asked[entity] = time.monotonic()
        await self._organisation.attributes(entity, fresh=True)
        return True

    async def lead_source(self, entity: str, label: str) -> Option:
        """The option of this label; one that was just added is found too.

        Raises:
            Rejected: there is none.
        """
        found = _source(await self.shapes(entity), label)
        if found is None and await self.asked_again(entity):
            found = _source(await self.shapes(entity), label)
        if found is None:
            raise Rejected(
                f"The field Lead Source of {entity} does not have the value of the connection's setting"
                " lead_source: add the option in Dynamics.",
                LEAD_SOURCE,
            )
        return found

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """What the user may do, by entity."""
        entities = (*KINDS, CAMPAIGN)
        wanted = {entity: (_names(entity, _READ), _names(entity, _WRITE)) for entity in entities}
        has = await self._organisation.privileges(
            {name for both in wanted.values() for names in both for name in names}
        )
        rights: dict[str, frozenset[Literal["read", "write"]]] = {}
        for entity, (reading, writing) in wanted.items():
            readable, writable = reading <= has, writing <= has
            rights[entity] = frozenset(
                ("read", "write") if readable and writable else ("read",) if readable else ()
            )
        return rights


def _names(entity: str, actions: tuple[str, ...]) -> frozenset[str]:
    """`prvReadLead`; documented per entity on the SDK's pages of privileges."""
    of = _PRIVILEGES.get(entity, entity.capitalize())
    return frozenset(f"prv{action}{of}" for action in actions)


def _source(shapes: Shapes, label: str) -> Option | None:
    shape = shapes.get(LEAD_SOURCE)
    return option_of(shape, label) if shape is not None else None


def _info(attribute: Attribute) -> FieldInfo:
    kind = _TYPES.get(attribute.type, "other")
    return FieldInfo(
        name=attribute.name,
        label=attribute.label or attribute.name,
        type=kind,
        length=attribute.length if kind == "text" else None,
        required=attribute.required and attribute.type not in _BY_THE_SYSTEM,
        writable=attribute.creatable and attribute.updatable,
        custom=attribute.custom,
        options=tuple((attribute.options or {}).values()) if kind in {"option", "options"} else None,
    )
