"""Entities and attributes as the metadata service describes them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ..schema import OPTION_SETS, Attribute, AttributeType, Entity
from ..store import Store

Facts = dict[str, Any]

_KINDS: Mapping[AttributeType, tuple[str, str]] = {
    "string": ("String", "String"),
    "memo": ("Memo", "Memo"),
    "integer": ("Integer", "Integer"),
    "bigint": ("BigInt", "BigInt"),
    "decimal": ("Decimal", "Decimal"),
    "double": ("Double", "Double"),
    "money": ("Money", "Money"),
    "boolean": ("Boolean", "Boolean"),
    "datetime": ("DateTime", "DateTime"),
    "date": ("DateTime", "DateTime"),
    "picklist": ("Picklist", "Picklist"),
    "state": ("State", "State"),
    "status": ("Status", "Status"),
    "lookup": ("Lookup", "Lookup"),
    "customer": ("Customer", "Lookup"),
    "owner": ("Owner", "Lookup"),
    "uniqueidentifier": ("Uniqueidentifier", ""),
    "partylist": ("PartyList", "Lookup"),
}
"""AttributeType, and what the metadata's own type is called before `AttributeMetadata`."""
LANGUAGE = 1033


def label(text: str) -> Facts:
    told = {"Label": text, "LanguageCode": LANGUAGE, "IsManaged": True, "MetadataId": metadata_id(text)}
    return {"LocalizedLabels": [told], "UserLocalizedLabel": told}


@cache
def metadata_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def entity_facts(entity: Entity) -> Facts:
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.EntityMetadata",
        "MetadataId": metadata_id(entity.name),
        "LogicalName": entity.name,
        "SchemaName": entity.schema_name,
        "LogicalCollectionName": entity.set,
        "EntitySetName": entity.set,
        "ObjectTypeCode": entity.code,
        "PrimaryIdAttribute": entity.id,
        "PrimaryNameAttribute": entity.title,
        "DisplayName": label(entity.schema_name),
        "DisplayCollectionName": label(entity.set.capitalize()),
        "ChangeTrackingEnabled": entity.tracked,
        "IsActivity": entity.id == "activityid",
        "IsCustomEntity": False,
        "OwnershipType": "UserOwned" if "ownerid" in entity.attributes else "OrganizationOwned",
    }


def metadata_type(attribute: Attribute) -> str:
    """`StringAttributeMetadata`."""
    return f"{_KINDS[attribute.type][1]}AttributeMetadata"


def attribute_facts(entity: Entity, attribute: Attribute) -> Facts:
    kind = _KINDS[attribute.type][0]
    facts: Facts = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{metadata_type(attribute)}",
        "MetadataId": metadata_id(f"{entity.name}.{attribute.name}"),
        "LogicalName": attribute.name,
        "SchemaName": next(iter(attribute.binds.values()), attribute.label)
        if attribute.custom
        else attribute.label,
        "EntityLogicalName": entity.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "DisplayName": label(attribute.label),
        "IsCustomAttribute": attribute.custom,
        "IsPrimaryId": attribute.name == entity.id,
        "IsPrimaryName": attribute.name == entity.title,
        "IsValidForRead": True,
        "IsValidForCreate": not attribute.read_only,
        "IsValidForUpdate": not attribute.read_only and attribute.name != entity.id,
        "RequiredLevel": {"Value": "SystemRequired" if attribute.required else "None"},
        "AttributeOf": None,
    }
    if attribute.length is not None:
        facts["MaxLength"] = attribute.length
    if attribute.is_lookup:
        facts["Targets"] = list(attribute.targets)
    if attribute.type in {"date", "datetime"}:
        is_day = attribute.type == "date"
        facts["Format"] = "DateOnly" if is_day else "DateAndTime"
        facts["DateTimeBehavior"] = {"Value": "DateOnly" if is_day else "UserLocal"}
    return facts


def option_set(entity: Entity, attribute: Attribute) -> Facts:
    options = []
    for option in attribute.options:
        about: Facts = {"Value": option.value, "Label": label(option.label), "IsManaged": False}
        if attribute.type == "status":
            about |= {"@odata.type": "#Microsoft.Dynamics.CRM.StatusOptionMetadata", "State": option.state}
        options.append(about)
    return {
        "MetadataId": metadata_id(f"{entity.name}_{attribute.name}"),
        "Name": f"{entity.name}_{attribute.name}",
        "IsGlobal": False,
        "OptionSetType": attribute.type.capitalize(),
        "Options": options,
    }


def many_to_one(store: Store, entity: Entity) -> list[Facts]:
    """Every lookup and where it may point to; the navigation names with the case that counts."""
    found = []
    for attribute in entity.attributes.values():
        for target, navigation in attribute.binds.items():
            found.append(
                {
                    "MetadataId": metadata_id(f"{entity.name}.{navigation}.{target}"),
                    "SchemaName": f"{entity.name}_{navigation}_{target}",
                    "RelationshipType": "OneToManyRelationship",
                    "ReferencingEntity": entity.name,
                    "ReferencingAttribute": attribute.name,
                    "ReferencingEntityNavigationPropertyName": navigation,
                    "ReferencedEntity": target,
                    "ReferencedAttribute": store.entities[target].id,
                }
            )
    return found


def keys(entity: Entity) -> list[Facts]:
    return [
        {
            "MetadataId": metadata_id(f"{entity.name}.key.{name}"),
            "LogicalName": f"{name}_key",
            "EntityLogicalName": entity.name,
            "KeyAttributes": [name],
            "EntityKeyIndexStatus": "Active",
        }
        for name in entity.keys
    ]


def has_options(attribute: Attribute) -> bool:
    return attribute.type in OPTION_SETS
