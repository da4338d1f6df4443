"""Zoho CRM in the sample: connected by a self client, and telling of changes by itself."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from sandbox.crms.crm import LEAD_SOURCE, Crm, Customer, Organisation
from sandbox.crms.tables import Kind, Note, Opportunity, Record, Row, Tables, Words

CLIENT = "1000.LEADBUS"
SCORE_FIELD = "Leadbus_Score"
TIME_ZONE = "Europe/Warsaw"
WORDS = Words(
    new="Not Contacted",
    converted=None,
    changing=frozenset({SCORE_FIELD, "modified", "Email_Opt_Out"}),
)
MODULES = ("Leads", "Contacts", "Notes", "Deals")
_PEOPLE: tuple[tuple[Kind, str], ...] = (("lead", "Leads"), ("contact", "Contacts"))
_MODULE = dict(_PEOPLE)
_CLOSES = timedelta(days=30)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) [A-Z]{3,5}\b")


@dataclass(frozen=True, slots=True)
class ZohoOrganisation(Organisation):
    """number: as in the CRM's address, behind org. user: email of the user in whose name Leadbus works."""

    tenant: str
    title: str
    number: str
    user: str

    def crm(self, folder: Path, port: int) -> "Zoho":
        """See `Organisation`."""
        return Zoho(self, folder, port)


class Zoho(Crm):
    """api_user: the id of Leadbus's user, known once prepared."""

    connector = "connector-zoho"
    told = re.compile(r"\bREST\b")
    pushes = True
    statuses = ("Contacted", "Contact in Future", "Lost Lead", "Pre-Qualified")
    stages = (("Qualification", "1200"), ("Proposal/Price Quote", "980.5"), ("Closed Won", "15400"))

    def __init__(self, organisation: ZohoOrganisation, folder: Path, port: int) -> None:
        command = [sys.executable, "-m", "sandbox.zoho", "--zgid", organisation.number]
        super().__init__(organisation.tenant, organisation.title, port, folder, command)
        self._organisation = organisation
        self.api_user = ""

    async def prepare(self, password: str) -> None:
        """A user for Leadbus, the secret of its OAuth client, and a field for the score."""
        users = await self._at_the_desk("users")
        known = {user["email"]: user["id"] for user in users}
        self.api_user = known.get(self._organisation.user) or await self._at_the_desk(
            "add_user", email=self._organisation.user, last_name="Leadbus", admin=True
        )
        await self._at_the_desk("set_client_secret", secret=password)
        for module in _MODULE.values():
            await self._at_the_desk("add_option", module=module, field="Lead_Source", option=LEAD_SOURCE)
            await self._at_the_desk("add_field", module=module, name=SCORE_FIELD, type="integer")

    async def settings(self, password: str) -> dict[str, Any]:
        """With a grant token, which serves once and within minutes."""
        return {
            "access": {
                "user": self._organisation.user,
                "organisation": self._organisation.number,
                "data_centre": self.url,
                "client_id": CLIENT,
                "client_secret": password,
                "grant_token": (await self.do("grant", user=self._organisation.user))["code"],
            },
            "score_field": SCORE_FIELD,
            "time_zone": TIME_ZONE,
        }

    async def tables(self) -> Tables:
        """See `Crm`."""
        return tables_of({module: await self.rows(module) for module in MODULES}, self.api_user)

    async def enter(self, customers: Iterable[Customer]) -> set[str]:
        """See `Crm`."""
        there = {row["id"] for module in _MODULE.values() for row in await self.rows(module)}
        entered: set[str] = set()
        for customer in customers:
            key = _key(f"{self.name}/{customer.email}/{customer.number}")
            entered.add(key)
            if key not in there:
                fields = _particulars(customer) | {"id": key}
                await self.do("create", module=_MODULE[customer.kind], fields=fields)
        return entered

    async def set_status(self, lead: Record, status: str) -> None:
        """See `Crm`."""
        await self.do("change", module="Leads", id=lead.id, fields={"Lead_Status": status})

    async def sell(self, to: Record, name: str, stage: str, amount: str) -> None:
        """First the lead is converted, then a deal is made for the contact."""
        contact = await self._at_the_desk("convert", lead_id=to.id) if to.kind == "lead" else to.id
        closes = (datetime.now(UTC) + _CLOSES).date().isoformat()
        deal = {"Deal_Name": name, "Stage": stage, "Amount": float(amount), "Closing_Date": closes}
        await self.do("create", module="Deals", fields=deal | {"Contact_Name": contact})

    async def _at_the_desk(self, call: str, **facts: Any) -> Any:
        return (await self.do(f"desk/{call}", **facts))["result"]


def tables_of(rows: Mapping[str, Sequence[Row]], api_user: str) -> Tables:
    """rows: by module, as the simulator shows them. api_user: whose rows are ours."""
    live = {module: [row for row in some if not row["deleted"]] for module, some in rows.items()}
    leads = {row["Converted_Contact"]: row["id"] for row in live["Leads"] if row["converted"]}
    return Tables.of(
        WORDS,
        (_record(kind, row, api_user) for kind, module in _PEOPLE for row in live[module]),
        (
            Note(row["Parent_Id"], row["Note_Title"] or "", _in_utc(row["Note_Content"] or ""))
            for row in live["Notes"]
        ),
        (
            Opportunity(
                row["id"],
                row["Deal_Name"],
                row["Stage"],
                str(row["Amount"]),
                leads.get(row["Contact_Name"]),
            )
            for row in live["Deals"]
        ),
    )


def _record(kind: Kind, row: Row, api_user: str) -> Record:
    email = row["email"]
    return Record(
        kind,
        row["id"],
        row["created_by"] == api_user,
        datetime.fromisoformat(row["created"]).timestamp(),
        (email.lower(),) if email else (),
        row["Last_Name"],
        status=row.get("Lead_Status"),
        score=row.get(SCORE_FIELD),
        became=row["Converted_Contact"] if row["converted"] else None,
        traceparent=row["traceparent"],
        stored=row,
    )


def _in_utc(text: str) -> str:
    """A note begins with the time in the connection's time zone; judges think in UTC."""
    begins = _TIME.match(text)
    if begins is None:
        return text
    at = datetime.fromisoformat(begins[1]).replace(tzinfo=ZoneInfo(TIME_ZONE)).astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC{text[begins.end() :]}"


def _key(name: str) -> str:
    """An id of 19 digits, always the same for the same name."""
    return str(10**18 + uuid5(NAMESPACE_URL, name).int % (8 * 10**18))


def _particulars(customer: Customer) -> dict[str, str]:
    """Others than upstream has."""
    person = {
        "Email": customer.email,
        "First_Name": "Known",
        "Last_Name": "Beforehand",
        "Phone": "+44 20 7946 0000",
        "Description": "Met at the fair & liked us.",
        "Lead_Source": "Trade Show",
    }
    if customer.kind == "contact":
        return person | {"Title": "Our customer", "Mailing_City": "Elsewhere"}
    status = "Lost Lead" if customer.closed else "Contacted"
    lead = {"Designation": "Our customer", "City": "Elsewhere", "Company": "Old Friends Ltd"}
    return person | lead | {"Lead_Status": status}
