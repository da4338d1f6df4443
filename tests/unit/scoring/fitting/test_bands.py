"""Columns in bands that a person can name."""

import random

import pytest

from scoring.fitting.bands import ANOTHER, NOT_GIVEN, NumberBands, cut, readable


@pytest.mark.parametrize(
    ("edge", "low", "high", "round_one"),
    [
        (613.0, 560, 660, 600),
        (0.337, 0.3, 0.36, 0.3),
        (3.0, 3, 3, 3),
        (47.5, 46, 52, 50),
        (-41, -45, -38, -40),
    ],
)
def test_an_edge_becomes_the_roundest_number_that_parts_almost_the_same_leads(
    edge: float, low: float, high: float, round_one: float
) -> None:
    assert readable(edge, low, high) == round_one


def test_without_a_round_number_in_reach_the_edge_stays_where_leads_are_parted() -> None:
    assert readable(3.14155, 3.14151, 3.14159) == 3.14159


def test_bands_of_whole_numbers_are_named_as_a_person_would() -> None:
    bands = NumberBands((1, 3, 4, 10), whole=True)
    cells = ["0", "1", "2", "3", "9", "10", "400", None]
    assert [bands.band(cell) for cell in cells] == [
        "0",
        "1 to 2",
        "1 to 2",
        "3",
        "4 to 9",
        "10 or more",
        "10 or more",
        NOT_GIVEN,
    ]


def test_the_lowest_band_is_named_by_what_is_in_it() -> None:
    assert NumberBands((1,), whole=True, least=-5).band("-3") == "0 or less"
    assert NumberBands((2,), whole=True, least=1).band("1") == "1"


def test_bands_of_fractions_leave_no_gap() -> None:
    bands = NumberBands((0.5, 2), whole=False)
    cells = ["0.49", "0.5", "1.99", "2"]
    assert [bands.band(cell) for cell in cells] == [
        "less than 0.5",
        "0.5 to less than 2",
        "0.5 to less than 2",
        "2 or more",
    ]


def test_a_number_is_cut_where_the_outcome_changes() -> None:
    rng = random.Random(1)
    cells = [str(rng.randrange(1_000)) for _ in range(3_000)]
    won = [rng.random() < (0.8 if int(cell) >= 617 else 0.2) for cell in cells]
    bands = cut(cells, won)
    assert bands.band("300") != bands.band("700") == bands.band("650")
    assert bands.band("599") != bands.band("625")
    assert len({bands.band(cell) for cell in cells}) == 2


def test_a_word_where_numbers_were_expected_counts_as_not_given() -> None:
    bands = cut([str(n % 20) for n in range(400)], [n % 20 > 9 for n in range(400)])
    assert bands.band("many") == NOT_GIVEN


def test_rare_words_share_a_band_and_spellings_are_one_word() -> None:
    cells = ["Google"] * 50 + ["google"] * 30 + [f"site {n}" for n in range(40)] + [None] * 9
    bands = cut(cells, [True] * len(cells))
    assert {bands.band(cell) for cell in ("Google", "google", "GOOGLE")} == {"Google"}
    assert bands.band("site 3") == bands.band("never seen") == ANOTHER
    assert bands.band(None) == NOT_GIVEN


def test_of_a_thousand_words_only_the_most_frequent_have_a_band() -> None:
    cells = [f"city {n % 1_000 if n % 2 else n % 40}" for n in range(20_000)]
    bands = cut(cells, [True] * len(cells))
    assert len({bands.band(cell) for cell in cells} - {ANOTHER}) == 12
