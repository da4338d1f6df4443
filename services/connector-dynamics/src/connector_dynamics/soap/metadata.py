"""What RetrieveEntity answers of an entity's columns, by the names of its elements."""

from collections.abc import Iterator

from connector_dynamics import columns
from connector_dynamics.soap.decoding import Element, child, text
from connector_dynamics.soap.names import TYPE
from connector_dynamics.wire import Attribute


def attributes(entity: Element) -> list[Attribute]:
    """All columns of an EntityMetadata."""
    found = child(entity, "Attributes")
    return [
        _attribute(element)
        for element in (found if found is not None else ())
        if not text(element, "AttributeOf")
    ]


def _attribute(element: Element) -> Attribute:
    several = element.get(TYPE, "").endswith(":MultiSelectPicklistAttributeMetadata")
    type_ = columns.type_of(text(element, "AttributeType"), several=several, format_=text(element, "Format"))
    length, targets = text(element, "MaxLength"), child(element, "Targets")
    return Attribute(
        name=text(element, "LogicalName"),
        label=_label(child(element, "DisplayName")) or text(element, "LogicalName"),
        type=type_,
        length=int(length) if length else None,
        required=text(child(element, "RequiredLevel"), "Value") in columns.REQUIRED,
        creatable=text(element, "IsValidForCreate") == "true",
        updatable=text(element, "IsValidForUpdate") == "true",
        custom=text(element, "IsCustomAttribute") == "true",
        options=dict(_options(child(element, "OptionSet"))) if type_ in columns.WITH_OPTIONS else None,
        states=dict(_states(child(element, "OptionSet"))),
        targets=tuple(held.text or "" for held in targets) if targets is not None else (),
    )


def _options(option_set: Element | None) -> Iterator[tuple[int, str]]:
    options = child(option_set, "Options") if option_set is not None else None
    for option in options if options is not None else ():
        if number := text(option, "Value"):
            yield int(number), _label(child(option, "Label"))


def _states(option_set: Element | None) -> Iterator[tuple[int, int]]:
    """Of a StatusOptionMetadata."""
    options = child(option_set, "Options") if option_set is not None else None
    for option in options if options is not None else ():
        number, state = text(option, "Value"), text(option, "State")
        if number and state:
            yield int(number), int(state)


def _label(label: Element | None) -> str:
    """As our own user sees it, else in whatever language there is one."""
    if label is None:
        return ""
    own = child(label, "UserLocalizedLabel")
    if own is None:
        others = child(label, "LocalizedLabels")
        own = others[0] if others is not None and len(others) else None
    return text(own, "Label")
