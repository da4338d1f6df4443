"""What a push of SugarCRM is taken to be about."""

import json
from pathlib import Path
from typing import Any

import pytest

from connector_sugar import hints
from leadbus.messages import Record

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "rest" / "samples"


def hook(bean: Any, data: Any) -> dict[str, Any]:
    return {"isUpdate": True, "dataChanges": {}, "bean": bean, "data": data, "event": "after_save"}


@pytest.mark.skipif(not SAMPLES.exists(), reason=f"the samples are not there: {SAMPLES}")
def test_a_web_logic_hook_names_its_record() -> None:
    body = (SAMPLES / "v11-weblogichook-payload.json").read_bytes()
    assert hints.records_of(body) == [Record(module="Leads", id="l-1")]


@pytest.mark.parametrize(
    ("bean", "module"),
    [
        ("Lead", "Leads"),
        ("Opportunity", "Opportunities"),
        ("Prospect", "Prospects"),
        ("Call", "Calls"),
        ("ProspectList", "ProspectLists"),
        ("Leads", "Leads"),
    ],
)
def test_beans_are_the_modules_in_the_singular(bean: str, module: str) -> None:
    body = json.dumps(hook(bean, {"id": "1"})).encode()
    assert hints.records_of(body) == [Record(module=module, id="1")]


def test_several_hooks_in_one_body_are_taken_once_each() -> None:
    hooks = [hook("Lead", {"id": key}) for key in ("1", "2", "1")]
    assert [record.id for record in hints.records_of(json.dumps(hooks).encode())] == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"7",
        b"[[1]]",
        json.dumps(hook("Secret", {"id": "1"})).encode(),
        json.dumps(hook(7, {"id": "1"})).encode(),
        json.dumps(hook("Lead", {"id": "x" * 37})).encode(),
        json.dumps(hook("Lead", {"id": 7})).encode(),
        json.dumps(hook("Lead", {"id": "   "})).encode(),
        json.dumps(hook("Lead", {"id": "\ud800"})).encode(),
        json.dumps(hook("Lead", None)).encode(),
    ],
    ids=range(12),
)
def test_anything_else_is_about_nothing(body: bytes) -> None:
    assert hints.records_of(body) == []
