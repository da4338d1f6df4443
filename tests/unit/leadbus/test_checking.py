"""Save and test, on a CRM that answers as it is told to: each finding says what, why and what to do."""

from dataclasses import replace
from typing import Any

import pytest
from told import BOTH, CAPABILITIES, Crm, findings, warnings, wrong

from leadbus.connector.contract import FieldInfo, Finding
from leadbus.errors import AddressRefused, AuthRefused, Transient, Unsupported


async def test_a_crm_in_order_has_nothing_wrong_and_each_promise_a_finding() -> None:
    found = await findings(Crm())
    assert (wrong(found), warnings(found)) == ([], [])
    said = [finding.what for finding in found]
    assert "The address answers." in said
    assert "The CRM's user may read and write Leads." in said
    assert "The lead source Leadbus exists in Leads." in said
    assert "All 3 mapped fields of Leads exist and fit." in said


async def test_every_finding_that_is_not_ok_says_why_and_what_to_do() -> None:
    crm = Crm(may={}, people={"lead": [], "contact": [], "account": []})
    found = wrong(
        await findings(crm, teams=["East"], score_field="x", fields=[{"field": "phone", "crm_field": "y"}])
    )
    assert len(found) > 8
    assert [finding for finding in found if not (finding.why and finding.advice)] == []


async def test_the_rest_is_not_asked_where_signing_in_failed() -> None:
    crm = Crm(signs_in=[Finding(False, "The password is wrong.", refused=True)])
    found = await findings(crm)
    assert [finding.what for finding in found] == ["The password is wrong."]
    assert crm.called == ["sign_in"]


async def test_credentials_refused_on_the_way_end_the_test_at_once() -> None:
    crm = Crm(fails={"rights": AuthRefused("The CRM refuses the password.")})
    found = await findings(crm)
    assert (found[-1].what, found[-1].refused) == ("The CRM refuses the password.", True)
    assert crm.called == ["sign_in", "rights"]


async def test_what_a_kind_has_no_field_for_is_a_warning_until_a_mapping_gives_it_a_place() -> None:
    crm = Crm(capabilities=replace(CAPABILITIES, by_custom_field={"lead": {"birthday": "date"}}))
    crm.people["lead"].append(FieldInfo("born_c", "Birthday", "date", custom=True))
    (warning,) = warnings(await findings(crm))
    assert "{of: lead, field: birthday, crm_field: born_c}" in warning.advice
    assert warnings(await findings(crm, fields=[{"field": "birthday", "crm_field": "born_c"}])) == []


async def test_a_check_without_an_answer_is_a_finding_and_the_others_go_on() -> None:
    crm = Crm(fails={"rights": Transient("The CRM did not answer in time.")})
    found = await findings(crm)
    assert [finding.what for finding in wrong(found)] == ["The CRM did not answer in time."]
    assert "The lead source Leadbus exists in Leads." in [finding.what for finding in found]


async def test_the_connection_part_alone_asks_for_no_more_than_access_and_teams() -> None:
    crm = Crm(known_teams=["East"], may={})
    found = await findings(crm, part="access", teams=["East"], lead_source="")
    assert wrong(found) == []
    assert crm.called == ["sign_in", "teams"]


async def test_what_is_needed_to_turn_on_and_empty_is_named() -> None:
    (finding,) = wrong(await findings(Crm(), lead_source=""))
    assert finding.what == "lead_source is empty."


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("203.0.113.7", "If only certain addresses are let in: Leadbus calls from 203.0.113.7."),
        ("", "once LEADBUS_OUTGOING_ADDRESS is set"),
    ],
)
async def test_a_refusal_of_our_address_names_the_address(address: str, said: str) -> None:
    blocked = Finding(False, "The address refuses the connection.", "Why.", "Ask.", blocked=True)
    (told,) = await findings(Crm(signs_in=[blocked]), address=address)
    assert told.advice.startswith("Ask. ")
    assert said in told.advice
    later = Crm(fails={"rights": AddressRefused("The CRM turns us away.")})
    (told,) = wrong(await findings(later, address=address))
    assert said in told.advice


async def test_team_names_are_exact_and_those_that_nearly_fit_are_named() -> None:
    crm = Crm(known_teams=["east", "East Sales", "West"])
    (finding,) = wrong(await findings(crm, teams=["West", "East"]))
    assert finding.what == "The CRM has no team East, but has east (capitals and blanks count)."
    assert finding.advice == "Open Teams, add East."
    crm = Crm(fails={"teams": Unsupported("This CRM has no teams.")})
    (finding,) = wrong(await findings(crm, teams=["East"]))
    assert finding.what == "This CRM has no teams."
    assert finding.advice == "Leave the connection's teams empty, then test again."
    assert "teams" not in (await asked_without_teams())


async def asked_without_teams() -> list[str]:
    crm = Crm()
    await findings(crm)
    return crm.called


@pytest.mark.parametrize(
    ("module", "right", "settings", "is_wrong"),
    [
        ("Leads", "write", {}, True),
        ("People", "read", {}, True),
        ("Notes", "write", {}, True),
        ("Tasks", "write", {}, True),
        ("Meetings", "write", {}, False),
        ("Meetings", "read", {}, True),
        ("Meetings", "read", {"schedules": {"activity": None}}, False),
        ("Users", "write", {}, False),
        ("Users", "read", {}, True),
        ("Users", "read", {"schedules": {"user": None}}, False),
        ("Deals", "read", {"schedules": {"opportunity": None}}, False),
        ("Companies", "write", {}, False),
        ("Companies", "write", {"record_as": "contact"}, True),
        ("Lists", "read", {}, True),
        ("Lists", "write", {}, False),
        ("Campaigns", "write", {}, False),
    ],
)
async def test_rights_are_asked_for_where_the_settings_need_them(
    module: str, right: str, settings: dict[str, Any], is_wrong: bool
) -> None:
    crm = Crm()
    crm.may[module] = BOTH - {right}
    found = wrong(await findings(crm, **settings))
    assert [finding.what for finding in found] == (
        [f"The CRM's user may not {right} {module}."] if is_wrong else []
    )


async def test_rights_that_will_be_needed_are_warned_of_and_a_module_not_seen_is_told() -> None:
    crm = Crm()
    crm.may["Lists"] = frozenset({"read"})
    del crm.may["Campaigns"], crm.may["Leads"]
    found = await findings(crm)
    assert [f.what for f in warnings(found)] == [
        "The CRM's user may not write Lists.",
        "For the CRM's user there is no module Campaigns.",
    ]
    (missing,) = wrong(found)
    assert missing.what == "For the CRM's user there is no module Leads."
    assert missing.advice == "Open Roles and allow read and write on Leads."


async def test_campaigns_cannot_be_wanted_of_a_crm_that_has_none() -> None:
    crm = Crm()
    crm.capabilities = replace(CAPABILITIES, campaigns="", cannot={"campaigns": "Any CRM has no campaigns."})
    assert wrong(await findings(crm)) == []
    (finding,) = wrong(await findings(crm, campaigns="name"))
    assert (finding.what, "none" in finding.advice) == ("Any CRM has no campaigns.", True)
