"""What the Web API says of an entity: its columns, their options, and names of navigation properties.

Sources: Microsoft's documentation, EntityDefinitions and the types derived from AttributeMetadata; what a
type alone has is asked by a cast to it, all in one batch. `$metadata`, of several megabytes, is not read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from connector_dynamics import columns, faults
from connector_dynamics.web_api.batch import Part
from connector_dynamics.web_api.client import Api, part_headers
from connector_dynamics.web_api.values import Navigation
from connector_dynamics.wire import Attribute
from leadbus.errors import Gone, Unsupported

_SEVERAL = "MultiSelectPicklistType"
_COLUMNS = (
    "LogicalName,AttributeType,AttributeTypeName,AttributeOf,DisplayName,RequiredLevel,IsValidForRead,"
    "IsValidForCreate,IsValidForUpdate,IsCustomAttribute"
)
_CASTS: Mapping[str, str] = {
    "StringAttributeMetadata": "$select=LogicalName,MaxLength",
    "MemoAttributeMetadata": "$select=LogicalName,MaxLength",
    "DateTimeAttributeMetadata": "$select=LogicalName,Format,DateTimeBehavior",
    "LookupAttributeMetadata": "$select=LogicalName,Targets",
    **dict.fromkeys(
        ("PicklistAttributeMetadata", "MultiSelectPicklistAttributeMetadata"),
        "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)",
    ),
    **dict.fromkeys(
        ("StateAttributeMetadata", "StatusAttributeMetadata"),
        "$select=LogicalName&$expand=OptionSet($select=Options)",
    ),
}
_FROM_9 = frozenset({"MultiSelectPicklistAttributeMetadata"})
"""Types that older servers do not know."""


async def attributes(api: Api, entity: str, *, before_9: bool) -> list[Attribute]:
    """All columns of an entity that can be read or written. Raises as `Api.batch`, Unsupported."""
    root = api.url(f"EntityDefinitions(LogicalName='{entity}')/Attributes")
    casts = {name: query for name, query in _CASTS.items() if not (before_9 and name in _FROM_9)}
    urls = [f"{root}?$select={_COLUMNS}"]
    urls += [f"{root}/Microsoft.Dynamics.CRM.{name}?{query}" for name, query in casts.items()]
    answers, _ = await api.batch("GET metadata", [Part("GET", url, part_headers({})) for url in urls])
    try:
        rows, *more = (api.value_of(answer, writing=False)["value"] for answer in answers)
    except Gone:
        raise Unsupported(faults.CODES[0x80041102].sentence) from None
    special: dict[str, dict[str, Any]] = {}
    for some in more:
        for row in some:
            special.setdefault(row["LogicalName"], {}).update(row)
    return [
        _attribute({**special.get(row["LogicalName"], {}), **row})
        for row in rows
        if not row.get("AttributeOf")
    ]


async def navigation(api: Api, entity: str) -> Navigation:
    """How each lookup of the entity is written. Raises as `Api.get`."""
    names = "ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
    path = f"EntityDefinitions(LogicalName='{entity}')/ManyToOneRelationships?$select={names}"
    answer, _ = await api.get("GET metadata", path)
    return {
        (row["ReferencingAttribute"], row["ReferencedEntity"]): row["ReferencingEntityNavigationPropertyName"]
        for row in answer["value"]
    }


async def tracks(api: Api, entity: str) -> bool:
    """Whether the administrator has change tracking on for the entity."""
    path = f"EntityDefinitions(LogicalName='{entity}')?$select=LogicalName,ChangeTrackingEnabled"
    answer, _ = await api.get("GET metadata", path)
    return bool(answer.get("ChangeTrackingEnabled"))


def _attribute(row: Mapping[str, Any]) -> Attribute:
    several = _in(row, "AttributeTypeName", "Value") == _SEVERAL
    behaviour = _in(row, "DateTimeBehavior", "Value")
    type_ = columns.type_of(
        row["AttributeType"], several=several, format_=row.get("Format"), behaviour=behaviour
    )
    sets = [row[name] for name in ("OptionSet", "GlobalOptionSet") if row.get(name)]
    return Attribute(
        name=row["LogicalName"],
        label=_label(row.get("DisplayName")) or row["LogicalName"],
        type=type_,
        length=row.get("MaxLength"),
        required=_in(row, "RequiredLevel", "Value") in columns.REQUIRED,
        creatable=bool(row.get("IsValidForCreate")),
        updatable=bool(row.get("IsValidForUpdate")),
        custom=bool(row.get("IsCustomAttribute")),
        options=_options(sets) if type_ in columns.WITH_OPTIONS else None,
        states=_states(sets),
        targets=tuple(row.get("Targets") or ()),
    )


def _options(sets: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    return {
        int(option["Value"]): _label(option.get("Label"))
        for found in sets
        for option in found.get("Options") or ()
        if option.get("Value") is not None
    }


def _states(sets: Iterable[Mapping[str, Any]]) -> dict[int, int]:
    """Of a StatusOptionMetadata."""
    return {
        int(option["Value"]): int(option["State"])
        for found in sets
        for option in found.get("Options") or ()
        if option.get("Value") is not None and option.get("State") is not None
    }


def _label(label: Mapping[str, Any] | None) -> str:
    """As our own user sees it, else in whatever language there is one."""
    if not label:
        return ""
    own = label.get("UserLocalizedLabel") or next(iter(label.get("LocalizedLabels") or ()), None)
    return str((own or {}).get("Label") or "")


def _in(row: Mapping[str, Any], name: str, member: str) -> Any:
    found = row.get(name)
    return found.get(member) if isinstance(found, dict) else None
