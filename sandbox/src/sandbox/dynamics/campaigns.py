"""What a campaign has, beside its own values: items, such as its marketing lists.

Source: Microsoft's reference of the entity CampaignItem and of AddItemCampaign. Not confirmed: that an item
which is there already is refused, as its key is.
"""

from .errors import CrmError
from .record import Record
from .store import Store

ITEMS = frozenset({"campaign", "list"})
"""Entities that may be items; products and sales literature are not to be had here."""


def add(store: Store, campaign: Record, item: Record) -> Record:
    """The new campaignitem. Raises InvalidArgument, DuplicateRecord."""
    if item.entity not in ITEMS:
        raise CrmError("InvalidArgument")
    if any(known.values["entityid"] == item.id for known in _items(store, "campaignid[1]", campaign)):
        raise CrmError("DuplicateRecord")
    values = {"campaignid": campaign.reference, "entityid": item.id, "entitytype": item.entity}
    return store.add("campaignitem", store.new_id(), values)


def forget(store: Store, record: Record) -> None:
    """A campaign or an item of one has been deleted."""
    if record.entity in ITEMS:
        for name in ("campaignid[1]", "entityid"):
            for item in _items(store, name, record):
                store.delete(item)


def _items(store: Store, name: str, record: Record) -> list[Record]:
    where = f"entity = 'campaignitem' AND deleted = 0 AND json_extract(body, '$.{name}') = ?"
    return store.find(where, (record.id,))
