"""Addresses of the Web API: `leads(key)/Lead_Tasks/$count`, taken apart."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ..duplicates import by_key
from ..errors import CrmError
from ..record import Record
from ..records import Records
from ..schema import Entity
from ..values import guid
from .literals import Unreadable, read

_SEGMENT = re.compile(r"^([$\w.]+)(?:\((.*)\))?$", re.DOTALL)
_PLACES = re.compile(r"/(?=(?:[^']*'[^']*')*[^']*$)")
_NO_KEY = frozenset("/<>*%&:\\?+")
"""Of what no alternate key in an address may be made. Source: Microsoft's page about alternate keys."""
ACTION = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True, slots=True)
class Segment:
    """key: what stands in parentheses; None without any."""

    name: str
    key: str | None = None


def segments(path: str) -> list[Segment]:
    """Raises ResourceNotFound."""
    found = []
    for part in _PLACES.split(unquote(path).strip("/")):
        match = _SEGMENT.match(part)
        if match is None:
            raise CrmError("ResourceNotFound", part)
        found.append(Segment(match[1], match[2]))
    return found


def entity_of(records: Records, segment: Segment) -> Entity:
    """By the name of its set, whose case counts. Raises ResourceNotFound."""
    for entity in records.site.store.entities.values():
        if entity.set == segment.name:
            return entity
    raise CrmError("ResourceNotFound", segment.name)


@dataclass(frozen=True, slots=True)
class Key:
    """Either the id, or the alternate key's attribute and value."""

    id: str = ""
    attribute: str = ""
    value: object = None

    def find(self, records: Records, entity: Entity) -> Record | None:
        """Unchecked."""
        if self.id:
            return records.site.store.get(entity.name, self.id)
        return by_key(records.site, entity, self.attribute, self.value)

    def get(self, records: Records, entity: Entity) -> Record:
        """Raises CrmError."""
        if self.id:
            return records.get(entity.name, self.id)
        found = self.find(records, entity)
        if found is None:
            raise CrmError("RecordDoesNotExist", entity.name)
        return records.get(entity.name, found.id)


def key_of(entity: Entity, text: str) -> Key:
    """Raises InvalidEntityKey."""
    name, equals, value = text.partition("=")
    if not equals:
        name, value = entity.id, text
    name = name.strip()
    if name == entity.id:
        key = guid(value.strip())
        if key is None:
            raise CrmError("InvalidEntityKey", entity.name)
        return Key(key)
    if name not in entity.keys:
        raise CrmError("InvalidEntityKey", entity.name)
    try:
        given = read(value.strip()).value
    except Unreadable:
        raise CrmError("InvalidEntityKey", entity.name) from None
    if _NO_KEY.intersection(str(given)):
        raise CrmError("InvalidEntityKey", entity.name)
    return Key("", name, given)


def reference_of(records: Records, text: str) -> tuple[Entity, Key]:
    """Of `/contacts(key)`, with or without the slash, or as a whole URL. Raises CrmError."""
    path = re.sub(r"^https?://.*?/api/data/v[\d.]+/", "", text)
    last = segments(path)[-1]
    entity = entity_of(records, last)
    if last.key is None:
        raise CrmError("BadRequest", f"The URI '{text}' is no entity reference.")
    return entity, key_of(entity, last.key)
