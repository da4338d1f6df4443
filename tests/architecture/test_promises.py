"""What the guides promise is proven on every CRM, or the CRM says why it cannot."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import leadbus.testing
from leadbus.runner import installed
from leadbus.testing.contract import ConnectorContract

ROOT = Path(__file__).parents[2]
CRMS = [name.removeprefix("connector-") for name in installed() if name.startswith("connector-")]


def loaded(path: Path) -> ModuleType:
    """Under a name of its own, so that test modules of one name do not meet."""
    spec = spec_from_file_location("promised_" + "_".join(path.parts[-4:-1]) + path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


PAGE = loaded(ROOT / "docs/promises_page.py")
PROMISED = PAGE.promised()
PROMISES = list(PROMISED.all)


@cache
def suites(crm: str) -> list[type[ConnectorContract]]:
    """The classes that run the contract suite for a CRM, one per protocol."""
    folder = ROOT / "tests/contract" / crm / "contract"
    sys.path.insert(0, str(folder))  # as its conftest does
    found = [
        value
        for path in sorted(folder.glob("test_*.py"))
        for value in vars(loaded(path)).values()
        if inspect.isclass(value) and issubclass(value, ConnectorContract) and value.__name__[:4] == "Test"
    ]
    assert found, folder
    return found


@cache
def needed() -> Mapping[str, frozenset[str]]:
    """What each case of the contract suite needs of a CRM (`needs(scene, "campaigns")`)."""
    (folder,) = leadbus.testing.__path__
    cases = {}
    for path in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
                cases[node.name] = frozenset(_needs(node))
    return cases


def _needs(case: ast.AsyncFunctionDef) -> Iterator[str]:
    for node in ast.walk(case):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "needs":
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def runs(case: str, crm: str) -> bool:
    """Whether it runs to its end by some protocol of the CRM."""
    for suite in suites(crm):
        test = getattr(suite, case)
        marks = [mark.name for mark in getattr(test, "pytestmark", [])]
        lacking = needed()[case] & suite().new_crm().lacks.keys() if test is not None else ()
        if test is not None and "xfail" not in marks and not lacking:
            return True
    return False


def said(promise: object) -> str:
    return str(getattr(promise, "says", promise))


@pytest.mark.parametrize("promise", PROMISES, ids=said)
def test_a_promise_is_proven_by_tests_that_exist_or_says_what_is_missing(promise: object) -> None:
    assert bool(promise.proof) is not bool(promise.not_yet)
    assert promise.guides
    assert set(promise.guides) <= PROMISED.guides.keys()
    assert {*promise.of, *promise.cannot} <= set(CRMS)
    for name in promise.proof:
        path, _, test = name.rpartition("::")
        if not path:
            assert test in ConnectorContract.promised | vars(ConnectorContract).keys() | cases(), name
            continue
        text = (ROOT / path).read_text()
        assert re.search(rf"^\s*((async )?def|class) {re.escape(test)}\b", text, re.MULTILINE), name


def cases() -> set[str]:
    return {name for name in dir(ConnectorContract) if name.startswith("test_")}


@pytest.mark.parametrize("crm", CRMS)
def test_every_promise_is_proven_on_every_crm_or_it_says_why_it_cannot(crm: str) -> None:
    cannot = PAGE.cannot(crm)
    wrong = []
    for promise in PROMISES:
        contract = [name for name in promise.proof if "::" not in name]
        excused = crm in promise.cannot
        if excused and promise.cannot[crm] not in cannot:
            wrong.append(f"no sentence for {promise.cannot[crm]!r}: {promise.says}")
        if not promise.concerns(crm) or not contract:
            continue
        unproven = [name for name in contract if not runs(name, crm)]
        if bool(unproven) is not excused:
            wrong.append(f"{promise.says}: {unproven or 'excused, and yet all of it is proven'}")
    assert wrong == []


def test_each_guide_promises_something_and_most_is_kept() -> None:
    for guide in PROMISED.guides:
        assert any(guide in promise.guides for promise in PROMISES)
    assert len([promise for promise in PROMISES if promise.proof]) > 60
    assert len({promise.says for promise in PROMISES}) == len(PROMISES)
