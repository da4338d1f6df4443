"""A prospect as a person asks for it."""

from typing import Any

import pytest

from scoring.explanation import view
from scoring.history import AGE
from scoring.rules import DEFAULT_RULES
from scoring.score import DAY


def test_the_explanation_adds_up_to_the_score_now(scene: Any) -> None:
    prospect = scene.turns(
        [[scene.event("1", "form_submission"), scene.event("2", "email_bounce", at=15 * DAY // 1000)]]
    )
    seen = view(prospect, DEFAULT_RULES, scene.start + 30 * DAY)
    assert [(c.label, c.points) for c in seen.explanation] == [
        ("An email bounced", -5),
        ("Submitted a form", 20),
    ]
    assert seen.millipoints == 10_000 - 3_536
    assert sum(c.points_now for c in seen.explanation) == pytest.approx(seen.millipoints / 1000)
    assert seen.score == 6


def test_what_fell_off_is_explained_by_its_rule(scene: Any) -> None:
    prospect = scene.turns([[scene.event("1"), scene.event("2", at=AGE // 1000 + 1)]])
    seen = view(prospect, DEFAULT_RULES, 0)
    assert [(older.rule, older.events) for older in seen.older] == [("Viewed a web page", 1)]
    assert len(seen.explanation) == 1


def test_the_journey_tells_each_hop_in_order(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=10),)
    prospect = scene.turns(
        [
            [scene.distribution("d1")],
            [scene.event("1", "form_submission", at=5, subject="Price list")],
            [scene.delivery("created", "77")],
        ]
    )
    hops = view(prospect, DEFAULT_RULES, 0).journey
    assert sorted(hop.hop for hop in hops) == ["activity", "distributed", "qualified", "recorded"]
    by_name = {hop.hop: hop for hop in hops}
    assert (by_name["distributed"].supplier_id, by_name["distributed"].distribution_id) == (
        "supplier-1",
        "d1",
    )
    assert by_name["activity"].what == "Submitted a form: Price list"
    assert by_name["qualified"].connection_id == "c1"
    assert (by_name["recorded"].record_module, by_name["recorded"].record_id) == ("Leads", "77")
    assert [hop.at for hop in hops] == sorted(hop.at for hop in hops)
