"""POST, PATCH, PUT and DELETE of records. Source: Microsoft's pages about conditional operations."""

import re
from typing import Any

from ..errors import CrmError
from ..record import Record
from ..schema import Entity
from .addresses import Key, reference_of
from .asks import Answer, Ask
from .filters import columns, no_property
from .payload import values_of
from .rendering import context, shown

_ETAG = re.compile(r'W/"(\d+)"')


def create(ask: Ask, entity: Entity) -> Answer:
    record = ask.records.create(entity.name, values_of(ask, entity, ask.json()))
    return _written(ask, entity, record, "create", 201)


def upsert(ask: Ask, entity: Entity, key: Key) -> Answer:
    """PATCH: If-Match allows no creation, If-None-Match nothing else."""
    values = values_of(ask, entity, ask.json())
    known = key.find(ask.records, entity)
    match = ask.headers.get("if-match")
    if known is None and match is not None:
        key.get(ask.records, entity)
    if known is None:
        if key.attribute:
            values = {key.attribute: key.value} | values
        record = ask.records.create(entity.name, values, key.id or None)
        return _written(ask, entity, record, "create", 201)
    if ask.headers.get("if-none-match") == "*":
        raise CrmError("DuplicateRecord")
    record = ask.records.update(entity.name, known.id, values, _version(match))
    return _written(ask, entity, record, "update", 200)


def delete(ask: Ask, entity: Entity, key: Key) -> Answer:
    record = key.get(ask.records, entity)
    ask.records.delete(entity.name, record.id, _version(ask.headers.get("if-match")))
    return Answer("delete", 204, rows=1)


def set_one(ask: Ask, entity: Entity, key: Key, name: str) -> Answer:
    """PUT or DELETE of one property, or of where a lookup points to (`/$ref`)."""
    record = key.get(ask.records, entity)
    found = entity.by_bind(name)
    given = ask.json() if ask.method == "PUT" else {}
    value: Any = given.get("value")
    attribute = found[0] if found else entity.attributes.get(name)
    if attribute is None:
        raise no_property(entity, name)
    if found and (where := given.get("@odata.id")):
        target, other = reference_of(ask.records, where)
        value = other.get(ask.records, target).reference
    ask.records.update(entity.name, record.id, {attribute.name: value})
    return Answer("update", 204, rows=1)


def entity_url(ask: Ask, entity: Entity, record: Record) -> str:
    return f"{ask.base}/{entity.set}({record.id})"


def _written(ask: Ask, entity: Entity, record: Record, operation: str, status: int) -> Answer:
    where = entity_url(ask, entity, record)
    headers = {"OData-EntityId": where}
    if operation == "create":
        headers["Location"] = where
    if not ask.represents:
        return Answer(operation, 204, headers=headers, rows=1)
    selected = columns(entity, ask.options.get("$select"))
    body = {"@odata.context": context(ask, entity, selected, "/$entity")}
    body |= shown(ask, entity, record, selected)
    headers["Preference-Applied"] = "return=representation"
    return Answer(operation, status, body, headers, rows=1)


def _version(match: str | None) -> int | None:
    """Raises BadRequest for an etag that is none."""
    if match is None or match == "*":
        return None
    found = _ETAG.fullmatch(match.strip())
    if found is None:
        raise CrmError("BadRequest", f"'{match}' is no valid etag.")
    return int(found[1])
