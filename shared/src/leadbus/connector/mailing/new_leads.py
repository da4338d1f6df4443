"""New leads as mails to the default lead owners: one for each distribution and each qualification. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from leadbus.connector.connection import Connection
from leadbus.connector.mailing.actions import facts_of
from leadbus.connector.mailing.letters import GROWING, MOST_NAMED
from leadbus.connector.mailing.mail import Mail, mails, shown
from leadbus.connector.statuses import recommended_way
from leadbus.event_types import TRAITS
from leadbus.messages import Fields, LeadDistributed, LeadQualified

NewLead = LeadDistributed | LeadQualified

WAITS_FOR_THE_RECORD = timedelta(seconds=3)
"""Enough for a CRM that is well, so that the mail leads to the record; the mail goes whether or not."""
MOST_AT_ONCE = 10
"""People who qualify, told one by one; beyond that those of five minutes are told together: turning a
connection on qualifies everybody who is above its threshold already."""
TOGETHER = timedelta(minutes=5)
GRACE = timedelta(seconds=30)
"""For a transaction that began in time."""
MOST_DID = 10
MOST_LETTERS = 1_000


def new_lead_mails(
    connection: Connection, leads: Sequence[NewLead], *, lately: int = 0, now: datetime | None = None
) -> list[Mail]:
    """All of one batch. A supplier's leads are told one by one, as each is answered for itself.

    lately: how many have qualified in the five minutes before. What is told together is the same mail for
    every batch of five minutes by the clock, and grows in the spool.
    """
    owners = connection.settings.default_owners
    qualified = [lead for lead in leads if isinstance(lead, LeadQualified)]
    together = lately + len(qualified) > MOST_AT_ONCE
    alone = [lead for lead in leads if not (together and isinstance(lead, LeadQualified))]
    found = [mail for lead in alone for mail in _one(connection, lead)]
    if together and qualified:
        now = now or datetime.now(UTC)
        begun = now - (now - datetime.min.replace(tzinfo=UTC)) % TOGETHER
        named = sorted(qualified, key=lambda lead: -lead.score)[:MOST_NAMED]
        rows = [_in_short(lead) for lead in named]
        facts = {"count": len(qualified), "leads": rows}
        said, due = (connection.id, begun.isoformat()), begun + TOGETHER + GRACE
        found += mails(connection, owners, GROWING, facts, *said, due=due)
    return found


def _one(connection: Connection, lead: NewLead) -> list[Mail]:
    return mails(
        connection,
        connection.settings.default_owners,
        "new_lead",
        _facts(connection, lead),
        *_name(lead),
        due=datetime.now(UTC) + WAITS_FOR_THE_RECORD,
        prospect_id=lead.prospect_id,
    )


def _name(lead: NewLead) -> tuple[str, ...]:
    """What is mailed of once. A supplier's ids are its own, and a person's: others have the same."""
    if isinstance(lead, LeadDistributed):
        return (lead.prospect_id, lead.supplier_id, lead.distribution_id)
    return (lead.event_id,)


def _facts(connection: Connection, lead: NewLead) -> Mapping[str, Any]:
    fields = lead.fields
    details = (
        ("Name", _person(fields)),
        ("Job title", fields.title),
        ("Company", fields.company),
        ("Email", lead.email),
        ("Phone", fields.phone),
        ("Mobile", fields.mobile),
        ("Place", ", ".join(filter(None, (fields.city, fields.country)))),
    )
    return {
        "name": _person(fields) or lead.email or "somebody",
        "company": fields.company,
        "supplier": _supplier(lead),
        "score": getattr(lead, "score", None),
        "details": [[label, value] for label, value in details if value],
        "comments": (fields.comments or "")[:MOST_LETTERS],
        "did": _did(connection, lead),
        **(facts_of(lead, _way(connection, lead)) if isinstance(lead, LeadDistributed) else {}),
    }


def _way(connection: Connection, lead: LeadDistributed) -> str:
    """How to answer: in the CRM only what is there."""
    way = recommended_way(connection.settings)
    return way if connection.takes(lead) or way != "crm" else "email"


def _did(connection: Connection, lead: NewLead) -> list[dict[str, str]]:
    """The newest of what is known of a person, oldest first."""
    activities = lead.activities if isinstance(lead, LeadQualified) else []
    newest = sorted(activities, key=lambda activity: activity.occurred_at)[-MOST_DID:]
    return [
        {
            "at": shown(activity.occurred_at, connection),
            "what": TRAITS[activity.type].label,
            "about": activity.subject or activity.url or "",
        }
        for activity in newest
    ]


def _in_short(lead: LeadQualified) -> dict[str, Any]:
    return {
        "name": _person(lead.fields) or lead.email or "somebody",
        "company": lead.fields.company,
        "email": lead.email or "",
        "score": lead.score,
    }


def _person(fields: Fields) -> str:
    return " ".join(filter(None, (fields.first_name, fields.last_name)))


def _supplier(lead: NewLead) -> str | None:
    return (lead.supplier_name or lead.supplier_id) if isinstance(lead, LeadDistributed) else None
