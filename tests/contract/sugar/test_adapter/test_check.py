"""check: what a person is told who connects a CRM."""

from typing import Any

import pytest

from connector_sugar import checking
from connector_sugar.connector import SugarAdapter
from sandbox.sugar import SugarCRM, desk


async def test_a_good_connection_has_only_good_findings(crm: SugarCRM, adapter: SugarAdapter) -> None:
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    findings = await adapter.check()
    assert all(finding.ok for finding in findings)
    assert [finding for finding in findings if finding.why or finding.advice] == []
    told = " ".join(finding.what for finding in findings)
    for word in ("CE 6.5.25", "v4_1", "Leads", "Contacts", "Notes", "Opportunities", "lead_score_c"):
        assert word in told


async def test_a_missing_lead_source_is_told_with_the_steps_to_add_it(
    crm: SugarCRM, open_adapter: Any
) -> None:
    adapter: SugarAdapter = open_adapter(crm.url, record_as="contact", lead_source="Our Marketing")
    (wrong,) = [finding for finding in await adapter.check() if not finding.ok]
    assert "Our Marketing" in wrong.what
    for step in ("Studio", "Contacts", "lead_source", "Our Marketing", "Save"):
        assert step in wrong.advice


async def test_a_missing_score_field_is_told_with_the_steps_to_add_it(
    crm: SugarCRM, open_adapter: Any
) -> None:
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    adapter: SugarAdapter = open_adapter(crm.url, score_field="heat_c")
    (wrong,) = [finding for finding in await adapter.check() if not finding.ok]
    assert "heat_c" in wrong.what
    assert "Studio" in wrong.advice


@pytest.mark.parametrize(
    ("kind", "operation", "good"),
    [
        ("html_instead_of_xml", None, 0),
        ("refused_login", None, 1),
        ("http_500", "get_available_modules", 1),
        ("access_denied", "get_module_fields", 6),
    ],
)
async def test_what_cannot_be_asked_ends_the_findings_with_why_and_advice(
    crm: SugarCRM, adapter: SugarAdapter, kind: str, operation: str | None, good: int
) -> None:
    crm.faults.add(kind, operation=operation)
    findings = await adapter.check()
    assert [finding.ok for finding in findings] == [True] * good + [False]
    assert findings[-1].why
    assert findings[-1].advice


async def test_a_right_that_the_user_lacks_is_told_with_its_module_and_where_to_grant_it(
    crm: SugarCRM, open_adapter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one module on which the simulator's ordinary users lack rights.
    monkeypatch.setattr(checking, "_NEEDED_RIGHTS", {"Users": (("list", "edit"), "Owners are set.")})
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    desk.add_user(crm.store, "jane", "admin", last_name="Doe")
    adapter: SugarAdapter = open_adapter(crm.url, user="jane")
    (wrong,) = [finding for finding in await adapter.check() if not finding.ok]
    assert wrong.what == "The CRM's user lacks rights on Users: edit."
    assert "list and edit Users" in wrong.advice
    assert wrong.why == "Owners are set."
