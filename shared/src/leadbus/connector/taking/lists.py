"""Lists of people and who is on them. Pure; the members are walked by `leadbus.connector.pulling.listing`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadbus.connector.contract import CrmList, Row
from leadbus.connector.stores.members import BATCH, ListMember
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken, Told, gone, is_first, remembered
from leadbus.connector.taking.telling import about_record, valid_email
from leadbus.ids import derived_id
from leadbus.messages import CrmListChanged, Member, Record
from leadbus.topics import CRM_LISTS

WALKED = "walked"
"""Among `details`: the run that last saw all members."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a page of members changes. members: to be remembered, also those who were told before."""

    added: Sequence[ListMember]
    members: Sequence[ListMember]


def take(row: Row, known: Known) -> Taken:
    """A list that was made, renamed or deleted; its members come apart. One that we made is no news."""
    before = known.before(row)
    if row.deleted or not isinstance(row, CrmList):
        after = gone(row, known)
        if after is None or before is None:
            return Taken()
        return Taken([] if is_first(before) else [_told(row, known, after, "deleted")], after)
    if row.record.id in known.ours:
        return Taken()
    values = {**row.values, "name": row.name, "type": row.list_type or ""}
    after = remembered(row, "list", known, values, None)
    after.name, after.details = row.name, before.details if before else {}
    is_news = before is None or is_first(before) or before.values != values
    return Taken([_told(row, known, after, values)] if is_news else [], after)


def compare(
    connection_id: str,
    list_id: str,
    run: str,
    page: Sequence[Record],
    on_list: Mapping[Record, ListMember],
    people: Mapping[Record, MirrorRow],
) -> Difference:
    """A page of members against those known. Who is no prospect yet is told once it is one."""
    added, members = [], []
    for record in page:
        known, person = on_list.get(record), people.get(record)
        prospect, email = (person.prospect_id, valid_email(person.email)) if person else (None, None)
        if known is not None and known.prospect_id:
            prospect, email = known.prospect_id, known.email
        told = prospect if email else None
        member = ListMember(connection_id, list_id, record, run, told, email if told else None)
        members.append(member)
        if told and (known is None or known.prospect_id is None):
            added.append(member)
    return Difference(added, members)


def changes(
    of: MirrorRow, known: Known, *, added: Sequence[ListMember] = (), removed: Sequence[ListMember] = ()
) -> list[Told]:
    """Events of bounded size about who was put on a list or taken off.

    Their ids name the last whole walk over the members: a repeat after a crash has the same, and a person
    who is put on again later another.
    """
    events = []
    walked = of.details.get(WALKED, "")
    for members, name in ((added, "added"), (removed, "removed")):
        told = [m for m in members if m.prospect_id and m.email]
        for start in range(0, len(told), BATCH):
            some = told[start : start + BATCH]
            row = CrmList(of.record, name=of.name, changed_at=of.changed_at)
            changed = [name, walked, derived_id(*(m.record.id for m in some))]
            people = [Member(prospect_id=m.prospect_id or "", email=m.email or "") for m in some]
            events.append(_told(row, known, of, changed, **{name: people}))
    return events


def _told(row: Row, known: Known, of: MirrorRow, changed: object, **members: list[Member]) -> Told:
    list_type = of.values.get("type") or None
    event = about_record(CrmListChanged, row, known, changed, name=of.name, list_type=list_type, **members)
    return CRM_LISTS, event
