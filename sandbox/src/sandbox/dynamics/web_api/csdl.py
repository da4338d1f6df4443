"""`$metadata`: the organisation's entities in CSDL."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from ..schema import OPTION_SETS, Attribute, AttributeType, Entity
from ..site import Site

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
# What has no prefix; the stubs of lxml know prefixes only.
_PLAIN: Any = {None: _EDM}
_SPACE = "Microsoft.Dynamics.CRM"
_TYPES: Mapping[AttributeType, str] = {
    "string": "Edm.String",
    "memo": "Edm.String",
    "integer": "Edm.Int32",
    "bigint": "Edm.Int64",
    "decimal": "Edm.Decimal",
    "double": "Edm.Double",
    "money": "Edm.Decimal",
    "boolean": "Edm.Boolean",
    "datetime": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "uniqueidentifier": "Edm.Guid",
}


def metadata(site: Site) -> str:
    """XML, with declaration."""
    root = etree.Element(f"{{{_EDMX}}}Edmx", {"Version": "4.0"}, nsmap={"edmx": _EDMX})
    services = etree.SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = etree.SubElement(
        services, f"{{{_EDM}}}Schema", {"Namespace": _SPACE, "Alias": "mscrm"}, nsmap=_PLAIN
    )
    _add(schema, "EntityType", Name="crmbaseentity", Abstract="true")
    for entity in site.store.entities.values():
        _entity(schema, entity)
    container = _add(schema, "EntityContainer", Name="System")
    for entity in site.store.entities.values():
        _add(container, "EntitySet", Name=entity.set, EntityType=f"{_SPACE}.{entity.name}")
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return text.decode()


def _entity(schema: etree._Element, entity: Entity) -> None:
    kind = _add(schema, "EntityType", Name=entity.name, BaseType="mscrm.crmbaseentity")
    _add(_add(kind, "Key"), "PropertyRef", Name=entity.id)
    for attribute in entity.attributes.values():
        if attribute.type != "partylist":
            _property(kind, attribute)
    for attribute in entity.attributes.values():
        for target, navigation in attribute.binds.items() if attribute.type != "owner" else ():
            _add(kind, "NavigationProperty", Name=navigation, Type=f"mscrm.{target}")
    for navigation, target in entity.collections.items():
        _add(kind, "NavigationProperty", Name=navigation, Type=f"Collection(mscrm.{target})")


def _property(kind: etree._Element, attribute: Attribute) -> None:
    numbered = "Edm.Int32" if attribute.type in OPTION_SETS else "Edm.Guid"
    made = _add(kind, "Property", Name=attribute.column, Type=_TYPES.get(attribute.type, numbered))
    if attribute.length is not None:
        made.set("MaxLength", str(attribute.length))


def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_EDM}}}{tag}", attributes)
