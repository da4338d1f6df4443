"""Lists of people and who is on them. Pure; the members are walked by `leadbus.connector.pulling.listing`.

What holds for a list is its `ListRule`. What its rule does not want told is not remembered as told either:
once the rule does, it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from leadbus.connector.contract import CrmList, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.settings import ConnectionSettings, ListRule
from leadbus.connector.settings.lists import plain, rule_of
from leadbus.connector.stores.members import BATCH, ListMember
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known, Taken, Told, gone, is_first, remembered
from leadbus.connector.taking.telling import about_record, valid_email
from leadbus.ids import derived_id
from leadbus.messages import CrmListChanged, Fields, Member, Record
from leadbus.topics import CRM_LISTS

WALKED = "walked"
"""Among `details`: the run that last saw all members."""
IMPORTED = "imported"
"""Among `details`: the run that imported a list which is to be imported once."""
FOUND_AS = "found_as"
"""Among `details`: by what name of a rule it was found, which it keeps when it is renamed in the CRM."""
OWN_NAME, LIST_ID = "own_name", "list_id"
"""Among `values`: what the settings say about a list."""
LONGEST_VALUE = 1_000
MOST_CHARACTERS = 200_000
"""Of all fields in one event; a topic takes five times as much."""
Flat = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a page of members changes. members: to be remembered, also those who were told before.

    updated: told before, with other fields. fields: of those who are to be told, by our names.
    """

    added: Sequence[ListMember]
    members: Sequence[ListMember]
    updated: Sequence[ListMember] = ()
    fields: Mapping[Record, Flat] = field(default_factory=dict)


def how_pulled(
    settings: ConnectionSettings, record_id: str, name: str, details: Flat | None = None
) -> ListRule | None:
    """What holds for a list of the CRM; None = nothing is told of it. details: what is remembered of it."""
    if not settings.marketing_automation.reads_lists:
        return None
    earlier = (details or {}).get(FOUND_AS, "")
    return rule_of(settings.lists, record_id, name, earlier, all_lists=settings.all_lists)


def is_over(rule: ListRule, of: MirrorRow) -> bool:
    """Whether it was to be imported once, and has been."""
    return rule.keep == "once" and IMPORTED in of.details


def take(row: Row, known: Known) -> Taken:
    """A list that was made, renamed or deleted; its members come apart. One that we made is no news."""
    before = known.before(row)
    name = row.name if isinstance(row, CrmList) and not row.deleted else before.name if before else ""
    details = before.details if before else {}
    rule = how_pulled(known.connection.settings, row.record.id, name or "", details)
    if rule is None or (before is not None and is_over(rule, before)):
        return Taken()
    if row.deleted or not isinstance(row, CrmList):
        after = gone(row, known)
        if after is None or before is None:
            return Taken()
        return Taken([] if is_first(before) else [_told(row, known, after, "deleted")], after)
    if row.record.id in known.ours:
        return Taken()
    own = {OWN_NAME: rule.name, LIST_ID: rule.list_id}
    values = {**row.values, "name": row.name, "type": row.list_type or ""}
    values |= {name: value for name, value in own.items() if value}
    after = remembered(row, "list", known, values, before.problem if before else None)
    after.name, after.details = row.name, details
    if rule.plain_name == plain(row.name):
        after.details = details | {FOUND_AS: row.name}
    is_news = before is None or is_first(before) or before.values != values
    return Taken([_told(row, known, after, values)] if is_news else [], after)


def compare(
    connection_id: str,
    list_id: str,
    run: str,
    page: Sequence[Record],
    on_list: Mapping[Record, ListMember],
    people: Mapping[Record, MirrorRow],
    rule: ListRule,
    fields: FieldMap,
) -> Difference:
    """A page of members against those known. Who is no prospect yet is told once it is one."""
    added, members, updated, told_fields = [], [], [], dict[Record, Flat]()
    for record in dict.fromkeys(page):
        known, person = on_list.get(record), people.get(record)
        was_told = known is not None and bool(known.prospect_id)
        prospect, email = (person.prospect_id, valid_email(person.email)) if person else (None, None)
        if known is not None and was_told:
            prospect, email = known.prospect_id, known.email
        told = prospect if email and (was_told or rule.pull.add) else None
        chosen = _chosen(person, rule, fields) if told else {}
        said = known.said if known is not None and was_told else ""
        is_updated = was_told and _wants_updates(rule) and person is not None and _digest(chosen) != said
        if is_updated or not was_told:
            said = _digest(chosen)
        member = ListMember(
            connection_id, list_id, record, run, told, email if told else None, said if told else ""
        )
        members.append(member)
        if told and not was_told:
            added.append(member)
        elif is_updated:
            updated.append(member)
        if (told and not was_told) or is_updated:
            told_fields[record] = chosen
    return Difference(added, members, updated, told_fields)


def changes(
    of: MirrorRow,
    known: Known,
    *,
    added: Sequence[ListMember] = (),
    updated: Sequence[ListMember] = (),
    removed: Sequence[ListMember] = (),
    fields: Mapping[Record, Flat] | None = None,
) -> list[Told]:
    """Events of bounded size about who was put on a list or taken off, or has other fields.

    Their ids name the last whole walk over the members: a repeat after a crash has the same, and a person
    who is put on again later another.
    """
    events = []
    walked, fields = of.details.get(WALKED, ""), fields or {}
    for members, name in ((added, "added"), (updated, "updated"), (removed, "removed")):
        told = [m for m in members if m.prospect_id and m.email]
        for some in _bounded(told, fields):
            row = CrmList(of.record, name=of.name, changed_at=of.changed_at)
            who = [m.record.id + (f" {m.said}" if m.said and name == "updated" else "") for m in some]
            people = [
                Member(
                    prospect_id=m.prospect_id or "", email=m.email or "", fields=_valid(fields.get(m.record))
                )
                for m in some
            ]
            events.append(_told(row, known, of, [name, walked, derived_id(*who)], **{name: people}))
    return events


def _told(row: Row, known: Known, of: MirrorRow, changed: object, **members: list[Member]) -> Told:
    event = about_record(
        CrmListChanged,
        row,
        known,
        changed,
        name=of.name,
        own_name=of.values.get(OWN_NAME) or None,
        list_id=of.values.get(LIST_ID) or None,
        list_type=of.values.get("type") or None,
        **members,
    )
    return CRM_LISTS, event


def _chosen(person: MirrorRow | None, rule: ListRule, fields: FieldMap) -> Flat:
    """The rule's fields of a person as the CRM has them, by our names; empty ones are left out."""
    if person is None or person.kind is None or not rule.pull_fields:
        return {}
    read = fields.from_crm(person.kind, person.values)
    return {name: read[name][:LONGEST_VALUE] for name in rule.pull_fields if name in read}


def _wants_updates(rule: ListRule) -> bool:
    return rule.pull.update and bool(rule.pull_fields)


def _digest(chosen: Flat) -> str:
    return derived_id(*(part for pair in sorted(chosen.items()) for part in pair)) if chosen else ""


def _valid(chosen: Flat | None) -> Fields:
    """What a message cannot hold (a birthday that is no date) is left out."""
    flat = dict(chosen or {})
    try:
        return Fields.from_flat(flat)
    except ValidationError:
        return Fields.from_flat({name: value for name, value in flat.items() if _is_valid(name, value)})


def _is_valid(name: str, value: str) -> bool:
    try:
        Fields.from_flat({name: value})
    except ValidationError:
        return False
    return True


def _bounded(members: Sequence[ListMember], fields: Mapping[Record, Flat]) -> Iterator[list[ListMember]]:
    """Parts of at most so many members, with fields of at most so many characters."""
    part: list[ListMember] = []
    size = 0
    for member in members:
        more = sum(map(len, fields.get(member.record, {}).values()))
        if part and (len(part) >= BATCH or size + more > MOST_CHARACTERS):
            yield part
            part, size = [], 0
        part.append(member)
        size += more
    if part:
        yield part
