"""Reading a file of leads."""

from pathlib import Path

import pytest

from leadbus.errors import LeadbusError
from scoring.fitting.leads import LEAST, numbers, read_leads


def written(folder: Path, outcomes: list[str], cell: str = "2") -> Path:
    file = folder / "leads.csv"
    file.write_text("visits,Outcome\n" + "".join(f"{cell},{outcome}\n" for outcome in outcomes), "utf-8")
    return file


def test_outcomes_are_understood_in_usual_words(tmp_path: Path) -> None:
    leads = read_leads(
        written(tmp_path, ["1", "Yes", "won"] * LEAST + ["0", "no", "LOST"] * LEAST), "Outcome"
    )
    assert sum(leads.won) == 3 * LEAST
    assert leads.base_rate == 0.5


def test_outcomes_in_words_of_ones_own_are_told_by_won(tmp_path: Path) -> None:
    file = written(tmp_path, ["Customer"] * LEAST + ["Left"] * LEAST)
    with pytest.raises(LeadbusError, match=r"--won .* Customer, Left"):
        read_leads(file, "Outcome")
    assert sum(read_leads(file, "Outcome", ["customer"]).won) == LEAST


def test_leads_without_outcome_are_passed_over(tmp_path: Path) -> None:
    leads = read_leads(written(tmp_path, ["1"] * LEAST + ["0"] * LEAST + [""] * 7), "Outcome")
    assert len(leads) == 2 * LEAST


def test_too_few_outcomes_are_said_and_not_learned_from(tmp_path: Path) -> None:
    with pytest.raises(LeadbusError, match=f"3 of {LEAST + 3} leads were won"):
        read_leads(written(tmp_path, ["1"] * 3 + ["0"] * LEAST), "Outcome")


@pytest.mark.parametrize("cell", ["", "Select", "N/A", " nan "])
def test_cells_that_say_nothing_are_not_given(tmp_path: Path, cell: str) -> None:
    leads = read_leads(written(tmp_path, ["1"] * LEAST + ["0"] * LEAST, cell), "Outcome")
    assert set(leads.columns["visits"]) == {None}


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LeadbusError, match="has no column Converted; it has visits, Outcome"):
        read_leads(written(tmp_path, ["1"]), "Converted")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LeadbusError, match="cannot be read as a table"):
        read_leads(tmp_path / "nothing.csv", "Outcome")


def test_only_columns_of_several_numbers_are_numbers() -> None:
    assert numbers(["1", None, "2.5", "3"]) == [1, None, 2.5, 3]
    assert numbers(["1", "0", "1"]) is None
    assert numbers(["1", "2", "3", "few"]) is None
    assert numbers(["1", "2", "3", "inf"]) is None
