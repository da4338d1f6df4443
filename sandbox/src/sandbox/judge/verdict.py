"""The verdict: counts of what arrived, and a sentence for each thing that did not, or arrived twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.crms.tables import Note, Record, Tables
from sandbox.judge.expectation import TOLD_AFTERWARDS, UNSURE, Activity, Person, Sent, Wanted
from sandbox.judge.topics import Heard, Message

UNNAMED = "Unknown"
"""Last name of whoever had given none when the record was created."""


Notes = Mapping[str, Mapping[str, Any]]
CLIENT = "client"
"""The state of a person who is a contact in some CRM."""


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people did by hand.

    seeds: records that were there before, by id. statuses: by record id. sold: the ids of opportunities
    with our people. unreadable: how many records on a topic nobody can read.
    """

    seeds: Notes = field(default_factory=dict)
    statuses: Notes = field(default_factory=dict)
    sold: frozenset[str] = frozenset()
    unreadable: int = 0


@dataclass(slots=True)
class Verdict:
    """figures: what the demo prints as JSON. The rest: a sentence for each fault.

    lost: accepted, and not in the CRM. unheard: done in the CRM, and not published. late: may still come
    right. wrong: will not come right by waiting.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def waits(self) -> int:
        """How many things may still come."""
        return len(self.lost) + len(self.unheard) + len(self.late)

    @property
    def faults(self) -> list[str]:
        """Everything that is not as it must be."""
        return [*self.lost, *self.duplicates, *self.doubled, *self.unheard, *self.late, *self.wrong]


def judge(sent: Sent, crms: Mapping[str, Tables], heard: Heard, deeds: Deeds) -> Verdict:
    """crms: by tenant. What is said of people is said by record and event id, or by their made-up email."""
    verdict = Verdict(wrong=[f"ingest misjudged an item: {fault}" for fault in sent.misjudged])
    if sent.unanswered:
        verdict.lost.append(f"{sent.unanswered} items were never answered")
    latencies: list[float] = []
    scored = _scored(heard)
    for tenant, tables in crms.items():
        people = sent.people.get(tenant, {})
        for person in people.values():
            _judge_person(verdict, person, tables, scored, latencies)
        _judge_records(verdict, tables, set(people), _emails_of_others(sent, tenant))
    _judge_seeds(verdict, crms, deeds)
    _judge_statuses(verdict, crms, heard, deeds)
    _judge_clients(verdict, crms, heard, deeds)
    _judge_opportunities(verdict, crms, heard, deeds)
    _judge_dead_letters(verdict, heard, deeds)
    verdict.figures = {
        "accepted": sent.accepted,
        "rejected": sent.rejected,
        "duplicates_dropped": sent.repeated,
        "scored": len({m["prospect_id"] for m in heard.of("leads.scored")}),
        "qualified": len({m["event_id"] for m in heard.of("leads.qualified")}),
        "distributed": sent.distributions,
        "crm_records": sum(record.ours for tables in crms.values() for record in tables.records),
        "crm_duplicate_emails": len(verdict.duplicates),
        "status_events": len(heard.once("crm.lead-status")),
        "opportunity_events": len(heard.once("crm.opportunities")),
        "dead_letters": heard.dead,
        "lost": len(verdict.lost),
        "latency_ms": {"p50": _quantile(latencies, 0.50), "p99": _quantile(latencies, 0.99)},
    }
    return verdict


def _scored(heard: Heard) -> dict[str, float]:
    """What people were scored last, by the ids of their records."""
    newest = {m["prospect_id"]: m for m in sorted(heard.of("leads.scored"), key=lambda m: m["version"])}
    delivered = [m for m in heard.of("crm.deliveries") if m.get("record") and m["prospect_id"] in newest]
    return {m["record"]["id"]: newest[m["prospect_id"]]["score"] for m in delivered}


def _judge_person(
    verdict: Verdict, person: Person, tables: Tables, scored: Mapping[str, float], latencies: list[float]
) -> None:
    records = tables.by_email.get(person.email, [])
    _judge_notes(verdict, person, tables)
    if person.wanted is not Wanted.YES:
        if person.wanted is Wanted.NO and any(record.ours for record in records):
            verdict.wrong.append(f"{person.email} has a record without having earned one ({person.score})")
        return
    if not records:
        verdict.lost.append(f"{person.email} has no record")
        return
    first = records[0]
    if first.ours and person.handed:
        sent_at, answered_at = person.handed
        if first.created >= sent_at:
            latencies.append(max(0.0, first.created - answered_at))
    if first.ours and person.last_names and first.last_name not in person.last_names | {UNNAMED}:
        verdict.wrong.append(f"{first.kind} {first.id} has another last name than was sent")
    if person.points:
        _judge_score(verdict, person, records, scored)


def _judge_score(
    verdict: Verdict, person: Person, records: Sequence[Record], scored: Mapping[str, float]
) -> None:
    """A CRM has a score that the person had within the last hour; scoring says which one it has by now."""
    told = {scored[record.id] for record in records if record.id in scored}
    if any(abs(score - person.score) >= UNSURE for score in told):
        verdict.late.append(f"{person.email} was scored {told} instead of {person.score}")
    held = [record.score for record in records if record.score is not None]
    least, most = person.extremes
    if not any(least - UNSURE < score < most + UNSURE for score in held):
        verdict.late.append(f"{person.email} has the scores {held} in its CRM, none from {least} to {most}")


def _judge_notes(verdict: Verdict, person: Person, tables: Tables) -> None:
    notes = tables.notes_on(person.email)
    written = Counter(note.text[:19] for note in notes)
    for activity in person.activities.values():
        if written[activity.second] > 1:
            verdict.doubled.append(f"event {activity.event_id} is {written[activity.second]} notes")
    if person.wanted is not Wanted.YES:
        return
    missing = [a for a in person.activities.values() if not any(_tells(note, a) for note in notes)]
    if len(person.activities) > TOLD_AFTERWARDS:
        del missing[: len(person.activities) - TOLD_AFTERWARDS]
    verdict.lost += [f"event {activity.event_id} is no note of {person.email}" for activity in missing]


def _tells(note: Note, activity: Activity) -> bool:
    text = note.text
    return text.startswith(activity.second) and activity.url in text and activity.subject in note.subject


def _emails_of_others(sent: Sent, tenant: str) -> set[str]:
    return {email for other, people in sent.people.items() if other != tenant for email in people}


def _judge_records(verdict: Verdict, tables: Tables, own: set[str], foreign: set[str]) -> None:
    for email, records in tables.by_email.items():
        # What a person enters by hand after us (a contact, when a lead is converted) is not our doubling.
        for record in records[1:]:
            if record.ours:
                verdict.duplicates.append(f"{record.kind} {record.id} is a second record of {email}")
    for record in tables.records:
        if record.ours and not record.emails:
            verdict.wrong.append(f"{record.kind} {record.id} is a record without an email")
        if record.ours and (foreign - own) & set(record.emails):
            verdict.wrong.append(f"{record.kind} {record.id} belongs to another tenant")
        if record.ours and record.misplaced:
            verdict.wrong.append(f"{record.kind} {record.id} is not of its tenant's team")


def _judge_seeds(verdict: Verdict, crms: Mapping[str, Tables], deeds: Deeds) -> None:
    known = {record.id: (record, tables.words) for tables in crms.values() for record in tables.records}
    for key, before in deeds.seeds.items():
        if key not in known:
            verdict.wrong.append(f"the record {key} was there before, and is gone")
            continue
        record, words = known[key]
        now = record.stored
        touched = {name for name in {*before, *now} if now.get(name) != before.get(name)} - words.changing
        if touched:
            verdict.wrong.append(f"the record {key} was there before; changed: {', '.join(sorted(touched))}")


def _judge_statuses(verdict: Verdict, crms: Mapping[str, Tables], heard: Heard, deeds: Deeds) -> None:
    told = heard.once("crm.lead-status")
    heard_of = {(m["record"]["id"], m["status"]) for m in told}
    done = {(key, deed["status"]) for key, deed in deeds.statuses.items()}
    done |= {(lead, word) for lead, word in _converted(crms, deeds).items() if word}
    for key, status in sorted(done - heard_of):
        verdict.unheard.append(f"lead {key} became {status}, which was not heard")
    # Who plays with the CRM by hand changes statuses too, though never to the one that we write.
    by_hand = {(r.id, r.status) for t in crms.values() for r in t.records if r.status != t.words.new}
    for key, status in sorted(heard_of - done - by_hand):
        verdict.wrong.append(f"lead {key}: {status} was heard, which nobody did")
    times = Counter((m["connection_id"], m["record"]["id"], m["status"]) for m in told)
    for (_, key, status), count in times.items():
        if count > 1:
            verdict.doubled.append(f"lead {key}: {status} was heard {count} times")


def _judge_clients(verdict: Verdict, crms: Mapping[str, Tables], heard: Heard, deeds: Deeds) -> None:
    """Who was converted in a CRM is a client here, be it told of the lead or of the contact."""
    told = clients(heard, crms)
    heard_of = {m["record"]["id"] for m in told}
    became = {r.id: r.became for tables in crms.values() for r in tables.records}
    for key in sorted(_converted(crms, deeds)):
        if heard_of.isdisjoint({key, became[key]}):
            verdict.unheard.append(f"lead {key} became a client, which was not heard")
    times = Counter((m["connection_id"], m["prospect_id"], m["record"]["id"]) for m in told)
    for (_, _, key), count in times.items():
        if count > 1:
            verdict.doubled.append(f"{key}: that the person became a client was heard {count} times")


def clients(heard: Heard, crms: Mapping[str, Tables]) -> list[Message]:
    """That a lead became a contact."""
    records = [r for tables in crms.values() for r in tables.records if r.became]
    concerned = {key for record in records for key in (record.id, record.became)}
    told = heard.once("crm.contacts")
    return [m for m in told if m["record"]["id"] in concerned and m["state"] == CLIENT and not m["deleted"]]


def _converted(crms: Mapping[str, Tables], deeds: Deeds) -> dict[str, str | None]:
    """Our leads of which an opportunity was made; the status that each has since, in the CRM's words."""
    return {
        opportunity.lead: tables.words.converted
        for tables in crms.values()
        for opportunity in tables.opportunities
        if opportunity.lead and opportunity.id in deeds.sold
    }


def _judge_opportunities(verdict: Verdict, crms: Mapping[str, Tables], heard: Heard, deeds: Deeds) -> None:
    told = heard.once("crm.opportunities")
    there = {opportunity.id: opportunity for tables in crms.values() for opportunity in tables.opportunities}
    for key in sorted(deeds.sold):
        made = there[key]
        about = [m for m in told if m["record"]["id"] == key and m.get("stage") == made.stage]
        if not any(Decimal(m.get("amount") or 0) == Decimal(made.amount) for m in about):
            verdict.unheard.append(f"opportunity {key} was created, which was not heard")
    for key in sorted({m["record"]["id"] for m in told} - there.keys()):
        verdict.wrong.append(f"opportunity {key} was heard, which nobody made")
    times = Counter((m["connection_id"], m["prospect_id"], m["record"]["id"], m.get("stage")) for m in told)
    for (_, _, key, _), count in times.items():
        if count > 1:
            verdict.doubled.append(f"opportunity {key} was heard {count} times")


def _judge_dead_letters(verdict: Verdict, heard: Heard, deeds: Deeds) -> None:
    if heard.dead < deeds.unreadable:
        verdict.late.append(f"{heard.dead} dead letters instead of {deeds.unreadable}")
    elif heard.dead > deeds.unreadable:
        verdict.wrong.append(f"{heard.dead} dead letters instead of {deeds.unreadable}")


def _quantile(seconds: Sequence[float], share: float) -> int:
    """In milliseconds; 0 of nothing."""
    ordered = sorted(seconds)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000) if ordered else 0
