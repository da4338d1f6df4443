"""Which of all an address means."""

from collections.abc import Callable, Mapping

from ..errors import CrmError
from ..schema import Entity
from . import actions, changes, definitions, reading, writing
from .addresses import ACTION, Key, Segment, entity_of, key_of, segments
from .asks import Answer, Ask
from .csdl import metadata


def answer(ask: Ask) -> Answer:
    """Raises CrmError; then nothing has been changed."""
    with ask.site.store.transaction():
        return _answer(ask)


def _answer(ask: Ask) -> Answer:
    path = segments(ask.path)
    first = path[0]
    if first.name == "$metadata":
        return Answer("metadata", body=metadata(ask.site), headers={"Content-Type": "application/xml"})
    if first.name in definitions.ROOTS:
        return definitions.answer(ask, path)
    if first.name in actions.UNBOUND:
        method, act = actions.UNBOUND[first.name]
        _only(ask, method)
        return act(ask)
    if first.name == "RetrieveTotalRecordCount" and first.key is not None:
        return actions.total_record_count(ask, first.key)
    entity = entity_of(ask.records, first)
    if first.key is None:
        return _on_set(ask, entity, path[1:])
    return _on_record(ask, entity, first.key, path[1:])


def _on_set(ask: Ask, entity: Entity, rest: list[Segment]) -> Answer:
    if not rest:
        _only(ask, "GET", "POST")
        if ask.method == "POST":
            return writing.create(ask, entity)
        return changes.changed(ask, entity) if changes.wanted(ask) else reading.many(ask, entity)
    name = rest[0].name
    if name == "$count":
        return changes.count(ask, entity) if changes.wanted(ask) else reading.count(ask, entity)
    action = actions.MULTIPLE.get(name.removeprefix(ACTION))
    if action is None or not name.startswith(ACTION) or not ask.site.settings.online:
        raise CrmError("ResourceNotFound", name)
    _only(ask, "POST")
    return action(ask, entity)


def _on_record(ask: Ask, entity: Entity, text: str, rest: list[Segment]) -> Answer:
    key = key_of(entity, text)
    if not rest:
        _only(ask, *_ON_RECORDS)
        return _ON_RECORDS[ask.method](ask, entity, key)
    name = rest[0].name
    if name.startswith(ACTION):
        which = (entity.name, name.removeprefix(ACTION))
        action = actions.BOUND.get(which) or actions.FUNCTIONS.get(which)
        if action is None:
            raise CrmError("ResourceNotFound", name)
        _only(ask, "GET" if which in actions.FUNCTIONS else "POST")
        return action(ask, key.get(ask.records, entity).id)
    if ask.method in {"PUT", "DELETE"}:
        return writing.set_one(ask, entity, key, name)
    _only(ask, "GET")
    record = key.get(ask.records, entity)
    if name in entity.attributes and not entity.attributes[name].is_lookup:
        return reading.value(ask, entity, record, name)
    return reading.navigated(ask, entity, record, name, counted=rest[-1].name == "$count")


def _read(ask: Ask, entity: Entity, key: Key) -> Answer:
    return reading.one(ask, entity, key.get(ask.records, entity))


_ON_RECORDS: Mapping[str, Callable[[Ask, Entity, Key], Answer]] = {
    "GET": _read,
    "PATCH": writing.upsert,
    "DELETE": writing.delete,
}


def _only(ask: Ask, *methods: str) -> None:
    if ask.method not in methods:
        raise CrmError("MethodNotAllowed", ask.method)
