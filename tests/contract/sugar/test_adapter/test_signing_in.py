"""sign_in, rights, teams and describe: what a person is told who connects an older SugarCRM."""

from typing import Any

import pytest

from connector_sugar.connector import SugarAdapter
from leadbus.errors import Unsupported
from sandbox.sugar import Kind, SugarCRM, desk


async def test_a_good_connection_is_told_what_answers_and_what_was_chosen(
    adapter: SugarAdapter, speaking: Any
) -> None:
    findings = await adapter.sign_in()
    assert [(finding.ok, finding.why, finding.advice) for finding in findings] == [(True, "", "")] * 2
    assert "CE 6.5.25" in findings[0].what
    assert speaking.version in findings[1].what
    assert ("REST" in findings[1].what) == (speaking.encoding == "rest")


@pytest.mark.parametrize(("kind", "good"), [("html_instead_of_xml", 0), ("refused_login", 1)])
async def test_what_cannot_be_asked_ends_the_findings_with_why_and_advice(
    crm: SugarCRM, adapter: SugarAdapter, kind: Kind, good: int
) -> None:
    crm.faults.add(kind)
    findings = await adapter.sign_in()
    assert [finding.ok for finding in findings] == [True] * good + [False]
    assert findings[-1].why
    assert findings[-1].advice
    assert findings[-1].refused == (kind == "refused_login")


async def test_rights_are_those_of_the_user_where_the_version_tells_them(
    crm: SugarCRM, adapter: SugarAdapter, speaking: Any
) -> None:
    desk.deny(crm.store, desk.ADMIN, "Leads", "edit")
    desk.deny(crm.store, desk.ADMIN, "Notes", "list")
    told = await adapter.rights()
    if speaking.version == "v2":
        assert told["Leads"] == {"read", "write"}, "v2 only names modules"
    else:
        assert told["Leads"] == {"read"}
        assert told["Notes"] == {"write"}
        assert told["Tasks"] == {"read", "write"}
    assert "Nonsense" not in told


async def test_fields_are_told_with_their_types_and_options(adapter: SugarAdapter) -> None:
    fields = {info.name: info for info in await adapter.describe("lead")}
    assert fields["lead_source"].type == "option"
    assert "Partner" in (fields["lead_source"].options or ())
    score = fields["lead_score_c"]
    assert (score.type, score.custom, score.options) == ("number", True, None)
    assert (fields["birthdate"].type, fields["do_not_call"].type) == ("date", "boolean")
    assert fields["last_name"].required
    assert not fields["campaign_name"].writable
    assert {info.name for info in await adapter.describe("target")} >= {"last_name", "account_name"}


async def test_where_there_are_no_teams_that_is_said(adapter: SugarAdapter) -> None:
    with pytest.raises(Unsupported, match="no teams"):
        await adapter.teams()


async def test_names_of_teams_are_told_as_they_are_written(
    start_crm: Any, speaking: Any, open_adapter: Any
) -> None:
    async with start_crm(protocols=speaking.protocols, teams=True) as crm:
        desk.add_team(crm.store, "EMEA Sales")
        assert await open_adapter(crm.url).teams() == ["EMEA Sales", "Global"]
