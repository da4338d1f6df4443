"""Descriptions of entities and attributes, as SOAP has them. Source: recorded answers, the service's WSDL.

Told is what an adapter asks for; what the recorded ones have beside that may be missing by their contract.
"""

from collections.abc import Mapping
from uuid import NAMESPACE_OID, uuid5

from ..schema import Attribute, AttributeType, Entity, Option
from .encoding import Element, add, add_nil
from .names import METADATA, METADATA_2013, TYPE, XRM

_ENGLISH = "1033"
# Type of the metadata, AttributeType and AttributeTypeName (without its `Type`).
_KINDS: Mapping[AttributeType, tuple[str, str]] = {
    "string": ("StringAttributeMetadata", "String"),
    "memo": ("MemoAttributeMetadata", "Memo"),
    "integer": ("IntegerAttributeMetadata", "Integer"),
    "bigint": ("BigIntAttributeMetadata", "BigInt"),
    "decimal": ("DecimalAttributeMetadata", "Decimal"),
    "double": ("DoubleAttributeMetadata", "Double"),
    "money": ("MoneyAttributeMetadata", "Money"),
    "boolean": ("BooleanAttributeMetadata", "Boolean"),
    "datetime": ("DateTimeAttributeMetadata", "DateTime"),
    "date": ("DateTimeAttributeMetadata", "DateTime"),
    "picklist": ("PicklistAttributeMetadata", "Picklist"),
    "state": ("StateAttributeMetadata", "State"),
    "status": ("StatusAttributeMetadata", "Status"),
    "lookup": ("LookupAttributeMetadata", "Lookup"),
    "customer": ("LookupAttributeMetadata", "Customer"),
    "owner": ("LookupAttributeMetadata", "Owner"),
    "uniqueidentifier": ("AttributeMetadata", "Uniqueidentifier"),
    "partylist": ("LookupAttributeMetadata", "PartyList"),
}
_OPTIONS: Mapping[AttributeType, str] = {"state": "StateOptionMetadata", "status": "StatusOptionMetadata"}
_FORMATS = {"date": "DateOnly", "datetime": "DateAndTime"}
_WRITTEN = ("IsValidForCreate", "IsValidForRead", "IsValidForUpdate")


class MetadataEncoder:
    """modern: the server is of 2013 or later, whose attributes tell their type's name too."""

    def __init__(self, *, modern: bool) -> None:
        self._modern = modern

    def entity(self, element: Element, entity: Entity, *, attributes: bool) -> None:
        element.set(TYPE, "h:EntityMetadata")
        add(element, METADATA, "MetadataId", _id(entity.name))
        if attributes:
            listed = add(element, METADATA, "Attributes")
            for attribute in entity.attributes.values():
                self.attribute(add(listed, METADATA, "AttributeMetadata"), entity, attribute)
        if self._modern:
            add(element, METADATA, "ChangeTrackingEnabled", _flag(entity.tracked))
        _label(add(element, METADATA, "DisplayName"), entity.schema_name)
        add(element, METADATA, "IsCustomEntity", "false")
        add(element, METADATA, "LogicalName", entity.name)
        add(element, METADATA, "ObjectTypeCode", str(entity.code))
        add(element, METADATA, "PrimaryIdAttribute", entity.id)
        add(element, METADATA, "PrimaryNameAttribute", entity.title)
        add(element, METADATA, "SchemaName", entity.schema_name)

    def attribute(self, element: Element, entity: Entity, attribute: Attribute) -> None:
        kind, name = _KINDS[attribute.type]
        element.set(TYPE, f"h:{kind}")
        add(element, METADATA, "MetadataId", _id(f"{entity.name}.{attribute.name}"))
        add_nil(element, METADATA, "HasChanged")
        add_nil(element, METADATA, "AttributeOf")
        add(element, METADATA, "AttributeType", name)
        _label(add(element, METADATA, "DisplayName"), attribute.label)
        add(element, METADATA, "EntityLogicalName", entity.name)
        add(element, METADATA, "IsCustomAttribute", _flag(attribute.custom))
        add(element, METADATA, "IsPrimaryId", _flag(attribute.name == entity.id))
        add(element, METADATA, "IsPrimaryName", _flag(attribute.name == entity.title))
        for told in _WRITTEN:
            add(element, METADATA, told, _flag(told == "IsValidForRead" or not attribute.read_only))
        add(element, METADATA, "LogicalName", attribute.name)
        required = add(element, METADATA, "RequiredLevel")
        add(required, XRM, "CanBeChanged", "true")
        add(required, XRM, "ManagedPropertyLogicalName", "canmodifyrequirementlevelsettings")
        add(required, XRM, "Value", "ApplicationRequired" if attribute.required else "None")
        add(element, METADATA, "SchemaName", attribute.label)
        if self._modern:
            add(add(element, METADATA, "AttributeTypeName"), METADATA_2013, "Value", f"{name}Type")
        self._particulars(element, entity, attribute)

    def _particulars(self, element: Element, entity: Entity, attribute: Attribute) -> None:
        if attribute.length is not None:
            add(element, METADATA, "MaxLength", str(attribute.length))
        elif attribute.is_lookup:
            listed = add(element, METADATA, "Targets")
            for target in attribute.targets:
                add(listed, listed.nsmap["f"], "string", target)
        elif attribute.type in _FORMATS:
            add(element, METADATA, "Format", _FORMATS[attribute.type])
        elif attribute.options:
            add(element, METADATA, "DefaultFormValue", "-1")
            _option_set(add(element, METADATA, "OptionSet"), entity, attribute)


def _option_set(element: Element, entity: Entity, attribute: Attribute) -> None:
    add(element, METADATA, "MetadataId", _id(f"{entity.name}_{attribute.name}"))
    _label(add(element, METADATA, "DisplayName"), attribute.label)
    add(element, METADATA, "IsGlobal", "false")
    add(element, METADATA, "Name", f"{entity.name}_{attribute.name}")
    add(element, METADATA, "OptionSetType", _KINDS[attribute.type][1])
    options = add(element, METADATA, "Options")
    for option in attribute.options:
        _option(add(options, METADATA, "OptionMetadata"), attribute, option)


def _option(element: Element, attribute: Attribute, option: Option) -> None:
    if kind := _OPTIONS.get(attribute.type):
        element.set(TYPE, f"h:{kind}")
    add_nil(element, METADATA, "MetadataId")
    add_nil(element, METADATA, "HasChanged")
    _label(add(element, METADATA, "Label"), option.label)
    add(element, METADATA, "Value", str(option.value))
    if option.state is not None:
        add(element, METADATA, "State", str(option.state))


def _label(element: Element, text: str) -> None:
    """In one language, the organisation's and the user's."""
    labels = add(element, XRM, "LocalizedLabels")
    for label in (add(labels, XRM, "LocalizedLabel"), add(element, XRM, "UserLocalizedLabel")):
        add_nil(label, METADATA, "MetadataId")
        add_nil(label, METADATA, "HasChanged")
        add(label, XRM, "IsManaged", "true")
        add(label, XRM, "Label", text)
        add(label, XRM, "LanguageCode", _ENGLISH)


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def _flag(value: bool) -> str:
    return "true" if value else "false"
