"""What a test says of fields, their values and statuses: each finding says what, why and what to do."""

from dataclasses import replace
from typing import Any

import pytest
from told import CAPABILITIES, Crm, findings, person_fields, warnings, wrong

from leadbus.connector.contract import FieldInfo


async def test_the_lead_sources_of_rules_are_looked_for_too() -> None:
    (finding,) = wrong(await findings(Crm(), rules=[{"lead_source": "Web"}, {"lead_source": "Fair"}]))
    assert finding.what == "The field source of Leads does not have the value Fair."
    assert finding.why == "A rule gives this lead source to its leads."


async def test_a_lead_source_that_is_not_offered_comes_with_the_steps_to_add_it() -> None:
    (finding,) = wrong(await findings(Crm(), lead_source="leadbus"))
    assert "source of Leads does not have the value leadbus, but has Leadbus" in finding.what
    assert finding.advice == "Add the value leadbus to the field source of Leads in the CRM."
    free = replace(person_fields()[5], options=None, type="text")
    crm = Crm()
    crm.people["lead"][5] = free
    assert wrong(await findings(crm, lead_source="Anything")) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rank", None),
        ("none", "Leads has no field none."),
        ("flag", "The field flag of Leads cannot hold the score: it is of type boolean."),
        ("sum", "The field sum of Leads cannot hold the score: it is read-only."),
    ],
)
async def test_the_scores_field_must_hold_a_number(name: str, said: str | None) -> None:
    assert [f.what for f in wrong(await findings(Crm(), score_field=name))] == ([said] if said else [])


async def test_contacts_without_the_scores_field_are_a_warning_where_new_people_are_leads() -> None:
    crm = Crm()
    crm.people["contact"] = [field for field in crm.people["contact"] if field.name != "rank"]
    found = await findings(crm, score_field="rank")
    (warning,) = warnings(found)
    assert (wrong(found), warning.what) == ([], "People has no field rank.")
    assert "may be refused" in warning.why
    assert warning.advice


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"field": "custom.rank", "crm_field": "rank"}, None),
        ({"field": "custom.boss", "crm_field": "boss", "direction": "from_crm"}, None),
        ({"field": "custom.sum", "crm_field": "sum", "direction": "from_crm"}, None),
        ({"field": "phone", "crm_field": "tel"}, "Leads has no field tel, to which phone is mapped."),
        (
            {"field": "phone", "crm_field": "flag"},
            "flag of Leads is of type boolean, which cannot",
        ),
        ({"field": "custom.boss", "crm_field": "boss"}, "type reference, which cannot take custom.boss."),
        ({"field": "custom.sum", "crm_field": "sum"}, "sum of Leads cannot be written, but custom.sum is"),
        (
            {"field": "birthday", "crm_field": "rank", "direction": "from_crm"},
            "rank of Leads is of type number, which birthday cannot hold.",
        ),
        ({"field": "custom.name", "crm_field": "last"}, "Both last_name and custom.name are written to"),
    ],
)
async def test_mapped_fields_must_exist_be_writable_and_fit(rule: dict[str, str], said: str | None) -> None:
    found = wrong(await findings(Crm(), fields=[rule]))
    assert len(found) == (said is not None)
    assert said is None or said in found[0].what


async def test_a_standard_field_that_the_crm_lacks_is_a_warning_and_can_be_mapped_elsewhere() -> None:
    crm = Crm()
    crm.people["lead"] = [info for info in crm.people["lead"] if info.name != "born"]
    (warning,) = warnings(await findings(crm))
    assert warning.what == "Leads has no field born, to which birthday is mapped."
    away = {"field": "birthday", "crm_field": "born", "direction": "to_crm", "rule": "theirs"}
    assert len(wrong(await findings(crm, fields=[away]))) == 1, "what a person maps must be there"


async def test_what_the_crm_requires_and_we_never_fill_is_warned_of() -> None:
    crm = Crm()
    crm.people["lead"].append(FieldInfo("region", "Region", required=True))
    crm.people["account"].append(FieldInfo("branch", "Branch", required=True))
    assert [f.what for f in warnings(await findings(crm))] == [
        "Leads requires the field region, which Leadbus never fills."
    ]
    mapped = {"field": "custom.region", "crm_field": "region"}
    assert warnings(await findings(crm, fields=[mapped])) == []
    assert [f.what for f in warnings(await findings(crm, record_as="contact"))] == [
        "Companies requires the field branch, which Leadbus never fills."
    ]


async def test_fields_of_a_kind_that_the_crm_does_not_have_are_told() -> None:
    rule = {"of": "target", "field": "phone", "crm_field": "tel"}
    (finding,) = wrong(await findings(Crm(), fields=[rule]))
    assert finding.what == "This CRM has no records of the kind target, to which phone is mapped."


async def test_each_kind_is_described_once() -> None:
    crm = Crm()
    await findings(crm, score_field="rank", record_as="contact")
    assert crm.called.count("describe") == 3


STATUS_FIELD = FieldInfo("state", "State", "option", options=("New", "Dead"))


def with_statuses(**of_the_answer: Any) -> Crm:
    crm = Crm(capabilities=replace(CAPABILITIES, status_field="state"))
    crm.people["lead"] += [STATUS_FIELD, replace(FieldInfo("ok", "Ok", "option"), **of_the_answer)]
    return crm


async def test_mapped_statuses_must_be_offered_and_capitals_count() -> None:
    good, bad = {"ours": "Lost", "theirs": "Dead"}, {"ours": "Fresh", "theirs": "new"}
    assert wrong(await findings(with_statuses(), statuses=[good])) == []
    (finding,) = wrong(await findings(with_statuses(), statuses=[good, bad]))
    assert "state of Leads does not have the value new, but has New" in finding.what
    assert finding.advice == "Add the value new to the field state of Leads in the CRM."


async def test_whoever_records_contacts_is_told_that_these_have_no_status() -> None:
    rules = [{"ours": "Lost", "theirs": "Dead"}]
    found = await findings(with_statuses(), statuses=rules, record_as="contact")
    assert any("no lead status" in finding.what for finding in warnings(found))


@pytest.mark.parametrize(
    ("info", "answers", "said"),
    [
        ({"options": ("Yes", "No")}, {"accepted": "Yes", "rejected": "No"}, None),
        ({"options": ("Yes", "No")}, {"accepted": "yes", "rejected": "No"}, "value yes, but has Yes"),
        ({"type": "boolean"}, {"accepted": "true", "rejected": None}, None),
        ({"type": "boolean"}, {"accepted": "Yes", "rejected": None}, "does not have the value Yes"),
        ({"type": "text", "options": None}, {"accepted": "Anything"}, None),
        ({"name": "other"}, {}, "Leads has no field ok."),
    ],
)
async def test_the_field_of_the_answer_must_exist_and_offer_both(
    info: dict[str, Any], answers: dict[str, Any], said: str | None
) -> None:
    found = wrong(await findings(with_statuses(**info), answer_field={"crm_field": "ok", **answers}))
    assert [said in finding.what for finding in found if said] == ([True] if said else [])
    assert bool(found) == bool(said)


async def test_recommending_the_crm_for_answers_is_warned_of_where_nothing_there_says_one() -> None:
    mailed = {"default_owners": ["owner@example.com"]}
    assert any("answer_by is crm" in f.what for f in warnings(await findings(Crm(), **mailed)))
    for settings in ({"answer_by": "email"}, {"lead_distribution": {"on": False}}):
        assert warnings(await findings(Crm(), **mailed, **settings)) == []
