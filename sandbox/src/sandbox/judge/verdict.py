"""The verdict: counts of what arrived, and a sentence for each thing that did not, or arrived twice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.judge.expectation import TOLD_AFTERWARDS, UNSURE, Person, Sent, Wanted
from sandbox.judge.tables import Record, Tables
from sandbox.judge.topics import Heard

SCORE = "lead_score_c"
CONVERTED, NEW = "Converted", "New"
"""Statuses of leads: after an opportunity was made of one, and as Leadbus creates it."""
UNNAMED = "Unknown"
"""Last name of whoever had given none when the record was created."""
_FREE_TO_CHANGE = {SCORE, "date_modified", "modified_user_id"}

Notes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people did by hand.

    seeds: records that were there before, by id. statuses: by record id. opportunities: by their id;
    `expected` = of one of our leads. unreadable: how many records on a topic nobody can read.
    """

    seeds: Notes = field(default_factory=dict)
    statuses: Notes = field(default_factory=dict)
    opportunities: Notes = field(default_factory=dict)
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
    for tenant, tables in crms.items():
        people = sent.people.get(tenant, {})
        for person in people.values():
            _judge_person(verdict, person, tables, latencies)
        _judge_records(verdict, tables, set(people), _emails_of_others(sent, tenant))
    _judge_seeds(verdict, crms, deeds)
    _judge_statuses(verdict, crms, heard, deeds)
    _judge_opportunities(verdict, heard, deeds)
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
        "status_events": len({m["event_id"] for m in heard.of("crm.lead-status")}),
        "opportunity_events": len({m["event_id"] for m in heard.of("crm.opportunities")}),
        "dead_letters": heard.dead,
        "lost": len(verdict.lost),
        "latency_ms": {"p50": _quantile(latencies, 0.50), "p99": _quantile(latencies, 0.99)},
    }
    return verdict


def _judge_person(verdict: Verdict, person: Person, tables: Tables, latencies: list[float]) -> None:
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
    if first.ours and person.last_names and first.row["last_name"] not in person.last_names | {UNNAMED}:
        verdict.wrong.append(f"{first.module}/{first.id} has another last name than was sent")
    scores = [record.row[SCORE] for record in records if record.row.get(SCORE) is not None]
    if person.points and not any(abs(score - person.score) < UNSURE for score in scores):
        verdict.late.append(f"{person.email} has the scores {scores} in its CRM instead of {person.score}")


def _judge_notes(verdict: Verdict, person: Person, tables: Tables) -> None:
    notes = tables.notes_on(person.email)
    written = Counter((note["description"] or "")[:19] for note in notes)
    for activity in person.activities.values():
        if written[activity.second] > 1:
            verdict.doubled.append(f"event {activity.event_id} is {written[activity.second]} notes")
    if person.wanted is not Wanted.YES:
        return
    missing = [a for a in person.activities.values() if not any(_tells(note, a) for note in notes)]
    if len(person.activities) > TOLD_AFTERWARDS:
        del missing[: len(person.activities) - TOLD_AFTERWARDS]
    verdict.lost += [f"event {activity.event_id} is no note of {person.email}" for activity in missing]


def _tells(note: dict[str, Any], activity: Any) -> bool:
    text = note["description"] or ""
    return text.startswith(activity.second) and activity.url in text and activity.subject in note["name"]


def _emails_of_others(sent: Sent, tenant: str) -> set[str]:
    return {email for other, people in sent.people.items() if other != tenant for email in people}


def _judge_records(verdict: Verdict, tables: Tables, own: set[str], foreign: set[str]) -> None:
    for email, records in tables.by_email.items():
        # What a person enters by hand after us (a contact, when a lead is converted) is not our doubling.
        for record in records[1:]:
            if record.ours:
                verdict.duplicates.append(f"{record.module}/{record.id} is a second record of {email}")
    for record in tables.records:
        if record.ours and not record.emails:
            verdict.wrong.append(f"{record.module}/{record.id} is a record without an email")
        if record.ours and (foreign - own) & set(record.emails):
            verdict.wrong.append(f"{record.module}/{record.id} belongs to another tenant")
        if record.ours and tables.team and record.row["team_id"] != tables.team:
            verdict.wrong.append(f"{record.module}/{record.id} is not of its tenant's team")


def _judge_seeds(verdict: Verdict, crms: Mapping[str, Tables], deeds: Deeds) -> None:
    known: dict[str, Record] = {r.id: r for tables in crms.values() for r in tables.records}
    for key, before in deeds.seeds.items():
        now = known[key].row if key in known else {}
        touched = {name for name, value in before.items() if now.get(name) != value} - _FREE_TO_CHANGE
        if touched:
            verdict.wrong.append(f"the record {key} was there before; changed: {', '.join(sorted(touched))}")


def _judge_statuses(verdict: Verdict, crms: Mapping[str, Tables], heard: Heard, deeds: Deeds) -> None:
    told = {m["event_id"]: m for m in heard.of("crm.lead-status")}.values()
    heard_of = {(m["record"]["id"], m["status"]) for m in told}
    done = {(key, deed["status"]) for key, deed in deeds.statuses.items()}
    done |= {(d["lead"], CONVERTED) for d in deeds.opportunities.values() if d["lead"] and d["expected"]}
    for key, status in sorted(done - heard_of):
        verdict.unheard.append(f"lead {key} became {status}, which was not heard")
    # Who plays with the CRM by hand changes statuses too, though never to the one that we write.
    by_hand = {(r.id, r.row.get("status")) for t in crms.values() for r in t.records}
    for key, status in sorted(heard_of - done):
        if status != NEW and (key, status) in by_hand:
            continue
        verdict.wrong.append(f"lead {key}: {status} was heard, which nobody did")
    times = Counter((m["connection_id"], m["record"]["id"], m["status"]) for m in told)
    for (_, key, status), count in times.items():
        if count > 1:
            verdict.doubled.append(f"lead {key}: {status} was heard {count} times")


def _judge_opportunities(verdict: Verdict, heard: Heard, deeds: Deeds) -> None:
    told = {m["event_id"]: m for m in heard.of("crm.opportunities")}.values()
    for key, deed in deeds.opportunities.items():
        about = [m for m in told if m["record"]["id"] == key and m.get("stage") == deed["stage"]]
        if deed["expected"] and not any(
            Decimal(m.get("amount") or 0) == Decimal(str(deed["amount"])) for m in about
        ):
            verdict.unheard.append(f"opportunity {key} was created, which was not heard")
    for key in sorted({m["record"]["id"] for m in told} - deeds.opportunities.keys()):
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
