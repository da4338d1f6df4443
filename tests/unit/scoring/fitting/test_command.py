"""`leadbus rules fit` over a file of leads."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from leadbus.cli.groups import group
from leadbus.cli.main import app

Said = Callable[..., str]


@pytest.fixture(scope="module")
def file(draw: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    leads = draw(1_000)
    path: Path = tmp_path_factory.mktemp("leads") / "leads.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, delimiter=";")
        writer.writerow([*leads.columns, "Converted", "[/odd name]"])
        cells = zip(*leads.columns.values(), strict=True)
        for row, is_won in zip(cells, leads.won, strict=True):
            writer.writerow([*("" if cell is None else cell for cell in row), int(is_won), "[/x]"])
    return path


def said(*words: object) -> str:
    result = CliRunner().invoke(app(), ["rules", "fit", *map(str, words)])
    return result.output + str(result.exception or "")


def test_the_report_shows_the_table_the_figures_and_what_was_left_out(file: Path) -> None:
    output = said(file, "--outcome", "Converted", "--event", "visits=web_view", "--leave-out", "noise")
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert any(line.startswith("1000 leads") for line in lines)
    assert "you asked to noise" in lines
    assert "nearly every lead has another value id" in lines
    assert "it says the same of nearly every lead [/odd name]" in lines
    assert any(line.startswith("Warning: tag may know the outcome") for line in lines)
    assert any("visits 6 or more" in line and line.startswith("+") for line in lines)
    assert any(line.startswith("the table 0.") for line in lines)
    assert any(line.startswith("the default rules 0.") for line in lines)
    assert "Viewed a web page visits" in lines


def test_the_same_seed_says_the_same_and_another_one_other_figures(file: Path) -> None:
    asked = (file, "--outcome", "Converted", "--leave-out", "tag")
    assert said(*asked) == said(*asked) != said(*asked, "--seed", "2")


@pytest.mark.parametrize(("name", "read"), [("new.yaml", yaml.safe_load), ("new.json", json.loads)])
def test_the_proposal_is_written_to_a_file(file: Path, tmp_path: Path, name: str, read: Any) -> None:
    output = said(file, "--outcome", "Converted", "--lines", 3, "--rules", tmp_path / name)
    document = read((tmp_path / name).read_text("utf-8"))
    assert "nothing is changed by it" in output
    assert document["learned_from"]["leads"] == 1_000
    assert 0 < len(document["points"]) <= 3
    assert {"column": "visits", "is": "6 or more"}.items() <= document["points"][0].items()
    assert document["judged"]["the table"]["area_under_the_curve"] > 0.6
    assert "tag" in {column["column"] for column in document["left_out"]}


def test_a_file_without_a_named_outcome_is_refused(file: Path) -> None:
    assert "Say with --outcome which column" in said(file)


def test_a_service_adds_its_command_to_a_group_that_is_there() -> None:
    root = typer.Typer()
    first = group(root, "rules", "Rules.")
    assert group(root, "rules", "Others.") is first
    assert group(root, "more", "More.") is not first


def test_without_the_library_the_command_says_what_to_install(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert "pip install 'leadbus-scoring[fitting]'" in said(file, "--outcome", "Converted")


def test_neither_the_service_nor_the_command_takes_the_library_along() -> None:
    lines = (
        "import sys, scoring.service",
        "from leadbus.cli.main import app",
        "app()",
        "print('sklearn' in sys.modules)",
    )
    run = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
