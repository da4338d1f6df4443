"""From a record to others: the names that lead there, and which records they mean."""

from dataclasses import dataclass

from ..members import MEMBER_TYPES
from ..query import Condition, Filter, Link
from ..record import Record
from ..schema import Attribute, Entity
from ..store import Store
from .filters import no_property

_BETWEEN = {
    **{f"list{entity}_association": ("list", "listmember") for entity in MEMBER_TYPES.values()},
    "campaignlist_association": ("campaign", "campaignitem"),
}
"""Names that lead over records in between: what those belong to, and what they are."""
# Lists of other records whose lookup is not the only one to the entity.
_LOOKUPS = {
    "opportunity_customer_contacts": "customerid",
    "opportunity_customer_accounts": "customerid",
    "opportunity_parent_contact": "parentcontactid",
    "contact_customer_accounts": "parentcustomerid",
    "opportunity_originating_lead": "originatingleadid",
    "campaign_leads": "campaignid",
    "campaign_opportunities": "campaignid",
}


_ALL = Filter()


@dataclass(frozen=True, slots=True)
class Way:
    """entity: of the records there. single: one record at most, by a lookup; else those that `filter` and
    `links` leave."""

    entity: Entity
    single: Attribute | None = None
    filter: Filter = _ALL
    links: tuple[Link, ...] = ()


def way(store: Store, entity: Entity, record: Record, name: str) -> Way:
    """Raises BadRequest for a name that leads nowhere."""
    if found := entity.by_bind(name):
        attribute, target = found
        reference = record.values.get(attribute.name)
        there = reference.entity if reference else target or attribute.targets[0]
        return Way(store.entities[there], attribute)
    if name not in entity.collections:
        raise no_property(entity, name)
    other = store.entities[entity.collections[name]]
    if name in _BETWEEN:
        return _over(*_BETWEEN[name], entity, other, record)
    lookup = _LOOKUPS.get(name) or _about(other, entity)
    if lookup is None:
        raise no_property(entity, name)
    return Way(other, filter=Filter("and", (Condition(lookup, "eq", (record.id,)),)))


def _over(holder: str, between: str, entity: Entity, other: Entity, record: Record) -> Way:
    """Between lists and their members, or campaigns and their items, either way."""
    here, there = f"{holder}id", "entityid"
    if entity.name != holder:
        here, there = there, here
    only = Filter("and", (Condition(here, "eq", (record.id,)),))
    return Way(other, links=(Link(between, there, other.id, "between", filter=only),))


def _about(other: Entity, entity: Entity) -> str | None:
    for name in ("regardingobjectid", "objectid"):
        attribute = other.attributes.get(name)
        if attribute is not None and entity.name in attribute.targets:
            return name
    return None
