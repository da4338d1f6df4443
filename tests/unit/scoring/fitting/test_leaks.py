"""Columns that are not learned from, and why."""

from typing import Any

import pytest

from leadbus.errors import LeadbusError
from scoring.fitting.leads import Leads
from scoring.fitting.leaks import ASKED, EMPTY, IDENTIFIER, left_out
from scoring.fitting.table_points import fit


@pytest.fixture(scope="module")
def leads(draw: Any) -> Leads:
    drawn: Leads = draw()
    count = len(drawn)
    more: dict[str, list[str | None]] = {
        "country": ["India"] * (count - 3) + ["Chile"] * 3,
        "number": [str(70_000 - place) for place in range(count)],
    }
    return Leads({**drawn.columns, **more}, drawn.won)


def test_a_column_that_knows_the_outcome_is_left_out_with_a_warning(leads: Leads) -> None:
    (found,) = [column for column in left_out(leads, (), (), 1) if column.kind == "suspicious"]
    assert found.column == "tag"
    assert found.auc == pytest.approx(0.95, abs=0.02)
    assert "suspiciously well (0.9" in found.why


def test_a_suspicious_column_is_kept_on_request(leads: Leads) -> None:
    assert "tag" not in {column.column for column in left_out(leads, (), ("tag",), 1)}


def test_columns_that_say_nothing_are_left_out(leads: Leads) -> None:
    why = {column.column: column.why for column in left_out(leads, (), (), 1)}
    assert why["country"] == EMPTY
    assert why["id"] == why["number"] == IDENTIFIER
    assert not {"visits", "source", "noise"} & why.keys()


def test_columns_are_left_out_by_pattern(leads: Leads) -> None:
    why = {column.column: column.why for column in left_out(leads, ("VIS*", "noise"), (), 1)}
    assert why["visits"] == why["noise"] == ASKED


def test_a_name_of_no_column_is_refused(leads: Leads) -> None:
    with pytest.raises(LeadbusError, match="There is no column Tgas"):
        fit(leads, leave_out=("Tgas",))


def test_with_no_column_left_nothing_is_learned(leads: Leads) -> None:
    with pytest.raises(LeadbusError, match="No column is left"):
        fit(leads, leave_out=("*",))
