"""A CRM that answers a test of its connection as it is told to, and what the test finds there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.checking.checks import Checking
from leadbus.connector.contract import FieldInfo, Finding
from leadbus.connector.settings import ConnectionSettings, Section
from leadbus.errors import LeadbusError

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
