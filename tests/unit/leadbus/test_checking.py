"""Save and test, on a CRM that answers as it is told to: each finding says what, why and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.checking.checks import Checking
from leadbus.connector.contract import FieldInfo, Finding
from leadbus.connector.settings import ConnectionSettings, Section
from leadbus.errors import AddressRefused, AuthRefused, LeadbusError, Transient, Unsupported

BOTH = frozenset({"read", "write"})
PEOPLE_FIELDS = {"first_name": "first", "last_name": "last", "birthday": "born"}
CAPABILITIES = Capabilities(
    crm="any",
    modules={
        "lead": ("Leads",),
        "contact": ("People",),
        "account": ("Companies",),
        "user": ("Users",),
        "opportunity": ("Deals",),
        "activity": ("Notes", "Tasks", "Meetings"),
        "list": ("Lists",),
    },
    fields={"lead": PEOPLE_FIELDS, "contact": PEOPLE_FIELDS},
    required={},
    new_lead_status="New",
    rows_per_write=1,
    rows_per_read=1,
    concurrent_calls=1,
    own_ids=True,
    lead_source_field="source",
    filled=frozenset({"id", "email", "name"}),
    activities={"note": "Notes", "task": "Tasks"},
    campaigns="Campaigns",
    steps={"rights": "Open Roles and allow {rights} on {module}.", "team": "Open Teams, add {value}."},
)
MODULES = (
    "Leads",
    "People",
    "Companies",
    "Users",
    "Deals",
    "Notes",
    "Tasks",
    "Meetings",
    "Lists",
    "Campaigns",
)


class AnyAccess(Section):
    url: str = "https://crm.example.com"


class AnyConnection(ConnectionSettings):
    """As a vendor's settings of a connection."""

    connection_id: str = "acme-any"
    tenant_id: str = "acme"
    access: AnyAccess = AnyAccess()
    teams: tuple[str, ...] = ()

    @property
    def organisation_id(self) -> str:
        return "any"

    @property
    def address(self) -> str:
        return self.access.url

    @property
    def team_names(self) -> tuple[str, ...]:
        return self.teams


def person_fields() -> list[FieldInfo]:
    return [
        FieldInfo("id", "Id", required=True),
        FieldInfo("first", "First name"),
        FieldInfo("last", "Last name", required=True),
        FieldInfo("born", "Birthday", "date"),
        FieldInfo("email", "Email", required=True),
        FieldInfo("source", "Source", "option", options=("Leadbus", "Web")),
        FieldInfo("rank", "Rank", "number"),
        FieldInfo("flag", "Flag", "boolean"),
        FieldInfo("sum", "Sum", "number", writable=False),
        FieldInfo("boss", "Boss", "reference"),
    ]


@dataclass
class Crm:
    """The verbs that a test uses; `fails`: what each raises; `called`: in order."""

    capabilities: Capabilities = CAPABILITIES
    signs_in: list[Finding] = field(default_factory=lambda: [Finding(True, "The address answers.")])
    may: dict[str, frozenset[Any]] = field(default_factory=lambda: dict.fromkeys(MODULES, BOTH))
    known_teams: list[str] = field(default_factory=list)
    people: dict[Kind, list[FieldInfo]] = field(
        default_factory=lambda: {
            "lead": person_fields(),
            "contact": person_fields(),
            "account": [FieldInfo("name", "Name", required=True)],
        }
    )
    fails: dict[str, LeadbusError] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    def _answer(self, verb: str) -> None:
        self.called.append(verb)
        if verb in self.fails:
            raise self.fails[verb]

    async def sign_in(self) -> list[Finding]:
        self._answer("sign_in")
        return self.signs_in

    async def rights(self) -> Mapping[str, frozenset[Any]]:
        self._answer("rights")
        return self.may

    async def teams(self) -> list[str]:
        self._answer("teams")
        return self.known_teams

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        self._answer("describe")
        return self.people[kind]


async def findings(crm: Crm, *, part: Any = "all", address: str = "", **settings: Any) -> list[Finding]:
    checking = Checking(AnyConnection.model_validate(settings), crm, address)  # type: ignore[arg-type]
    return await checking.run(part)


def wrong(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if not finding.ok]


def warnings(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.ok and finding.advice]


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
