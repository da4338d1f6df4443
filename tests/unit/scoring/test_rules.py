"""A tenant's rules as a person writes them."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from leadbus.event_types import TRAITS, EventType
from scoring.rules import DEFAULT_RULES, Rules, RulesBody


def test_the_defaults_give_every_type_its_points_and_a_half_life_of_30_days() -> None:
    points = {type_: millipoints for type_, (_, millipoints) in DEFAULT_RULES.tables.main.types.items()}
    assert points == {type_: trait.millipoints for type_, trait in TRAITS.items()}
    assert (DEFAULT_RULES.half_life_days, DEFAULT_RULES.version) == (30, 0)


def test_a_type_that_is_left_out_keeps_its_default() -> None:
    rules = Rules.of(RulesBody(points={EventType.WEB_VIEW: Decimal("0.125")}), 1)
    assert rules.tables.main.types[EventType.WEB_VIEW] == (4, 125)
    assert rules.tables.main.types[EventType.EMAIL_OPEN] == (1, 2_000)


def test_what_is_read_can_be_sent_back() -> None:
    assert RulesBody.model_validate_json(DEFAULT_RULES.model_dump_json()).points == DEFAULT_RULES.points


@pytest.mark.parametrize(
    "body",
    [
        {"points": {"web_view": 0.0001}},
        {"points": {"web_view": 10_001}},
        {"points": {"web_veiw": 1}},
        {"points": {"web_view": "many"}},
        {"half_life_days": 0},
        {"half_life_days": 3_651},
        {"version": -1},
        {"half_life": 3},
    ],
)
def test_rules_that_make_no_sense_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RulesBody.model_validate(body)
