"""What became of a prospect, and what it had done before."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from leadbus.event_types import EventType
from scoring.outcomes import Words, outcome, outcome_row
from scoring.prospect import Prospect
from scoring.rules import DEFAULT_RULES, Rules, RulesBody

DAY = 86_400
WORDS = Words()


def of(scene: Any, *records: Any) -> tuple[str | None, float | None]:
    """What became of the prospect, and how many seconds after the start."""
    found = outcome(scene.turns([records]), WORDS)
    return (found[0], (found[1] - scene.start) / 1000) if found else (None, None)


def test_one_won_opportunity_is_enough_and_the_first_one_counts(scene: Any) -> None:
    records = [
        scene.opportunity("o-1", at=5, stage="Closed Lost"),
        scene.opportunity("o-2", at=9, stage="closed won"),
        scene.opportunity("o-3", at=7, stage="Closed Won"),
        scene.opportunity("o-4", at=8, stage="Prospecting"),
    ]
    assert of(scene, *records) == ("won", 7)


def test_nothing_is_lost_while_an_opportunity_is_open(scene: Any) -> None:
    lost = scene.opportunity("o-1", at=5, stage="Closed Lost")
    still_open = scene.opportunity("o-2", at=6, stage="Negotiation")
    assert of(scene, lost, still_open) == (None, None)
    assert of(scene, lost, scene.opportunity("o-2", at=8, stage="Closed Lost")) == ("lost", 8)


def test_a_record_says_that_somebody_was_never_a_prospect_unless_there_is_an_opportunity(scene: Any) -> None:
    dead = scene.contact("1", kind="lead", at=4, status="Dead")
    assert of(scene, dead) == ("disqualified", 4)
    assert of(scene, dead, scene.opportunity(at=6, stage="Prospecting")) == (None, None)


def test_what_the_crm_deleted_says_nothing(scene: Any) -> None:
    assert of(scene, scene.opportunity(at=5, stage="Closed Won", deleted=True)) == (None, None)


def test_a_deal_ended_on_the_day_it_was_closed_however_late_its_record_was_changed(scene: Any) -> None:
    closed = datetime.fromtimestamp(scene.start / 1000, UTC).date()
    midnight = datetime(closed.year, closed.month, closed.day, tzinfo=UTC).timestamp() + DAY
    late = scene.opportunity(at=30 * DAY, stage="Closed Won", close_date=closed)
    assert of(scene, late) == ("won", midnight - scene.start / 1000)
    planned = scene.opportunity(at=5, stage="Closed Won", close_date=date(9999, 12, 31))
    assert of(scene, planned) == ("won", 5)


def test_words_of_ones_own_replace_the_usual_ones_of_that_outcome_alone(scene: Any) -> None:
    words = Words.given(["Gewonnen"], [], [])
    won = scene.turns([[scene.opportunity(stage="gewonnen")]])
    usual = scene.turns([[scene.opportunity(stage="Closed Won")]])
    lost = scene.turns([[scene.opportunity(stage="Closed Lost")]])
    assert [(outcome(prospect, words) or [None])[0] for prospect in (won, usual, lost)] == [
        "won",
        None,
        "lost",
    ]


def test_events_count_as_much_as_they_do_at_the_outcome_and_later_ones_not_at_all(scene: Any) -> None:
    prospect: Prospect = scene.turns(
        [
            [
                scene.event("1", "email_click", at=0),
                scene.event("2", "email_click", at=30 * DAY - 1),
                scene.event("3", "web_view", at=30 * DAY - 1),
                scene.event("4", "telequalification", at=30 * DAY),
                scene.opportunity(at=30 * DAY, stage="Closed Won"),
            ]
        ]
    )
    row = outcome_row(prospect, WORDS, DEFAULT_RULES)
    assert row.outcome == "won"
    assert row.events == pytest.approx({EventType.EMAIL_CLICK: 1.5, EventType.WEB_VIEW: 1}, abs=1e-4)


def test_a_row_names_nobody_and_says_how_the_crm_puts_it(scene: Any) -> None:
    prospect = scene.turns(
        [
            [
                scene.event("1", "form_submission", fields={"first_name": "Ada"}),
                scene.contact(kind="lead", status="Assigned", owner_email="bo@example.com"),
                scene.opportunity(stage="Negotiation", name="200 engines for Ada"),
            ]
        ]
    )
    row = outcome_row(prospect, WORDS, DEFAULT_RULES)
    assert row.model_dump() == {
        "outcome": None,
        "said": ["stage Negotiation", "status Assigned"],
        "events": {},
    }


def test_events_fade_until_the_outcome_by_the_steps_in_force(scene: Any) -> None:
    body = {"decay": [{"days": 7, "percent": 50}, {"days": 30, "percent": 0}]}
    rules = Rules.of(RulesBody.model_validate(body), 1)
    records = [scene.event(str(n), "email_click", at=n * DAY) for n in (0, 20, 28)]
    prospect = scene.turns([[*records, scene.opportunity(at=31 * DAY, stage="Closed Won")]])
    assert outcome_row(prospect, WORDS, rules).events == {EventType.EMAIL_CLICK: 1.5}


def test_what_machines_did_is_nothing_to_learn_from(scene: Any) -> None:
    machine = {"user_agent": "Mozilla/5.0"}
    prospect = scene.turns(
        [
            [
                scene.event("1", "email_open", properties=machine),
                scene.event("2", "email_click"),
                scene.opportunity(at=DAY // 1000, stage="Closed Won"),
            ]
        ]
    )
    assert outcome_row(prospect, WORDS, DEFAULT_RULES).events.keys() == {EventType.EMAIL_CLICK}
