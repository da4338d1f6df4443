"""A body of JSON, read as values of a record."""

from collections.abc import Mapping
from typing import Any

from ..errors import CrmError
from ..record import Reference, Values
from ..schema import Attribute, Entity
from .addresses import reference_of
from .asks import Ask

_BIND = "@odata.bind"
_PARTIES: Mapping[int, str] = {1: "from", 2: "to"}
"""Lookups of parties by their participationtypemask."""


def values_of(ask: Ask, entity: Entity, given: Mapping[str, Any]) -> Values:
    """Raises BadPayload for names that the entity has not, in this case of letters."""
    values: Values = {}
    for name, value in given.items():
        if name.endswith(_BIND):
            attribute, reference = _bound(ask, entity, name.removesuffix(_BIND), value)
            values[attribute.name] = reference
        elif name == f"{entity.name}_activity_parties":
            values |= _parties(ask, value)
        elif "@" not in name:
            values[_plain(entity, name, value).name] = value
    return values


def _bound(ask: Ask, entity: Entity, navigation: str, value: Any) -> tuple[Attribute, Reference | None]:
    found = entity.by_bind(navigation)
    if found is None:
        raise CrmError(
            "BadPayload",
            f"An undeclared property '{navigation}' which only has property annotations in the payload but no"
            " property value was found in the payload. In OData, only declared navigation properties and"
            " declared named streams can be represented as properties without values.",
        )
    attribute, target = found
    if value is None:
        return attribute, None
    if not isinstance(value, str):
        raise CrmError("BadPayload", f"The value of '{navigation}{_BIND}' is no URI.")
    reference = _reference(ask, value)
    if reference.entity not in attribute.targets or target not in {"", reference.entity}:
        raise CrmError("BadPayload", f"'{navigation}' cannot refer to a '{reference.entity}'.")
    return attribute, reference


def _reference(ask: Ask, text: str) -> Reference:
    entity, key = reference_of(ask.records, ask.names.get(text.lstrip("/"), text))
    return key.get(ask.records, entity).reference if key.attribute else Reference(entity.name, key.id)


def _plain(entity: Entity, name: str, value: Any) -> Attribute:
    attribute = entity.attributes.get(name)
    if name.startswith("_"):
        raise CrmError(
            "BadPayload",
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties"
            " instead.",
        )
    if attribute is None or (attribute.is_lookup and value is not None):
        raise CrmError(
            "BadPayload",
            f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{entity.name}'. ---> Does"
            " not support untyped value in non-open type. (undeclared property)",
        )
    return attribute


def _parties(ask: Ask, given: Any) -> Values:
    """Parties of a phone call; each has one `partyid_x@odata.bind`."""
    found: dict[str, list[Reference]] = {}
    for party in given if isinstance(given, list) else ():
        binds = [
            value for name, value in party.items() if name.startswith("partyid_") and name.endswith(_BIND)
        ]
        role = _PARTIES.get(party.get("participationtypemask"))
        if role is None or len(binds) != 1:
            raise CrmError("BadPayload", "An activity party has a party and a participationtypemask.")
        found.setdefault(role, []).append(_reference(ask, binds[0]))
    return dict(found)
