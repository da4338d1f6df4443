"""Rows of the Web API into entries, and what is to be written into its JSON; no calls.

Lookups are read as `_name_value` with annotations beside it, and written by the name of their navigation
property, in its own upper and lower case (Microsoft's documentation: associate entities; contract notes).
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connector_dynamics.entities import ENTITIES
from connector_dynamics.wire import Entry, Reference, Value
from leadbus.errors import Rejected

PARTIES: Mapping[str, int] = {"from": 1, "to": 2, "cc": 3, "bcc": 4, "requiredattendees": 5}
"""participationtypemask by the attribute that holds such parties."""
Navigation = Mapping[tuple[str, str], str]
"""Navigation properties by attribute and entity that it leads to."""

_LOOKUP = re.compile(r"_(\w+)_value")
_LABEL = "OData.Community.Display.V1.FormattedValue"
_TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
_OWNERS = frozenset({"systemuser", "team"})


def entry(entity: str, row: Mapping[str, Any]) -> Entry:
    """A row, also one of a delta that only says that it was deleted."""
    if "reason" in row:
        return Entry(entity, str(row["id"]).lower(), deleted=True)
    notes: dict[str, dict[str, str]] = {}
    for name, note in row.items():
        column, at, kind = name.partition("@")
        if at and column and isinstance(note, str):
            notes.setdefault(column, {})[kind] = note
    values: dict[str, Value] = {}
    labels: dict[str, str] = {}
    for column, value in row.items():
        if "@" in column or isinstance(value, dict | list):
            continue
        known = notes.get(column, {})
        lookup = _LOOKUP.fullmatch(column)
        name = lookup[1] if lookup else column.replace("_x002e_", ".")
        if _LABEL in known:
            labels[name] = known[_LABEL]
        if value is not None and (lookup or _TARGET in known):
            values[name] = Reference(known.get(_TARGET, ""), str(value).lower(), known.get(_LABEL, ""))
        else:
            values[name] = value
    return Entry(
        entity, str(row.get(ENTITIES[entity].id, "")).lower(), values, labels, row.get("@odata.etag")
    )


def body(entity: str, values: Mapping[str, Value], navigation: Navigation) -> dict[str, Any]:
    """The JSON that writes these values. Raises Rejected for a lookup that the entity does not have."""
    # Of a lookup to several entities any one empties it (assumed).
    lookups = {name: to for (name, _), to in navigation.items()}
    found: dict[str, Any] = {}
    parties: list[dict[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, tuple):
            parties += [_party(name, reference) for reference in value]
        elif isinstance(value, Reference):
            bound = _property(name, value, navigation)
            found[f"{bound}@odata.bind"] = path(value.entity, value.id)
        elif value is None and name in lookups:
            found[f"{lookups[name]}@odata.bind"] = None
        else:
            found[name] = _plain(value)
    if parties:
        found[f"{entity}_activity_parties"] = parties
    return found


def path(entity: str, id_: str) -> str:
    """Of a record, as other records name it."""
    return f"/{ENTITIES[entity].set}({id_})"


def _party(name: str, reference: Reference) -> dict[str, Any]:
    return {
        f"partyid_{reference.entity}@odata.bind": path(reference.entity, reference.id),
        "participationtypemask": PARTIES[name],
    }


def _property(name: str, value: Reference, navigation: Navigation) -> str:
    found = navigation.get((name, value.entity))
    if found is None and value.entity in _OWNERS:
        found = navigation.get((name, "owner"))
    if found is None:
        raise Rejected(f"The CRM does not take a {value.entity} in {name}.", name)
    if value.entity not in ENTITIES:
        raise Rejected(
            f"Leadbus does not write references to records of {value.entity}: take {name} out of the field"
            " mapping.",
            name,
        )
    return found


def _plain(value: Value) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value
