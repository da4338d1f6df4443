"""Opportunities with our leads: one event for each of their people whose record we link to. Pure."""

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
    """Published if something of it is news, or somebody new is concerned."""
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
    freed = frees(before, after)
    if after.problem is not None and after.problem.blocking:
        return Taken([], after, set(), freed)
    concerned = _concerned(row, known)
    after.details = {PEOPLE: " ".join(sorted(concerned))}
    told_to = set() if before is None or is_first(before) else _told_to(before)
    is_news = before is None or is_first(before) or before.values != values
    events: list[Told] = [
        (CRM_OPPORTUNITIES, _event(row, known, concerned[who], email_of(row, known).get(who), values))
        for who in sorted(concerned)
        if is_news or who not in told_to
    ]
    return Taken(events, after, set(), freed)


def prospects_of(row: Opportunity, known: Known) -> set[str]:
    """The people of an opportunity, by their emails or by what the mirror knows of its contacts."""
    return set(email_of(row, known))


def email_of(row: Opportunity, known: Known) -> dict[str, str | None]:
    """The email of each of its people, by prospect."""
    tenant = known.connection.settings.tenant_id
    contacts = (known.people.get(key) for key in row.contact_ids)
    mirrored = {c.prospect_id: valid_email(c.email) for c in contacts if c is not None and c.prospect_id}
    emails = filter(None, (valid_email(email) for email in row.contact_emails))
    return {**mirrored, **{prospect_id(tenant, email=email): email for email in emails}}


def _concerned(row: Opportunity, known: Known) -> dict[str, Link]:
    return {who: known.linked[who] for who in prospects_of(row, known) if who in known.linked}


def _told_to(before: MirrorRow) -> set[str]:
    return set(before.details.get(PEOPLE, "").split())


def _deleted(row: Row, known: Known) -> Taken:
    before, after = known.before(row), gone(row, known)
    if after is None or before is None:
        return Taken()
    events: list[Told] = []
    for who in sorted(_told_to(before)) if not is_first(before) else ():
        event = about_prospect(
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
        events.append((CRM_OPPORTUNITIES, event))
    return Taken(events, after, set(), frees(before, after))


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
