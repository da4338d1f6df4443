"""Settings as words of a command line: typed as they are declared, and asked for where they are secret."""

from pathlib import Path
from typing import Any

import pytest

from leadbus.cli.settings_given import patch_of, settings_in
from leadbus.errors import LeadbusError

ROWS = [
    {"path": "lead_source", "type": "text"},
    {"path": "supplier_id", "type": "text, or null"},
    {"path": "event_types", "type": "list of texts"},
    {"path": "access.password", "type": "secret text"},
    {"path": "access.user", "type": "text"},
    {"path": "marketing_automation.threshold", "type": "whole number"},
    {"path": "schedules.lead", "type": "section, or null"},
]


def given(*words: str, secret: str = "") -> dict[str, Any]:
    asked: list[str] = []

    def hidden(path: str) -> str:
        asked.append(path)
        return secret

    patch = patch_of(words, ROWS, hidden)
    assert bool(asked) == bool(secret)
    return patch


def test_texts_stay_texts_and_numbers_become_numbers() -> None:
    assert given("lead_source=12345", "access.user=yes", "marketing_automation.threshold=70") == {
        "lead_source": "12345",
        "access": {"user": "yes"},
        "marketing_automation": {"threshold": 70},
    }


def test_lists_and_sections_are_yaml_and_null_empties() -> None:
    assert given("event_types=[web_view]", "schedules.lead={every_seconds: 60}", "supplier_id=null") == {
        "event_types": ["web_view"],
        "schedules": {"lead": {"every_seconds": 60}},
        "supplier_id": None,
    }


def test_a_value_may_hold_what_separates_path_and_value() -> None:
    assert given("lead_source=a=b") == {"lead_source": "a=b"}


def test_a_hyphen_asks_without_showing() -> None:
    assert given("access.password=-", secret="s3=cret") == {"access": {"password": "s3=cret"}}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lead_source", "path=value"),
        ("lead_sorce=x", "did you mean lead_source"),
        ("threshold=1", "did you mean marketing_automation.threshold"),
        ("event_types=[", "event_types is a list of texts"),
    ],
)
def test_what_is_no_setting_is_refused_in_a_sentence(word: str, said: str) -> None:
    with pytest.raises(LeadbusError, match=said):
        given(word)


def test_a_setting_that_is_called_on_can_be_given_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text("marketing_automation: {on: false}\nsupplier_id: no\nlead_distribution: {on: true}\n")
    assert settings_in(file) == {
        "marketing_automation": {"on": False},
        "supplier_id": "no",
        "lead_distribution": {"on": True},
    }
