"""SugarCRM and SuiteCRM in the sample."""

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sandbox.crms.crm import LEAD_SOURCE, Crm, Customer, Organisation
from sandbox.crms.tables import Kind, Note, Opportunity, Record, Row, Tables, Words

API_USER = "leadbus"
PLATFORM = "leadbus"
GUESTS = "Guests of the fair"
"""A target list that people made."""
SCORE_FIELD = "lead_score_c"
WORDS = Words(
    new="New",
    converted="Converted",
    changing=frozenset({SCORE_FIELD, "date_modified", "modified_user_id"}),
)
MODULES = ("Leads", "Contacts", "Notes", "Opportunities")
_PEOPLE: tuple[tuple[Kind, str], ...] = (("lead", "Leads"), ("contact", "Contacts"))
_MODULE = dict(_PEOPLE)
_OFTEN = {"every_seconds": 2}
_MADE = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities"}


@dataclass(frozen=True, slots=True)
class SugarOrganisation(Organisation):
    """speaks: which Sugar it is, see `python -m sandbox.sugar --help`.

    address: as its owner copied it from somewhere, with {site} for the server's. team: in which the tenant
    works, empty = the CRM has no teams.
    """

    tenant: str
    title: str
    speaks: str
    address: str
    team: str = ""

    def crm(self, folder: Path, port: int) -> "Sugar":
        """See `Organisation`."""
        return Sugar(self, folder, port)


class Sugar(Crm):
    """api_user: the id of Leadbus's user; team: that of the tenant's team; guests: that of the target list.

    Known once prepared.
    """

    connector = "connector-sugar"
    told = re.compile(r"\b(SOAP|REST)\b")
    statuses = ("Assigned", "In Process", "Recycled", "Dead")
    stages = (("Prospecting", "1200"), ("Proposal/Price Quote", "980.5"), ("Closed Won", "15400"))

    def __init__(self, organisation: SugarOrganisation, folder: Path, port: int) -> None:
        command = [sys.executable, "-m", "sandbox.sugar", "--speaks", organisation.speaks]
        command += ["--teams"] if organisation.team else []
        super().__init__(organisation.tenant, organisation.title, port, folder, command)
        self._organisation = organisation
        self.api_user = self.team = self.guests = ""

    async def prepare(self, password: str) -> None:
        """A user for Leadbus, its platform and team, and the lead source."""
        users = {row["user_name"]: row["id"] for row in await self.rows("Users")}
        if API_USER not in users:
            md5 = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
            user = {"user_name": API_USER, "user_hash": md5, "last_name": "Leadbus", "status": "Active"}
            await self.do("option", module="Leads", field="lead_source", name=LEAD_SOURCE)
            made = await self.do("create", module="Users", fields=user | {"is_admin": "1"})
            users[API_USER] = made["id"]
        self.api_user = users[API_USER]
        if self._organisation.speaks.startswith("sugar-"):  # these know API platforms
            await self.do("desk/register_platform", name=PLATFORM)
        lists = {row["name"]: row["id"] for row in await self.rows("ProspectLists")}
        if GUESTS not in lists:
            fields = {"name": GUESTS, "list_type": "default"}
            lists[GUESTS] = (await self.do("create", module="ProspectLists", fields=fields))["id"]
        self.guests = lists[GUESTS]
        if self._organisation.team:
            self.team = await self._joined(self._organisation.team)

    async def settings(self, password: str) -> dict[str, Any]:
        """With the address as its owner has copied it."""
        url = self._organisation.address.format(site=self.url)
        teams = {"teams": [self._organisation.team]} if self._organisation.team else {}
        return {
            "access": {"url": url, "user": API_USER, "password": password},
            "score_field": SCORE_FIELD,
            "schedules": dict.fromkeys(("lead", "contact", "opportunity"), _OFTEN),
            **teams,
        }

    async def tables(self) -> Tables:
        """See `Crm`."""
        return tables_of({module: await self.rows(module) for module in MODULES}, self.api_user, self.team)

    async def enter(self, customers: Iterable[Customer]) -> set[str]:
        """They belong to the tenant's team."""
        there = {row["id"] for module in _MODULE.values() for row in await self.rows(module)}
        entered: set[str] = set()
        for customer in customers:
            key = str(uuid5(NAMESPACE_URL, f"{self.name}/{customer.email}/{customer.number}"))
            entered.add(key)
            if key not in there:
                fields = _particulars(customer) | {"id": key, **self._of_team}
                await self.do("create", module=_MODULE[customer.kind], fields=fields)
        return entered

    async def set_status(self, lead: Record, status: str) -> None:
        """See `Crm`."""
        await self.do("change", module="Leads", id=lead.id, fields={"status": status})

    async def sell(self, to: Record, name: str, stage: str, amount: str) -> None:
        """All that is made is the tenant's team's."""
        made = await self.do("opportunity", email=to.emails[0], name=name, stage=stage, amount=amount)
        if self.team:
            for kind, module in _MADE.items():
                await self.do("change", module=module, id=made[kind], fields=self._of_team)

    async def on_list(self) -> set[str]:
        """The ids of the people on the target list."""
        return set((await self.do("desk/on_list", target_list=self.guests))["result"])

    async def put_on_list(self, person: Record, *, off: bool = False) -> None:
        """By hand; off: taken off it."""
        facts = {"list": self.guests, "module": _MODULE[person.kind], "id": person.id, "off": off}
        await self.do("membership", **facts)

    @property
    def _of_team(self) -> dict[str, str]:
        """A team of one is a set of teams under the same id."""
        return {"team_id": self.team, "team_set_id": self.team} if self.team else {}

    async def _joined(self, team: str) -> str:
        """The id of the team, with our user in it."""
        known = {row["name"]: row["id"] for row in await self.rows("Teams")}
        if team not in known:
            known[team] = (await self.do("desk/add_team", name=team))["result"]
            await self.do("desk/join_team", team=known[team], user=self.api_user)
        return str(known[team])


def tables_of(rows: Mapping[str, Sequence[Row]], api_user: str, team: str = "") -> Tables:
    """rows: by module, as the simulator shows them. api_user: whose rows are ours.

    team: the id of the team that what we write must belong to; empty = no matter.
    """
    live = {module: [row for row in some if not row["deleted"]] for module, some in rows.items()}
    leads = {row.get("opportunity_id"): row["id"] for row in live["Leads"]}
    return Tables.of(
        WORDS,
        (_record(kind, row, api_user, team) for kind, module in _PEOPLE for row in live[module]),
        (Note(row["parent_id"], row["name"], row["description"] or "") for row in live["Notes"]),
        (
            Opportunity(row["id"], row["name"], row["sales_stage"], str(row["amount"]), leads.get(row["id"]))
            for row in live["Opportunities"]
        ),
    )


def _record(kind: Kind, row: Row, api_user: str, team: str) -> Record:
    return Record(
        kind,
        row["id"],
        row.get("created_by") == api_user,
        datetime.fromisoformat(row["created"]).timestamp(),
        tuple(email.lower() for email in row["emails"]),
        row["last_name"],
        status=row.get("status"),
        score=row.get(SCORE_FIELD),
        became=row.get("contact_id") if row.get("converted") else None,
        misplaced=bool(team) and row["team_id"] != team,
        traceparent=row.get("traceparent"),
        stored=row,
    )


def _particulars(customer: Customer) -> dict[str, str]:
    """Others than upstream has."""
    fields = {
        "email1": customer.email,
        "first_name": "Known",
        "last_name": "Beforehand",
        "title": "Our customer",
        "phone_work": "+44 20 7946 0000",
        "primary_address_city": "Elsewhere",
        "description": "Met at the fair & liked us.",
        "lead_source": "Conference",
        "date_entered": f"2025-0{customer.number + 1}-15 10:00:00",
    }
    status = "Dead" if customer.closed else "Assigned"
    return fields | ({"status": status, "account_name": "Old Friends Ltd"} if customer.kind == "lead" else {})
