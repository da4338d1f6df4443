"""Opportunities with our leads: one event for each of their people whose record we link to. Pure."""

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Opportunity, Row
from leadbus.connector.link import Link
from leadbus.connector.pulling.problems import problem_of
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken, Told, frees, gone, is_first, remembered
from leadbus.connector.taking.telling import about_prospect, valid_email
from leadbus.ids import prospect_id
from leadbus.messages import OpportunityChanged
from leadbus.topics import CRM_OPPORTUNITIES

PEOPLE = "people"
"""Among `details`: prospects that it was told to, so that who is linked later hears of it too."""


def take(row: Row, known: Known) -> Taken:
    """Published if something of it is news, or somebody new is concerned, or somebody is no longer."""
    before = known.before(row)
    if row.deleted or not isinstance(row, Opportunity):
        return _deleted(row, known)
    values = {
        **row.values,
        "name": row.name,
        "stage": row.stage or "",
        "amount": row.amount or "",
        "currency": row.currency or "",
        "close_date": row.close_date.isoformat() if row.close_date else "",
        "probability": "" if row.probability is None else str(row.probability),
        "lead_source": row.lead_source or "",
    }
    after = remembered(row, "opportunity", known, values, problem_of(row, "opportunity", known))
    after.name, after.account_id, after.refs = row.name, row.account_id, sorted(row.contact_ids)
    freed, told_to = frees(before, after), _told_to(before)
    left = told_to - prospects_of(row, known)
    ends: list[Told] = (
        [(CRM_OPPORTUNITIES, _gone_for(who, row, known, before)) for who in sorted(left)] if before else []
    )
    if after.problem is not None and after.problem.blocking:
        after.details = {PEOPLE: " ".join(sorted(told_to - left))}
        return Taken(ends, after, set(), freed)
    concerned = _concerned(row, known)
    after.details = {PEOPLE: " ".join(sorted(concerned))}
    is_news = before is None or is_first(before) or before.values != values
    events: list[Told] = [
        (CRM_OPPORTUNITIES, _event(row, known, concerned[who], email_of(row, known).get(who), values))
        for who in sorted(concerned)
        if is_news or who not in told_to
    ]
    return Taken(events + ends, after, set(), freed)


def prospects_of(row: Opportunity, known: Known) -> set[str]:
    """The people of an opportunity, by their emails or by what the mirror knows of its contacts."""
    return set(email_of(row, known))


def email_of(row: Opportunity, known: Known) -> dict[str, str | None]:
    """The email of each of its people, by prospect."""
    tenant = known.connection.settings.tenant_id
    contacts = (known.people.get(key) for key in row.contact_ids)
    living = [c for c in contacts if c is not None and not c.deleted]
    mirrored = {c.prospect_id: valid_email(c.email) for c in living if c.prospect_id}
    emails = filter(None, (valid_email(email) for email in row.contact_emails))
    return {**mirrored, **{prospect_id(tenant, email=email): email for email in emails}}


def _concerned(row: Opportunity, known: Known) -> dict[str, Link]:
    linked = {who: known.linked[who] for who in prospects_of(row, known) if who in known.linked}
    return {who: link for who, link in linked.items() if _is_wanted(link, known.connection)}


def _is_wanted(link: Link, connection: Connection) -> bool:
    """By the profile that brought the lead; of distributed ones the connection's own alone."""
    settings = connection.settings
    if settings.lead_distribution.on and connection.origins_of(link.origins):
        return settings.lead_distribution.opportunities
    return settings.marketing_automation.on and settings.marketing_automation.opportunities


def _told_to(before: MirrorRow | None) -> set[str]:
    """Who believes that it is there."""
    return set(before.details.get(PEOPLE, "").split()) if before is not None and not before.deleted else set()


def _deleted(row: Row, known: Known) -> Taken:
    before, after = known.before(row), gone(row, known)
    if after is None or before is None:
        return Taken()
    events: list[Told] = [
        (CRM_OPPORTUNITIES, _gone_for(who, row, known, before)) for who in sorted(_told_to(before))
    ]
    return Taken(events, after, set(), frees(before, after))


def _gone_for(who: str, row: Row, known: Known, before: MirrorRow) -> OpportunityChanged:
    """Deleted, or no longer an opportunity with this one."""
    return about_prospect(
        OpportunityChanged,
        row,
        known,
        who,
        known.linked.get(who),
        "deleted",
        name=before.name,
        stage=before.values.get("stage") or None,
        amount=before.values.get("amount") or None,
        currency=before.values.get("currency") or None,
        deleted=True,
    )


def _event(
    row: Opportunity, known: Known, link: Link, email: str | None, values: dict[str, str]
) -> OpportunityChanged:
    return about_prospect(
        OpportunityChanged,
        row,
        known,
        link.prospect_id,
        link,
        values,
        email=email,
        name=row.name,
        stage=row.stage,
        amount=row.amount,
        currency=row.currency,
        close_date=row.close_date,
        probability=row.probability,
        lead_source=row.lead_source,
    )
