"""Members of static marketing lists."""

from .errors import CrmError
from .record import Record, Reference
from .site import Site
from .store import Store

MEMBER_TYPES = {1: "account", 2: "contact", 4: "lead"}
"""Entity of a list's members by its `createdfromcode`."""


def add(site: Site, marketing_list: Record, key: str, by: str) -> str:
    """The id of the listmember.

    Raises InvalidOperationForDynamicList, ObjectDoesNotExist, UnsupportedListMemberType.
    """
    store = site.store
    _static(marketing_list)
    entity = MEMBER_TYPES[marketing_list.values["createdfromcode"]]
    member = store.get(entity, key)
    if member is None:
        if any(store.get(other, key) for other in MEMBER_TYPES.values()):
            raise CrmError("UnsupportedListMemberType")
        raise CrmError("ObjectDoesNotExist", entity.capitalize(), key)
    if known := _membership(store, marketing_list, member.id):
        return known.id
    now, user = store.now(), Reference("systemuser", by)
    values = {
        "listid": marketing_list.reference,
        "entityid": member.reference,
        "entitytype": entity,
        "createdon": now,
        "modifiedon": now,
        "createdby": user,
        "modifiedby": user,
    }
    with store.transaction():
        added = store.add("listmember", store.new_id(), values)
        _count(store, marketing_list, 1)
    return added.id


def remove(store: Store, marketing_list: Record, key: str) -> None:
    """key: of the member. Raises InvalidOperationForDynamicList, CannotRemoveNonListMember."""
    _static(marketing_list)
    membership = _membership(store, marketing_list, key)
    if membership is None:
        raise CrmError("CannotRemoveNonListMember")
    with store.transaction():
        store.delete(membership)
        _count(store, marketing_list, -1)


def forget(store: Store, record: Record) -> None:
    """A member or a list has been deleted."""
    where = "entity = 'listmember' AND deleted = 0 AND (about = ?1 OR json_extract(body, '$.listid[1]') = ?1)"
    for membership in store.find(where, (record.id,)) if record.entity != "listmember" else ():
        store.delete(membership)
        marketing_list = store.get("list", membership.values["listid"].id)
        if marketing_list:
            _count(store, marketing_list, -1)


def _static(marketing_list: Record) -> None:
    if marketing_list.values.get("type"):
        raise CrmError("InvalidOperationForDynamicList")


def _membership(store: Store, marketing_list: Record, key: str) -> Record | None:
    where = "entity = 'listmember' AND deleted = 0 AND about = ? AND json_extract(body, '$.listid[1]') = ?"
    found = store.find(where, (key.lower(), marketing_list.id))
    return found[0] if found else None


def _count(store: Store, marketing_list: Record, more: int) -> None:
    values = marketing_list.values
    values["membercount"] = values.get("membercount", 0) + more
    store.save(marketing_list)
