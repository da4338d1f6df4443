"""Words of the metadata for columns, which SOAP and the Web API share (documentation, AttributeTypeCode)."""

from collections.abc import Mapping

from connector_dynamics.wire import AttributeType

TYPES: Mapping[str, AttributeType] = {
    "String": "text",
    "Memo": "memo",
    "Integer": "integer",
    "BigInt": "long",
    "Decimal": "decimal",
    "Double": "double",
    "Money": "money",
    "Boolean": "boolean",
    "DateTime": "datetime",
    "Picklist": "option",
    "State": "state",
    "Status": "status",
    "Lookup": "lookup",
    "Customer": "lookup",
    "Owner": "lookup",
    "Uniqueidentifier": "id",
    "PartyList": "parties",
}
REQUIRED = frozenset({"ApplicationRequired", "SystemRequired"})
WITH_OPTIONS: frozenset[AttributeType] = frozenset({"option", "options", "state", "status"})


def type_of(
    word: str, *, several: bool, format_: str | None, behaviour: str | None = "DateOnly"
) -> AttributeType:
    """word: the type code. several: of options. format_: of times; behaviour: theirs in the Web API."""
    if several:
        return "options"
    found = TYPES.get(word, "other")
    if found != "datetime" or format_ != "DateOnly":
        return found
    return "date" if behaviour == "DateOnly" else "local_date"
