"""What is generated is what is committed, and published schemas only grow."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from connector_sugar.settings import SugarConnection
from leadbus.cli.main import app
from leadbus.cli.settings_given import settings_in
from leadbus.connector.settings.validation import validated
from scoring.rules import RulesBody

ROOT = Path(__file__).parents[2]
GENERATED = [
    "asyncapi.json",
    "schemas/*.json",
    "openapi/*.json",
    "settings.md",
    "settings/*.md",
    "promises.md",
    "signals.md",
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, ROOT / "docs/generate.py", folder], check=True, timeout=180)
    return folder


def files(folder: Path) -> dict[str, str]:
    paths = [path for pattern in GENERATED for path in folder.glob(pattern)]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


def test_generated_documents_have_not_drifted(generated: Path) -> None:
    fresh, committed = files(generated), files(ROOT / "docs")
    assert len(fresh) > 12
    assert sorted(fresh) == sorted(committed)
    stale = [name for name, text in fresh.items() if committed[name] != text]
    assert stale == [], "run make docs"


def test_asyncapi_names_a_sender_for_every_topic_and_points_at_schemas_that_exist(generated: Path) -> None:
    described: dict[str, Any] = json.loads((generated / "asyncapi.json").read_text())
    sent = {
        o["channel"]["$ref"].rsplit("/", 1)[1]
        for o in described["operations"].values()
        if o["action"] == "send"
    }
    assert sent == set(described["channels"])
    for channel in described["channels"].values():
        (message,) = channel["messages"].values()
        assert (generated / message["payload"]["$ref"]).is_file()


def test_every_adr_is_one_page_and_numbered_without_gaps() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert [path.name for path in records if len(path.read_text().splitlines()) > 45] == []


PAGES = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "howto",
            "runbook",
            "architecture",
            "promises",
            "scoring",
            "deployment",
            "releasing",
            "privacy",
        )
    ),
    *(
        page.relative_to(ROOT).as_posix()
        for page in sorted((ROOT / "docs/runbook").glob("*.md"))
        if "`leadbus " in page.read_text()
    ),
]


def commands(text: str) -> Iterator[str]:
    """What is shown as a command, in lines of code and within sentences; lines may end in a comment."""
    yield from re.findall(r"^    (?:\.venv/bin/)?leadbus (.+)$", text, re.MULTILINE)
    yield from re.findall(r"`leadbus ([^`]+)`", text)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_that_is_shown_exists(page: str) -> None:
    shown = list(commands((ROOT / page).read_text()))
    assert shown
    for line in shown:
        words = line.split(" #")[0].split()
        found: Any = get_command(app())
        while words and hasattr(found, "commands"):
            assert words[0] in found.commands or words[0].startswith("-"), line
            found = found.commands.get(words.pop(0), found)
        known = {"--help", *(name for option in found.params for name in option.opts)}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_rules_that_the_page_on_scoring_shows_are_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/scoring.md").read_text(), re.DOTALL)
    file = tmp_path / "rules.yaml"
    file.write_text(block)
    body = RulesBody.model_validate(settings_in(file))
    # All parts but those that the table shows instead.
    assert RulesBody.model_fields.keys() - body.model_fields_set == {"machines", "decay"}


def test_the_settings_that_the_how_to_shows_are_taken(tmp_path: Path) -> None:
    access = {"url": "https://crm.example.com", "user": "leadbus", "password": "secret"}
    known = {"crm": "sugar", "connection_id": "acme-sugar", "tenant_id": "acme", "access": access}
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/howto.md").read_text(), re.DOTALL)
    assert len(blocks) >= 5
    for block in blocks:
        file = tmp_path / "shown.yaml"
        file.write_text(block)
        validated(SugarConnection, known | settings_in(file))
