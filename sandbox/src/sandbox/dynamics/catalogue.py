"""What a fresh organisation has: entities and attributes of Dynamics 365 Sales. Source: `catalogue.json`."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

from .schema import Attribute, Entity, Option

LEAD_SOURCE = "Leadbus"
"""A lead source that the organisation's administrator has added; its value is `LEAD_SOURCE_VALUE`."""
LEAD_SOURCE_VALUE = 100_000_000

_UNTRACKED = frozenset({"activityparty", "activitypointer", "listmember", "organization"})


def entities() -> dict[str, Entity]:
    """New ones, by logical name; what of them never changes is shared."""
    return {
        name: replace(entity, attributes=dict(entity.attributes))
        for name, entity in _of_a_fresh_one().items()
    }


@cache
def _of_a_fresh_one() -> Mapping[str, Entity]:
    described = json.loads(files(__package__).joinpath("catalogue.json").read_text("utf-8"))["entities"]
    made = {name: _entity(name, facts) for name, facts in described.items()}
    made["lead"].attributes["leadsourcecode"] = _with_lead_source(made["lead"].attributes["leadsourcecode"])
    return made


def _with_lead_source(attribute: Attribute) -> Attribute:
    return replace(attribute, options=(*attribute.options, Option(LEAD_SOURCE_VALUE, LEAD_SOURCE)))


def _entity(name: str, facts: dict[str, Any]) -> Entity:
    attributes = {key: _attribute(key, about) for key, about in facts["attributes"].items()}
    return Entity(
        name,
        facts["set"],
        facts["code"],
        facts["id"],
        facts["name"],
        attributes,
        facts["collections"],
        tracked=name not in _UNTRACKED,
    )


def _attribute(name: str, about: dict[str, Any]) -> Attribute:
    return Attribute(
        name,
        about["type"],
        about.get("length"),
        name.capitalize(),
        tuple(Option(*option) for option in about.get("options", ())),
        about.get("binds", {}),
        tuple(about.get("to", ())),
        read_only=about.get("read_only", False),
        required=about.get("required", False),
    )
