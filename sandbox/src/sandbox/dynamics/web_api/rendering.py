"""Records as the Web API answers them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..query import Match
from ..record import Record, Reference
from ..schema import OPTION_SETS, Attribute, AttributeType, Entity
from ..store import Store
from ..values import show
from .asks import Ask

_FORMATTED = "OData.Community.Display.V1.FormattedValue"
_TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
_NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_UNSHOWN = frozenset({"partylist"})


def context(ask: Ask, entity: Entity, columns: Iterable[str] | None, tail: str = "") -> str:
    """`@odata.context` of records."""
    shown = ",".join(entity.attributes[name].column for name in columns or ())
    return f"{ask.base}/$metadata#{entity.set}{f'({shown})' if shown else ''}{tail}"


def shown(ask: Ask, entity: Entity, record: Record, columns: Iterable[str] | None) -> dict[str, Any]:
    """One record; its id is always there. columns: None = all."""
    names = list(entity.attributes if columns is None else dict.fromkeys([*columns, entity.id]))
    row: dict[str, Any] = {"@odata.etag": record.etag}
    for name in names:
        attribute = entity.attributes[name]
        if attribute.type in _UNSHOWN:
            continue
        value = show(entity, record, name)
        row |= _annotations(ask, attribute, value)
        row[attribute.column] = value.id if isinstance(value, Reference) else value
    return row


def shown_match(
    ask: Ask, match: Match, columns: Iterable[str] | None, linked: Mapping[str, tuple[str, ...] | None]
) -> dict[str, Any]:
    """A row of a fetch: columns of linked records are called `alias.column`."""
    entities = ask.site.store.entities
    entity = entities[match.record.entity]
    row = shown(
        ask,
        entity,
        match.record,
        [name for name in columns or entity.attributes if name in entity.attributes],
    )
    for alias, names in linked.items():
        if (record := match.linked.get(alias)) is not None:
            other = entities[record.entity]
            for name in other.attributes if names is None else names:
                value = show(other, record, name)
                if value is not None:
                    row[f"{alias}.{name}"] = value.id if isinstance(value, Reference) else value
    return row


def formatted(store: Store, attribute: Attribute, value: Any) -> str | None:
    """As people read it; None where that is nothing else than the value."""
    if isinstance(value, Reference):
        return store.title(value)
    if attribute.type in OPTION_SETS:
        option = attribute.option(value)
        return option.label if option else None
    show_it = _FORMATS.get(attribute.type)
    return show_it(value) if show_it and value is not None else None


_FORMATS: Mapping[AttributeType, Callable[[Any], str]] = {
    "boolean": lambda value: "Yes" if value else "No",
    "money": lambda value: f"\u20ac{value:,.2f}",
    "datetime": lambda value: f"{int(value[5:7])}/{int(value[8:10])}/{value[:4]} {value[11:16]}",
    "integer": lambda value: f"{value:,}",
}


def _annotations(ask: Ask, attribute: Attribute, value: Any) -> dict[str, Any]:
    if value is None or "odata.include-annotations" not in ask.preferences:
        return {}
    about: dict[str, Any] = {}
    if ask.annotated(_FORMATTED):
        about[_FORMATTED] = formatted(ask.site.store, attribute, value)
    if isinstance(value, Reference):
        if ask.annotated(_NAVIGATION):
            about[_NAVIGATION] = attribute.binds.get(value.entity)
        if ask.annotated(_TARGET):
            about[_TARGET] = value.entity
    return {f"{attribute.column}@{name}": said for name, said in about.items() if said is not None}
