"""Actions and functions, bound and not. Source: Microsoft's Web API reference of actions and functions."""

from collections.abc import Callable, Mapping
from typing import Any

from .. import privileges
from ..converting import Qualification
from ..errors import CrmError
from ..members import MEMBER_TYPES
from ..record import Reference
from ..schema import Entity
from ..values import guid
from .addresses import ACTION, Key, key_of, reference_of
from .asks import Answer, Ask
from .language import Function, parse
from .payload import values_of


def who_am_i(ask: Ask) -> Answer:
    user, unit, organization = ask.records.who()
    ids = {"BusinessUnitId": unit, "UserId": user, "OrganizationId": organization}
    return Answer("who_am_i", body=_typed(ask, "WhoAmIResponse") | ids)


def version(ask: Ask) -> Answer:
    return Answer("version", body=_typed(ask, "RetrieveVersionResponse") | {"Version": ask.site.full_version})


def total_record_count(ask: Ask, arguments: str) -> Answer:
    """A snapshot in Dynamics, up to a day old; here it is true."""
    given = ask.options.get(arguments.partition("=")[2].strip(), arguments.partition("=")[2])
    call = parse(f"f({given})")
    names = call.arguments.get("0") if isinstance(call, Function) else None
    if not isinstance(names, list):
        raise CrmError("BadRequest", "EntityNames is a list.")
    keys = [str(name.value) for name in names]
    sql = "SELECT count(*) FROM records WHERE entity = ? AND deleted = 0"
    values = [ask.site.store.value(sql, (ask.records.entity(key).name,)) for key in keys]
    collection = {"Count": len(keys), "IsReadOnly": False, "Keys": keys, "Values": values}
    body = _typed(ask, "RetrieveTotalRecordCountResponse") | {"EntityRecordCountCollection": collection}
    return Answer("count", body=body)


def add_list_members(ask: Ask) -> Answer:
    given = ask.json()
    list_id = guid(_member(given, "List").get("listid"))
    members = given.get("Members")
    if list_id is None or not isinstance(members, list):
        raise CrmError("BadPayload", "The parameters List and Members are needed.")
    ask.records.add_members(list_id, [_of_a_person(member) for member in members])
    return Answer("add_members", 204, rows=len(members))


def close_opportunity(ask: Ask, state: int) -> Answer:
    """WinOpportunity and LoseOpportunity."""
    given = ask.json()
    bound = _member(given, "OpportunityClose").get("opportunityid@odata.bind", "")
    _, key = reference_of(ask.records, bound)
    ask.records.set_state("opportunity", key.id, state, given.get("Status", -1))
    return Answer("close", 204, rows=1)


UNBOUND: Mapping[str, tuple[str, Callable[[Ask], Answer]]] = {
    "WhoAmI": ("GET", who_am_i),
    "RetrieveVersion": ("GET", version),
    "AddListMembersList": ("POST", add_list_members),
    "WinOpportunity": ("POST", lambda ask: close_opportunity(ask, 1)),
    "LoseOpportunity": ("POST", lambda ask: close_opportunity(ask, 2)),
}


def qualify(ask: Ask, key: str) -> Answer:
    given = ask.json()
    wish = Qualification(
        _flag(given, "CreateAccount"),
        _flag(given, "CreateContact"),
        _flag(given, "CreateOpportunity"),
        status=given.get("Status", 3),
        currency=_entity(ask, given, "OpportunityCurrencyId"),
        customer=_entity(ask, given, "OpportunityCustomerId"),
        campaign=_entity(ask, given, "SourceCampaignId"),
    )
    made = ask.records.qualify(key, wish)
    body: dict[str, Any] = {
        "@odata.context": f"{ask.base}/$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)",
        "value": [
            {"@odata.type": f"#{ACTION}{record.entity}", f"{record.entity}id": record.id} for record in made
        ],
    }
    return Answer("qualify", body=body, rows=1 + len(made))


def add_member(ask: Ask, key: str) -> Answer:
    member = guid(ask.json().get("EntityId"))
    if member is None:
        raise CrmError("BadPayload", "The parameter EntityId is needed.")
    added = ask.records.add_member(key, member)
    return Answer("add_members", body=_typed(ask, "AddMemberListResponse") | {"Id": added}, rows=1)


def remove_member(ask: Ask, key: str) -> Answer:
    """Public code gives the member's id as the listmember's; assumed to be right."""
    ask.records.remove_member(key, _of_a_person(_member(ask.json(), "ListMember")))
    return Answer("remove_member", 204, rows=1)


def user_privileges(ask: Ask, key: str) -> Answer:
    held = privileges.held(ask.site, key)
    return Answer("privileges", body=_typed(ask, "RetrieveUserPrivilegesResponse") | {"RolePrivileges": held})


def add_item(ask: Ask, item: Reference) -> Answer:
    """Bound to what is added."""
    campaign = _entity(ask, ask.json(), "Campaign")
    if campaign is None:
        raise CrmError("BadPayload", "The parameter Campaign is needed.")
    added = ask.records.add_item(campaign.id, item)
    body = {"@odata.context": f"{ask.base}/$metadata#campaignitems/$entity", "campaignitemid": added.id}
    return Answer("add_item", body=body, rows=1)


FUNCTIONS: Mapping[tuple[str, str], Callable[[Ask, str], Answer]] = {
    ("systemuser", "RetrieveUserPrivileges"): user_privileges,
}
BOUND: Mapping[tuple[str, str], Callable[[Ask, str], Answer]] = {
    ("campaign", "AddItemCampaign"): lambda ask, key: add_item(ask, Reference("campaign", key)),
    ("list", "AddItemCampaign"): lambda ask, key: add_item(ask, Reference("list", key)),
    ("lead", "QualifyLead"): qualify,
    ("list", "AddMemberList"): add_member,
    ("list", "RemoveMemberList"): remove_member,
}


def create_multiple(ask: Ask, entity: Entity) -> Answer:
    made = [ask.records.create(entity.name, values_of(ask, entity, row)) for row in _targets(ask)]
    context = {"@odata.context": f"{ask.base}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"}
    return Answer("create", body=context | {"Ids": [record.id for record in made]}, rows=len(made))


def update_multiple(ask: Ask, entity: Entity) -> Answer:
    rows = _targets(ask)
    for row in rows:
        key = guid(row.get(entity.id))
        if key is None:
            raise CrmError("InvalidEntityKey", entity.name)
        ask.records.update(entity.name, key, values_of(ask, entity, row))
    return Answer("update", 204, rows=len(rows))


def upsert_multiple(ask: Ask, entity: Entity) -> Answer:
    rows = _targets(ask)
    for row in rows:
        key = _target_key(ask, entity, row)
        values = values_of(ask, entity, row)
        known = key.find(ask.records, entity)
        if known is not None:
            ask.records.update(entity.name, known.id, values)
        else:
            placed = {key.attribute: key.value} if key.attribute else {}
            ask.records.create(entity.name, placed | values, key.id or None)
    return Answer("upsert", 204, rows=len(rows))


MULTIPLE: Mapping[str, Callable[[Ask, Entity], Answer]] = {
    "CreateMultiple": create_multiple,
    "UpdateMultiple": update_multiple,
    "UpsertMultiple": upsert_multiple,
}
"""On sets, of Dynamics 365; all rows or none."""


def _targets(ask: Ask) -> list[dict[str, Any]]:
    targets = ask.json().get("Targets")
    if not isinstance(targets, list) or not all(isinstance(row, dict) for row in targets):
        raise CrmError("BadPayload", "The parameter Targets is needed.")
    return targets


def _target_key(ask: Ask, entity: Entity, row: Mapping[str, Any]) -> Key:
    if "@odata.id" in row:
        return reference_of(ask.records, row["@odata.id"])[1]
    return key_of(entity, str(row.get(entity.id, "")))


def _typed(ask: Ask, name: str) -> dict[str, Any]:
    return {"@odata.context": f"{ask.base}/$metadata#Microsoft.Dynamics.CRM.{name}"}


def _member(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = given.get(name)
    if not isinstance(value, dict):
        raise CrmError("BadPayload", f"The parameter {name} is needed.")
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    if not isinstance(given.get(name), bool):
        raise CrmError("BadPayload", f"The parameter {name} is needed.")
    return bool(given[name])


def _of_a_person(member: Mapping[str, Any]) -> str:
    for name in (*(f"{entity}id" for entity in MEMBER_TYPES.values()), "listmemberid"):
        if (key := guid(member.get(name))) is not None:
            return key
    raise CrmError("BadPayload", "A member has an id.")


def _entity(ask: Ask, given: Mapping[str, Any], name: str) -> Reference | None:
    """An optional parameter: a record by `@odata.type` and id, or by `@odata.id`."""
    value = given.get(name)
    if not isinstance(value, dict):
        return None
    if "@odata.id" in value:
        entity, key = reference_of(ask.records, value["@odata.id"])
        return Reference(entity.name, key.id)
    kind = str(value.get("@odata.type", "")).removeprefix("#").removeprefix(ACTION)
    described = ask.records.entity(kind or _KINDS[name])
    record_id = guid(value.get(described.id))
    if record_id is None:
        raise CrmError("BadPayload", f"{name} has no id.")
    return Reference(described.name, record_id)


_KINDS = {
    "Campaign": "campaign",
    "OpportunityCurrencyId": "transactioncurrency",
    "OpportunityCustomerId": "account",
    "SourceCampaignId": "campaign",
}
"""Entity of a parameter that does not say it itself."""
