"""The judge: a sound account is acquitted, and every planted loss, double or change is found."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sandbox.crms.sugar import tables_of
from sandbox.judge.expectation import Wanted, expect
from sandbox.judge.topics import Heard
from sandbox.judge.verdict import Deeds, Verdict, judge
from sandbox.upstream.account import Answered

Row = dict[str, Any]
_CONVERTED = {"converted": "1", "contact_id": "c-bob", "opportunity_id": "o-bob"}
_API_USER, _HAND, _TEAM = "u-api", "1", "t-aurora"


def _item(input: Any, number: int, body: Row, **more: Any) -> Answered:
    sound = Answered("aurora", input, body, False, "accepted", f"e{number}", 1_000.0, 1_000.5)
    return replace(sound, **more)


def _event(number: int, type_: str, email: str = "ada@example.com", **more: Any) -> Answered:
    body = {"type": type_, "email": email, "subject": f"Subject {number}", "url": "https://www.example.com/a"}
    return _item("events", number, body | {"occurred_at": f"2026-11-22T12:00:{number:02}+02:00"}, **more)


def _person(key: str, email: str, module_user: str = _API_USER, created: str = "00", **more: Any) -> Row:
    # 1970-01-01T00:16:42 is 1,002 s, two seconds after everything was sent.
    moment = f"1970-01-01T00:16:42.{created}0+00:00"
    row = {"id": key, "created_by": module_user, "created": moment, "emails": [email], "deleted": False}
    row |= {"last_name": "Lovelace", "lead_score_c": None, "traceparent": None, "team_id": _TEAM}
    return row | more


def _note(number: int, parent: str) -> Row:
    text = f"2026-11-22 10:00:{number:02} UTC\nhttps://www.example.com/a"
    name = f"Some label: Subject {number}"
    return {"id": f"n{number}", "parent_id": parent, "name": name, "description": text, "deleted": False}


def _sold(key: str, stage: str, amount: float) -> Row:
    return {"id": key, "name": "Course", "sales_stage": stage, "amount": amount, "deleted": False}


def _client(event_id: str, key: str) -> Row:
    known = {"connection_id": "c", "prospect_id": f"p-{key}", "kind": "lead", "deleted": False}
    return {"event_id": event_id, "record": {"id": key}, "state": "client", **known}


def _status(event_id: str, key: str, status: str) -> Row:
    return {"event_id": event_id, "connection_id": "c", "record": {"id": key}, "status": status}


def _opportunity(event_id: str, key: str, amount: str) -> Row:
    known = {"connection_id": "c", "prospect_id": "p", "stage": "Closed Won", "amount": amount}
    return {"event_id": event_id, "record": {"id": key}, **known}


@dataclass
class Case:
    """Ada qualified (20 + 30 + 5 points), Bob was handed over, Eve did next to nothing; Old was there."""

    items: list[Answered] = field(
        default_factory=lambda: [
            _event(1, "form_submission"),
            _event(2, "telequalification", "ADA@Example.com "),
            _event(3, "email_click"),
            _event(3, "email_click", status="duplicate"),
            _event(4, "email_sent"),
            _event(5, "email_open", "eve@example.com"),
            _event(6, "carrier_pigeon", wrong=True, status="rejected"),
            _item("distributions", 7, {"email": "bob@example.com", "fields": {"last_name": "Lovelace"}}),
        ]
    )
    rows: dict[str, list[Row]] = field(
        default_factory=lambda: {
            "Leads": [
                _person("l-old", "old@example.com", _HAND, title="Boss"),
                _person("l-ada", "ada@example.com", lead_score_c=55),
                _person("l-bob", "bob@example.com", created="25", **_CONVERTED),
            ],
            # Entered by a salesperson who converts Bob: no second record of ours.
            "Contacts": [_person("c-bob", "bob@example.com", _HAND, created="90")],
            "Notes": [_note(1, "l-ada"), _note(2, "l-ada"), _note(3, "l-ada")],
            "Opportunities": [_sold("o-bob", "Closed Won", 15400.0)],
        }
    )
    heard: Heard = field(
        default_factory=lambda: Heard(
            {
                "leads.scored": [
                    {"prospect_id": "p-ada", "version": 3, "score": 55},
                    {"prospect_id": "p-ada", "version": 1, "score": 20},
                    {"prospect_id": "p-eve", "version": 1, "score": 2},
                ],
                "crm.deliveries": [{"prospect_id": "p-ada", "record": {"id": "l-ada"}}],
                "leads.qualified": [{"event_id": "q1"}, {"event_id": "q1"}],
                "crm.lead-status": [_status("s1", "l-ada", "Dead"), _status("s2", "l-bob", "Converted")],
                "crm.contacts": [
                    _client("c1", "l-bob"),
                    _client("c2", "l-ada") | {"state": "prospect"},
                ],
                "crm.opportunities": [_opportunity("o1", "o-bob", "15400")],
            },
            dead=1,
        )
    )
    deeds: Deeds = field(
        default_factory=lambda: Deeds(
            seeds={"l-old": _person("l-old", "old@example.com", _HAND, title="Boss")},
            statuses={"l-ada": {"status": "Dead"}},
            sold=frozenset({"o-bob"}),
            unreadable=1,
        )
    )

    def verdict(self) -> Verdict:
        tables = tables_of(self.rows, _API_USER, _TEAM)
        return judge(expect(self.items), {"aurora": tables}, self.heard, self.deeds)

    def row(self, module: str, key: str) -> Row:
        return next(row for row in self.rows[module] if row["id"] == key)


@pytest.fixture
def case() -> Case:
    return Case()


def test_a_sound_account_has_no_fault(case: Case) -> None:
    assert case.verdict().faults == []


def test_the_figures_are_counted_once_each(case: Case) -> None:
    assert case.verdict().figures == {
        "accepted": 6,
        "rejected": 1,
        "duplicates_dropped": 1,
        "scored": 2,
        "qualified": 1,
        "distributed": 1,
        "crm_records": 2,
        "crm_duplicate_emails": 0,
        "status_events": 2,
        "opportunity_events": 1,
        "dead_letters": 1,
        "lost": 0,
        # Created at 1,002.25 s; answered at 1,000.5 s.
        "latency_ms": {"p50": 1750, "p99": 1750},
    }


Plant = Callable[[Case], object]
_LOST: dict[str, Plant] = {
    "the record of a distributed person is missing": lambda c: (
        c.rows["Leads"].pop(2) and c.rows["Contacts"].clear()
    ),
    "the record of a qualified person is missing": lambda c: c.rows["Leads"].pop(1),
    "a record is deleted": lambda c: (
        c.row("Leads", "l-bob").update(deleted=True) or c.rows["Contacts"].clear()
    ),
    "a note is missing": lambda c: c.rows["Notes"].pop(),
    "a note hangs on somebody else": lambda c: c.rows["Notes"][0].update(parent_id="l-bob"),
    "a note lacks what happened": lambda c: c.rows["Notes"][0].update(name="Some label"),
    "a note lacks the address": lambda c: c.rows["Notes"][0].update(description="2026-11-22 10:00:01 UTC"),
    "an item was never answered": lambda c: c.items.append(_event(8, "email_open", status=None)),
}
_DOUBLED: dict[str, Plant] = {
    "a note is there twice": lambda c: c.rows["Notes"].append(_note(2, "l-ada")),
    "a status is heard twice": lambda c: c.heard.messages["crm.lead-status"].append(
        _status("s9", "l-ada", "Dead")
    ),
    "that somebody became a client is heard twice": lambda c: c.heard.messages["crm.contacts"].append(
        _client("c9", "l-bob")
    ),
    "an opportunity is heard twice": lambda c: c.heard.messages["crm.opportunities"].append(
        _opportunity("o9", "o-bob", "15400.00")
    ),
}
_DUPLICATES: dict[str, Plant] = {
    "a second lead": lambda c: c.rows["Leads"].append(_person("l-bob2", "BOB@example.com", created="50")),
    "a contact beside our lead": lambda c: c.rows["Contacts"].append(
        _person("c-ada", "ada@example.com", created="50")
    ),
    "a lead beside what was there": lambda c: c.rows["Leads"].append(
        _person("l-old2", "old@example.com", created="50")
    ),
}
_UNHEARD: dict[str, Plant] = {
    "a status is not heard": lambda c: c.heard.messages["crm.lead-status"].pop(0),
    "a conversion is not heard": lambda c: c.heard.messages["crm.lead-status"].pop(1),
    "that somebody became a client is not heard": lambda c: c.heard.messages["crm.contacts"].pop(0),
    "an opportunity is not heard": lambda c: c.heard.messages["crm.opportunities"].clear(),
    "an opportunity is heard with another amount": lambda c: c.heard.messages["crm.opportunities"][0].update(
        amount="15.4"
    ),
}
_LATE: dict[str, Plant] = {
    "an event is counted twice": lambda c: c.heard.messages["leads.scored"][0].update(score=60),
    "a score was never had": lambda c: c.row("Leads", "l-ada").update(lead_score_c=60),
    "a score is missing": lambda c: c.row("Leads", "l-ada").update(lead_score_c=None),
    "an unreadable record is nowhere": lambda c: setattr(c.heard, "dead", 0),
}
_WRONG: dict[str, Plant] = {
    "a record that was there before is touched": lambda c: c.row("Leads", "l-old").update(title="Intern"),
    "a record that was there before is gone": lambda c: c.rows["Leads"].pop(0),
    "somebody below the threshold has a record": lambda c: c.rows["Leads"].append(
        _person("l-eve", "eve@example.com")
    ),
    "another tenant's person has a record": lambda c: (
        c.items.append(replace(_event(9, "email_open", "zoe@example.com"), tenant="borealis")),
        c.rows["Leads"].append(_person("l-zoe", "zoe@example.com")),
    ),
    "a record is of another team": lambda c: c.row("Leads", "l-bob").update(team_id="1"),
    "a blank record is created": lambda c: c.rows["Leads"].append(_person("l-blank", "") | {"emails": []}),
    "a name is garbled": lambda c: c.row("Leads", "l-bob").update(last_name="Love?ace"),
    "our own write is heard as their change": lambda c: c.heard.messages["crm.lead-status"].append(
        _status("s9", "l-bob", "New")
    ),
    "an opportunity of nobody is heard": lambda c: c.heard.messages["crm.opportunities"].append(
        _opportunity("o9", "o-nobody", "1")
    ),
    "a dead letter too many": lambda c: setattr(c.heard, "dead", 2),
    "a wrong item is accepted": lambda c: c.items.append(
        _item("campaigns", 9, {}, wrong=True, status="accepted")
    ),
    "a right item is rejected": lambda c: c.items.append(_event(9, "email_sent", status="rejected")),
}
_PLANTED = {
    "lost": _LOST,
    "doubled": _DOUBLED,
    "duplicates": _DUPLICATES,
    "unheard": _UNHEARD,
    "late": _LATE,
    "wrong": _WRONG,
}


@pytest.mark.parametrize(("kind", "what"), [(kind, what) for kind, some in _PLANTED.items() for what in some])
def test_a_planted_fault_is_found(case: Case, kind: str, what: str) -> None:
    _PLANTED[kind][what](case)
    verdict = case.verdict()
    assert len(getattr(verdict, kind)) >= 1
    assert verdict.figures["lost"] == len(verdict.lost)
    assert verdict.figures["crm_duplicate_emails"] == len(verdict.duplicates)


def test_that_somebody_became_a_client_may_be_told_of_the_contact(case: Case) -> None:
    case.heard.of("crm.contacts")[0].update(record={"id": "c-bob"}, kind="contact")
    assert case.verdict().faults == []


def test_a_repeat_under_the_same_event_id_is_no_double(case: Case) -> None:
    case.heard.messages["crm.lead-status"] += deepcopy(case.heard.messages["crm.lead-status"])
    assert case.verdict().faults == []


def test_what_somebody_does_in_the_crm_by_hand_is_no_fault(case: Case) -> None:
    case.rows["Leads"].append(_person("l-you", "you@example.com", status="Recycled"))
    case.heard.messages["crm.lead-status"].append(_status("s3", "l-you", "Recycled"))
    case.rows["Opportunities"].append(_sold("o-you", "Closed", 1))
    case.heard.messages["crm.opportunities"].append(_opportunity("o2", "o-you", "1"))
    assert case.verdict().faults == []


def test_two_connections_to_one_crm_may_both_tell_of_a_change(case: Case) -> None:
    case.heard.messages["crm.lead-status"].append(_status("s3", "l-ada", "Dead") | {"connection_id": "other"})
    assert case.verdict().faults == []


def test_who_fell_below_the_threshold_after_exceeding_it_is_not_judged() -> None:
    sent = expect(
        [_event(1, "telequalification"), _event(2, "link_conversion"), _event(3, "link_conversion")]
    )
    assert sent.people["aurora"]["ada@example.com"].wanted is Wanted.YES
    sent = expect(
        [
            *(_event(n, "link_conversion") for n in range(1, 5)),
            _event(6, "email_unsubscribe"),
        ]
    )
    assert sent.people["aurora"]["ada@example.com"].wanted is Wanted.EITHER


def test_scores_next_to_the_threshold_are_not_judged() -> None:
    at_threshold = [_event(n, "email_click") for n in range(1, 11)]
    assert expect(at_threshold).people["aurora"]["ada@example.com"].wanted is Wanted.EITHER
    assert expect(at_threshold[:9]).people["aurora"]["ada@example.com"].wanted is Wanted.NO


def test_a_score_that_the_person_had_before_is_no_fault(case: Case) -> None:
    case.row("Leads", "l-ada")["lead_score_c"] = 50
    assert case.verdict().faults == []


def test_of_very_many_activities_only_the_newest_must_be_notes() -> None:
    case = Case(items=[_event(n, "web_view") for n in range(1, 31)], heard=Heard(), deeds=Deeds())
    case.rows = {
        "Leads": [_person("l-ada", "ada@example.com", lead_score_c=90)],
        "Contacts": [],
        "Notes": [_note(n, "l-ada") for n in range(6, 31)],
        "Opportunities": [],
    }
    assert case.verdict().faults == []
    case.rows["Notes"].pop()
    assert len(case.verdict().lost) == 1


def test_what_only_a_visitor_id_names_counts_for_nobody_known() -> None:
    anonymous = _event(1, "telequalification")
    del anonymous.body["email"]
    assert expect([anonymous]).people["aurora"] == {}


def test_what_a_visitor_did_is_the_person_s_once_an_event_has_named_both() -> None:
    before, both, after, elsewhere = (_event(n, "web_view") for n in range(1, 5))
    for event in (before, both, after):
        event.body["visitor_id"] = "v-1"
    elsewhere.body["visitor_id"] = "v-2"
    for event in (before, after, elsewhere):
        del event.body["email"]
    (ada,) = expect([before, both, after, elsewhere]).people["aurora"].values()
    assert (ada.score, len(ada.activities)) == (9, 3)
