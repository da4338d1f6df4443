"""The status of a lead, and what a status or a field of the CRM answers about distributed ones. Pure."""

from collections.abc import Iterator

from leadbus.connector import statuses
from leadbus.connector.contract import Person
from leadbus.connector.link import Link
from leadbus.connector.stores.mirror import STATUS, MirrorRow
from leadbus.connector.taking.known import Known, Told
from leadbus.connector.taking.telling import about_prospect, valid_email
from leadbus.ids import derived_id
from leadbus.messages import Answer, LeadAnswered, LeadStatusChanged
from leadbus.topics import CRM_LEAD_STATUS, LEADS_ANSWERED

WHO = "a user of the CRM"


def take(row: Person, known: Known, before: MirrorRow | None) -> list[Told]:
    """Of records that we link to; what a record that was there already had is no news."""
    links = known.links.get(row.record.id, ())
    if before is None or not links:
        return []
    settings = known.connection.settings
    events: list[Told] = []
    answers = set[Answer]()
    if _is_new_status(row, before):
        previous = before.known(STATUS)
        events += [(CRM_LEAD_STATUS, _status(row, known, link, previous)) for link in links]
        answers.update(filter(None, [statuses.answer_of(settings, row.status)]))
    answers.update(filter(None, [_by_field(row, known, before, links[0])]))
    events += [
        (LEADS_ANSWERED, answered)
        for link in links
        for answer in sorted(answers)
        for answered in _answered(row, known, link, answer)
    ]
    return events


def _is_new_status(row: Person, before: MirrorRow) -> bool:
    if row.status is None or STATUS not in {*before.values, *before.ours}:
        return False
    return before.is_news(STATUS, row.status)


def _status(row: Person, known: Known, link: Link, previous: str) -> LeadStatusChanged:
    return about_prospect(
        LeadStatusChanged,
        row,
        known,
        link.prospect_id,
        link,
        [row.status, previous],
        email=valid_email(row.email),
        status=row.status,
        lead_status=statuses.in_our_words(known.connection.settings, row.status),
        previous_status=previous or None,
    )


def _by_field(row: Person, known: Known, before: MirrorRow, link: Link) -> Answer | None:
    """What the field says, if it said something else, or nothing, when it was last read or written.

    A box that was never ticked says nothing.
    """
    field = known.connection.settings.answer_field
    if field is None or field.of != row.kind or field.crm_field not in row.values:
        return None
    name, value = field.crm_field, row.values[field.crm_field]
    if value == "false" and not before.known(name):
        return None
    is_known = name in {*before.values, *before.ours} or (before.kind is None and link.made == "created")
    return field.values.get(value) if is_known and before.is_news(name, value) else None


def _answered(row: Person, known: Known, link: Link, answer: Answer) -> Iterator[LeadAnswered]:
    """For each distribution behind it. Its id holds when it changed: a repeat is no second one."""
    connection, at = known.connection, row.changed_at or known.at
    for origin in connection.origins_of(link.origins):
        yield LeadAnswered(
            event_id=derived_id(
                "answer in the CRM",
                connection.id,
                row.record.module,
                row.record.id,
                origin.supplier_id,
                origin.distribution_id,
                answer,
                at.isoformat(),
            ),
            tenant_id=connection.settings.tenant_id,
            occurred_at=at,
            prospect_id=link.prospect_id,
            distribution_id=origin.distribution_id,
            supplier_id=origin.supplier_id,
            answer=answer,
            by="crm",
            connection_id=connection.id,
            who=WHO,
            lead_trace_id=link.lead_trace_id,
        )
