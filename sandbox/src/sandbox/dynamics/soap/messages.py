"""What `Execute` can be asked for: messages by name, with what each answers.

Source: Microsoft's reference of the organisation service's messages, and the contract's envelopes. Not
confirmed: that a message the server does not know is refused with InvalidArgument.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .. import privileges
from ..converting import Qualification
from ..errors import CrmError
from ..record import Reference
from .decoding import Message, Record, Target, Wire
from .encoding import Element, add
from .names import CRM, TYPE, XRM
from .service import SEVEN_ONE, Service, plain

Results: TypeAlias = dict[str, Callable[[Element], None]]
"""What is answered, by name: each fills its value's element."""


def _reference(wire: Any) -> Reference | None:
    return None if wire is None else Reference(wire.entity, wire.id)


def typed(kind: str, text: str) -> Callable[[Element], None]:
    def fill(element: Element) -> None:
        element.set(TYPE, kind)
        element.text = text

    return fill


def _guid(key: str) -> Callable[[Element], None]:
    return typed("e:guid", key)


def _of(wanted: type, value: Any) -> Any:
    """Raises InvalidArgument for a parameter that is missing or of another type."""
    if not isinstance(value, wanted):
        raise CrmError("InvalidArgument")
    return value


def _need(message: Message, name: str, wanted: type) -> Any:
    return _of(wanted, message.value(name))


# Messages


def _who_am_i(service: Service, message: Message) -> Results:
    names = ("UserId", "BusinessUnitId", "OrganizationId")
    return {name: _guid(key) for name, key in zip(names, service.records.who(), strict=True)}


def _version(service: Service, message: Message) -> Results:
    return {"Version": typed("d:string", service.site.full_version)}


def _create(service: Service, message: Message) -> Results:
    return {"id": _guid(service.create(_need(message, "Target", Record)).id)}


def _update(service: Service, message: Message) -> Results:
    matching = message.value("ConcurrencyBehavior") == "IfRowVersionMatches"
    service.update(_need(message, "Target", Record), matching=matching)
    return {}


def _upsert(service: Service, message: Message) -> Results:
    record, created = service.upsert(_need(message, "Target", Record))
    return {
        "RecordCreated": typed("d:boolean", "true" if created else "false"),
        "Target": lambda element: service.encoder.reference(element, record.reference),
    }


def _delete(service: Service, message: Message) -> Results:
    service.delete(_need(message, "Target", Target))
    return {}


def _retrieve(service: Service, message: Message) -> Results:
    target, columns = _need(message, "Target", Target), message.value("ColumnSet")

    def fill(element: Element) -> None:
        element.set(TYPE, "b:Entity")
        entity = service.records.entity(target.entity)
        service.retrieve(element, entity, service.id_of(target), columns)

    return {"Entity": fill}


def _retrieve_multiple(service: Service, message: Message) -> Results:
    query = message.parameters.get("Query", Wire("", None))

    def fill(element: Element) -> None:
        element.set(TYPE, "b:EntityCollection")
        service.retrieve_multiple(element, query.value, query.kind)

    if not query.kind:
        raise CrmError("InvalidArgument")
    return {"EntityCollection": fill}


def _set_state(service: Service, message: Message) -> Results:
    target = _need(message, "EntityMoniker", Target)
    state, status = _need(message, "State", int), _need(message, "Status", int)
    service.records.set_state(target.entity, service.id_of(target), state, status)
    return {}


def _assign(service: Service, message: Message) -> Results:
    target, assignee = _need(message, "Target", Target), _need(message, "Assignee", Target)
    service.records.assign(target.entity, service.id_of(target), Reference(assignee.entity, assignee.id))
    return {}


def _qualify(service: Service, message: Message) -> Results:
    wish = Qualification(
        account=message.value("CreateAccount", False),
        contact=message.value("CreateContact", False),
        opportunity=message.value("CreateOpportunity", False),
        status=_need(message, "Status", int),
        currency=_reference(message.value("OpportunityCurrencyId")),
        customer=_reference(message.value("OpportunityCustomerId")),
        campaign=_reference(message.value("SourceCampaignId")),
    )
    created = service.records.qualify(service.id_of(_need(message, "LeadId", Target)), wish)

    def fill(element: Element) -> None:
        element.set(TYPE, "b:EntityReferenceCollection")
        for record in created:
            service.encoder.reference(add(element, XRM, "EntityReference"), record.reference)

    return {"CreatedEntities": fill}


def _close(state: int) -> "Handler":
    """WinOpportunity, LoseOpportunity."""

    def close(service: Service, message: Message) -> Results:
        closing, status = _need(message, "OpportunityClose", Record), _need(message, "Status", int)
        opportunity = plain(closing.values.get("opportunityid", Wire("", None)))
        service.records.set_state("opportunity", _of(Reference, opportunity).id, state, status)
        return {}

    return close


def _add_members(service: Service, message: Message) -> Results:
    service.records.add_members(_need(message, "ListId", str), _need(message, "MemberIds", list))
    return {}


def _add_member(service: Service, message: Message) -> Results:
    return {
        "Id": _guid(
            service.records.add_member(_need(message, "ListId", str), _need(message, "EntityId", str))
        )
    }


def _remove_member(service: Service, message: Message) -> Results:
    service.records.remove_member(_need(message, "ListId", str), _need(message, "EntityId", str))
    return {}


def _add_item(service: Service, message: Message) -> Results:
    item = Reference(_need(message, "EntityName", str), _need(message, "EntityId", str))
    return {"CampaignItemId": _guid(service.records.add_item(_need(message, "CampaignId", str), item).id)}


def _associate(*, ends: bool) -> "Handler":
    def associate(service: Service, message: Message) -> Results:
        target, related = _need(message, "Target", Target), _need(message, "RelatedEntities", list)
        holder = target.entity, service.id_of(target)
        service.associate(holder, _need(message, "Relationship", str), related, ends=ends)
        return {}

    return associate


def _retrieve_attribute(service: Service, message: Message) -> Results:
    entity = service.records.entity(_need(message, "EntityLogicalName", str))
    attribute = entity.attributes.get(_need(message, "LogicalName", str))
    if attribute is None:
        raise CrmError("ObjectDoesNotExist", "Attribute", message.value("LogicalName"))
    return {"AttributeMetadata": lambda element: service.metadata.attribute(element, entity, attribute)}


def _retrieve_entity(service: Service, message: Message) -> Results:
    entity = service.records.entity(_need(message, "LogicalName", str))
    wanted = str(message.value("EntityFilters", "Entity")).split()
    attributes = bool({"Attributes", "All"} & set(wanted))
    return {"EntityMetadata": lambda element: service.metadata.entity(element, entity, attributes=attributes)}


def _user_privileges(service: Service, message: Message) -> Results:
    held = privileges.held(service.site, _need(message, "UserId", str))

    def fill(element: Element) -> None:
        element.set(TYPE, "g:ArrayOfRolePrivilege")
        for privilege in held:
            listed = add(element, CRM, "RolePrivilege")
            for name, value in privilege.items():
                add(listed, CRM, name, value)

    return {"RolePrivileges": fill}


Handler: TypeAlias = Callable[[Service, Message], Results]

MESSAGES: Mapping[str, Handler] = {
    "AddItemCampaign": _add_item,
    "AddListMembersList": _add_members,
    "AddMemberList": _add_member,
    "Assign": _assign,
    "Associate": _associate(ends=False),
    "Create": _create,
    "Delete": _delete,
    "Disassociate": _associate(ends=True),
    "LoseOpportunity": _close(2),
    "QualifyLead": _qualify,
    "RemoveMemberList": _remove_member,
    "Retrieve": _retrieve,
    "RetrieveAttribute": _retrieve_attribute,
    "RetrieveEntity": _retrieve_entity,
    "RetrieveMultiple": _retrieve_multiple,
    "RetrieveUserPrivileges": _user_privileges,
    "RetrieveVersion": _version,
    "SetState": _set_state,
    "Update": _update,
    "Upsert": _upsert,
    "WhoAmI": _who_am_i,
    "WinOpportunity": _close(1),
}
SINCE: Mapping[str, tuple[int, ...]] = {"Upsert": SEVEN_ONE, "ExecuteMultiple": (5, 0, 9690, 3236)}
"""Versions that a message came with; ExecuteMultiple: with Update Rollup 12 of 2011."""


def known(name: str, full_version: str) -> bool:
    version = tuple(int(part) for part in full_version.split("."))
    return version >= SINCE.get(name, ())
