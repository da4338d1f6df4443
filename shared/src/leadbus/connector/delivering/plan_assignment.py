"""Who says whose a record is and where its lead comes from: a sync request, the prospect, a rule. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Creator
from leadbus.connector.delivering.profiles import field_updates
from leadbus.connector.settings.assignment import AssignmentCase, AssignmentRule
from leadbus.event_types import EventType
from leadbus.messages import SyncRequest


def request_of(delivery: Delivery) -> SyncRequest:
    """The terms of a sync request that is not done yet; none: the connection's rules hold."""
    terms = delivery.terms
    return terms.request if terms is not None and terms.pending else SyncRequest()


def owner_of_existing(delivery: Delivery, connection: Connection) -> str | None:
    """The email of the CRM's user who is to own a record that exists; None = it stays whose it is."""
    request, here = request_of(delivery), delivery.owner
    if request.update_existing is False or not delivery.may_create:
        return None
    if request.update_existing and request.owner_email:
        return request.owner_email
    if here is not None:
        return here.email if here.pending and field_updates(connection)["marketing"] else None
    return rule_owner(delivery, connection, is_there=True)


def source_of_existing(delivery: Delivery, connection: Connection) -> str | None:
    """The lead source that a record which exists is to get; None = it stays what it is."""
    request = request_of(delivery)
    if request.update_existing is False or not delivery.may_create:
        return None
    asked = request.lead_source if request.update_existing else None
    return asked or rule_source(delivery, connection, is_there=True)


def rule_for(delivery: Delivery, connection: Connection, *, is_there: bool) -> AssignmentRule | None:
    """The first one whose case holds.

    is_there: for a record that exists already: only when its lead is qualified or distributed, once, and only
    if that rule is for such records too.
    """
    rules = connection.settings.rules
    found = next((rule for rule in rules if _holds(rule.when, delivery)), None)
    if found is not None and is_there and not (found.existing and _arrives(delivery)):
        return None
    return found


def rule_owner(delivery: Delivery, connection: Connection, *, is_there: bool) -> str | None:
    """The email of the CRM user that a rule names; in lower case."""
    rule = rule_for(delivery, connection, is_there=is_there)
    return rule.owner_email if rule else None


def rule_source(delivery: Delivery, connection: Connection, *, is_there: bool) -> str | None:
    """The lead source that a rule names."""
    rule = rule_for(delivery, connection, is_there=is_there)
    return rule.lead_source or None if rule else None


def _arrives(delivery: Delivery) -> bool:
    return any(not (right.reported or right.assigned) for right in _rights(delivery))


def _rights(delivery: Delivery) -> list[Creator]:
    """But for those that wait for their profile."""
    return [creator for creator in delivery.creators.values() if not creator.held]


def _of_profile(delivery: Delivery, profile: str) -> bool:
    return any(right.profile == profile for right in _rights(delivery))


def _of_supplier(delivery: Delivery, supplier_id: str) -> bool:
    return any(c.origin and c.origin.supplier_id == supplier_id for c in _rights(delivery))


def _of_campaign(delivery: Delivery, campaign_id: str) -> bool:
    membership = delivery.memberships.get(campaign_id)
    if membership is not None and membership.member:
        return True
    return any(right.campaign_id == campaign_id for right in _rights(delivery))


def _of_country(delivery: Delivery, country: str) -> bool:
    known = delivery.fields.get("country")
    return known is not None and known.value.strip().casefold() == country.casefold()


def _did(delivery: Delivery, type_: EventType) -> bool:
    return any(activity.type is type_ for activity in delivery.activities.values())


def _submitted(delivery: Delivery, form: str) -> bool:
    submitted = (a.subject for a in delivery.activities.values() if a.type is EventType.FORM_SUBMISSION)
    return any(subject is not None and subject.casefold() == form.casefold() for subject in submitted)


_CONDITIONS: Mapping[str, Callable[[Delivery, Any], bool]] = {
    "profile": _of_profile,
    "supplier_id": _of_supplier,
    "campaign_id": _of_campaign,
    "country": _of_country,
    "event_type": _did,
    "form": _submitted,
}
"""By the member of a case that asks for it."""


def _holds(case: AssignmentCase, delivery: Delivery) -> bool:
    wanted = {name: getattr(case, name) for name in _CONDITIONS}
    return all(_CONDITIONS[name](delivery, value) for name, value in wanted.items() if value is not None)
