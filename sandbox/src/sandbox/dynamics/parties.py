"""Who takes part in an activity: records of their own, beside the activity's values. Source: Microsoft's
reference of the entity ActivityParty."""

from .record import Record, Reference
from .schema import ACTIVITIES, Entity
from .store import Store

MASKS = {"from": 1, "to": 2, "cc": 3}
"""participationtypemask by the attribute that holds such parties."""


def settle(store: Store, entity: Entity, record: Record) -> None:
    """Has the activity's parties as its values tell them."""
    roles = [name for name in MASKS if name in entity.attributes]
    if not roles:
        return
    forget(store, record)
    for role in roles:
        for party in record.values.get(role, ()):
            values = {
                "activityid": Reference("activitypointer", record.id),
                "partyid": party,
                "participationtypemask": MASKS[role],
            }
            store.add("activityparty", store.new_id(), values)


def forget(store: Store, record: Record) -> None:
    """The activity has been deleted."""
    if record.entity in ACTIVITIES:
        where = "entity = 'activityparty' AND json_extract(body, '$.activityid[1]') = ?"
        store.execute(f"DELETE FROM records WHERE {where}", (record.id,))
