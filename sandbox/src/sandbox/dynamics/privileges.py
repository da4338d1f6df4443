"""Privileges by the names that Dynamics has for them, and which of them a user holds.

Source: Microsoft's reference: the entity privilege, RetrieveUserPrivileges. That anybody may read the entity
is assumed.
"""

from collections import defaultdict

from .record import Record
from .schema import ACTIVITIES
from .site import Site

_ACTIONS = ("create", "read", "write", "delete", "assign")
_CALLED = {
    **dict.fromkeys((*ACTIVITIES, "activityparty", "activitypointer"), "Activity"),
    "annotation": "Note",
    "campaignitem": "Campaign",
    "listmember": "List",
    "systemuser": "User",
}
"""Where privileges call an entity otherwise than by its name: all activities share theirs."""


def name_of(action: str, entity: str) -> str:
    """`prvReadLead`."""
    return f"prv{action.capitalize()}{_CALLED.get(entity, entity.capitalize())}"


def settle(site: Site) -> None:
    """An organisation begins with all of them."""
    now, now_ms = site.store.now(), site.store.now_ms()
    site.store.load(
        Record(_id_of(site, name), "privilege", {"name": name, "createdon": now}, 0, False, now_ms, now_ms)
        for name in _all(site)
    )


def held(site: Site, user: str) -> list[dict[str, str]]:
    """As RolePrivilege has them, all in the whole organisation."""
    return [
        {
            "Depth": "Global",
            "PrivilegeId": _id_of(site, name),
            "BusinessUnitId": site.business_unit_id,
        }
        for name, rights in _all(site).items()
        if all(site.may(user, action, entity) for action, entity in rights)
    ]


def _id_of(site: Site, name: str) -> str:
    return site.fixed_id(f"privilege/{name}")


def _all(site: Site) -> dict[str, list[tuple[str, str]]]:
    """By name, what it allows."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entity in site.store.entities:
        for action in _ACTIONS:
            found[name_of(action, entity)].append((action, entity))
    return found
