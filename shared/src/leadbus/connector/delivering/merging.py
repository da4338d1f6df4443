"""What each kind of fact changes in a delivery. The same whatever order facts come in, and however often."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from leadbus.connector.delivering.memberships import merged
from leadbus.connector.delivering.parts import (
    Address,
    Creator,
    FieldFact,
    LeadStatus,
    Older,
    OwedTask,
    Owner,
    Profile,
    Said,
    State,
    Terms,
)
from leadbus.connector.delivering.scores import Score
from leadbus.event_types import EventType
from leadbus.messages import (
    Activity,
    LeadActivities,
    LeadDistributed,
    LeadQualified,
    LeadScored,
    Origin,
    ProspectUpdated,
    SubscriptionChanged,
    SyncRequest,
)

if TYPE_CHECKING:
    from leadbus.connector.delivering.delivery import Delivery

Fact = LeadDistributed | LeadQualified | LeadActivities | LeadScored | ProspectUpdated | SubscriptionChanged

MOST_ACTIVITIES = 500
"""Waiting ones; older ones are summed up in one note."""
MOST_CREATORS = 200
"""Facts with the right to create that are remembered, newest first; enough to tell a repeat. Nobody waits to
hear of more requests to sync one person than that, nor needs the tasks of the others."""


def take(delivery: "Delivery", fact: Fact, traceparent: bytes | None) -> None:
    """Adds what a fact says to what is known and owed; its traceparent goes with the hop it makes."""
    _reach(delivery, fact)
    match fact:
        case LeadDistributed():
            origin = Origin(supplier_id=fact.supplier_id, distribution_id=fact.distribution_id)
            creator = Creator(fact.occurred_at, origin, campaign_id=fact.campaign_id, noted=False)
            if may_create(delivery, distribution_right(fact), creator):
                delivery.note(fact.received_at, f"received by ingest from {fact.supplier_id}", traceparent)
            _say(delivery, fact.fields.flat(), {}, fact, "distribution")
        case LeadQualified():
            may_create(delivery, fact.event_id, Creator(fact.occurred_at, marketing=True))
            _say(delivery, fact.fields.flat(), fact.said_at, fact, "marketing")
            _add(delivery, fact.activities)
            _scored(delivery, fact.score, fact.version)
        case LeadActivities():
            _say(delivery, fact.fields.flat(), fact.said_at, fact, "marketing")
            _add(delivery, fact.activities)
            _scored(delivery, fact.score, fact.version)
        case LeadScored():
            _scored(delivery, fact.score, fact.version)
        case ProspectUpdated():
            _say(delivery, fact.fields.flat() if fact.fields else {}, {}, fact, "marketing")
            if fact.subscription is not None:
                word = fact.subscription
                said = Said(word.at, fact.event_id, word.explicit)
                delivery.consent = delivery.consent.heard(word.status, said)
            _is(delivery, fact)
            delivery.memberships = merged(delivery.memberships, fact)
            if fact.sync is not None:
                _asked(delivery, fact.sync, fact, traceparent)
        case SubscriptionChanged():
            said = Said(fact.occurred_at, fact.event_id, fact.explicit, fact.connection_id)
            delivery.consent = delivery.consent.heard(fact.status, said)


def _reach(delivery: "Delivery", fact: Fact) -> None:
    """Under which email the prospect is found, now and before."""
    if fact.email is None:
        return
    previous = fact.previous_email if isinstance(fact, ProspectUpdated) else None
    changed = previous is not None and previous != fact.email
    address = Address(fact.email, fact.occurred_at, fact.event_id, changed, pending=changed)
    if previous is not None and changed:
        delivery.former.add(previous)
    if delivery.address is None or address.rank > delivery.address.rank:
        delivery.address = address


def _is(delivery: "Delivery", fact: ProspectUpdated) -> None:
    """Its state, owner and status. What the CRM could not follow, it need not be asked again."""
    if fact.state is not None:
        state, known = State(fact.state, fact.occurred_at, fact.event_id), delivery.state
        if known is not None and known.refused is not None and known.value == state.value:
            state = replace(state, pending=False, refused=known.refused)
        if known is None or state.rank > known.rank:
            delivery.state = state
    if fact.owner_email is not None:
        owner = Owner(fact.owner_email, fact.occurred_at, fact.event_id)
        if delivery.owner is None or owner.rank > delivery.owner.rank:
            delivery.owner = owner
    if fact.lead_status is not None:
        status = LeadStatus(fact.lead_status, fact.occurred_at, fact.event_id)
        if delivery.lead_status is None or status.rank > delivery.lead_status.rank:
            delivery.lead_status = status


def _asked(
    delivery: "Delivery", request: SyncRequest, fact: ProspectUpdated, traceparent: bytes | None
) -> None:
    """The right to create, on terms of its own, and perhaps a task."""
    terms = Terms(request, fact.occurred_at, fact.event_id)
    if delivery.terms is None or terms.rank > delivery.terms.rank:
        delivery.terms = terms
    if may_create(delivery, fact.event_id, Creator(fact.occurred_at)):
        delivery.note(fact.received_at, "asked for by a sync request", traceparent)
        if request.task is not None:
            delivery.tasks[fact.event_id] = OwedTask(request.task, fact.received_at, request.owner_email)
        if request.update_existing and fact.fields:
            _say_again(delivery, fact.fields.flat())


def may_create(delivery: "Delivery", event_id: str, creator: Creator) -> bool:
    """Whether that is news."""
    if event_id in delivery.creators:
        return False
    if (
        not delivery.creators and delivery.lead_status is not None
    ):  # said before there was a record to give it to
        delivery.lead_status = replace(delivery.lead_status, pending=True)
    delivery.creators[event_id] = creator
    for older in sorted(delivery.creators, key=lambda c: (delivery.creators[c].at, c))[:-MOST_CREATORS]:
        if delivery.creators[older].reported or delivery.creators[older].profile is None:
            del delivery.creators[older]
            delivery.tasks.pop(older, None)
    return event_id in delivery.creators


def _say_again(delivery: "Delivery", values: dict[str, str]) -> None:
    """What a request brings is to be written, also if it was said and left out before."""
    for name, value in values.items():
        if delivery.fields[name].value == value:
            delivery.fields[name] = replace(delivery.fields[name], pending=True)


def _say(
    delivery: "Delivery", values: dict[str, str], said_at: dict[str, datetime], fact: Fact, profile: Profile
) -> None:
    for name, value in values.items():
        said = FieldFact(value, said_at.get(name, fact.occurred_at), fact.event_id, profile)
        known = delivery.fields.get(name)
        if known is None or said.rank > known.rank:
            delivery.fields[name] = replace(said, written=known.written if known else None)


def _add(delivery: "Delivery", activities: list[Activity]) -> None:
    for activity in activities:
        if activity.event_id not in delivery.added:
            delivery.activities[activity.event_id] = activity
        if activity.type is EventType.EMAIL_UNSUBSCRIBE:
            said = Said(activity.occurred_at, activity.event_id, explicit=True)
            delivery.consent = delivery.consent.heard("opted_out", said)
    beyond = sorted(delivery.activities.values(), key=_time_order)[:-MOST_ACTIVITIES]
    for activity in beyond:
        del delivery.activities[activity.event_id]
        at = activity.occurred_at
        known = delivery.older or Older(0, at, at)
        delivery.older = Older(known.count + 1, min(known.first, at), max(known.last, at))


def _scored(delivery: "Delivery", score: int, version: int) -> None:
    delivery.score = delivery.score.said(score, version) if delivery.score else Score(score, version)


def distribution_right(fact: LeadDistributed) -> str:
    """Under what name a distribution's right to create is kept: suppliers' ids are their own."""
    return f"distribution:{fact.supplier_id}:{fact.distribution_id}"


def _time_order(activity: Activity) -> tuple[datetime, str]:
    return (activity.occurred_at, activity.event_id)
