"""Microsoft Dynamics in the sample: on premises with a Windows user, or Dynamics 365 as an app."""

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
DIRECTORY, CLIENT = "22222222-bbbb-4bbb-8bbb-222222222222", "11111111-aaaa-4aaa-8aaa-111111111111"
SCORE_FIELD = "new_leadbusscore"
WORDS = Words(
    new="New",
    converted="Qualified",
    changing=frozenset(
        {SCORE_FIELD, "modifiedon", "modifiedby", "version", "versionnumber", "donotbulkemail"}
    ),
)
ENTITIES = ("lead", "contact", "annotation", "opportunity")
_PEOPLE: tuple[Kind, ...] = ("lead", "contact")
_OFTEN = {"every_seconds": 2}
_QUALIFIED, _LOST_STATE = 1, 2
_STATUSES = {
    1: "New",
    2: "Contacted",
    3: "Qualified",
    4: "Lost",
    6: "No Longer Interested",
    823270000: "Marketing Qualified",
}
_STAGES = {1: "In Progress", 2: "On Hold", 3: "Won"}
"""Status reasons of leads and of opportunities, as they are in a new organisation."""


@dataclass(frozen=True, slots=True)
class DynamicsOrganisation(Organisation):
    """version: see `python -m sandbox.dynamics --help`.

    address: as its owner copied it from somewhere, with {site} for the server's. domain: of Leadbus's Windows
    user; empty = Dynamics 365, where Leadbus is an app registration.
    """

    tenant: str
    title: str
    version: str
    address: str
    domain: str = ""

    def crm(self, folder: Path, port: int) -> "Dynamics":
        """See `Organisation`."""
        return Dynamics(self, folder, port)


class Dynamics(Crm):
    """api_user: the id of Leadbus's user, known once prepared."""

    connector = "connector-dynamics"
    told = re.compile(r"\b(SOAP|Web API)\b")
    statuses = ("Contacted", "Marketing Qualified", "Lost", "No Longer Interested")
    stages = (("In Progress", "1200"), ("On Hold", "980.5"), ("Won", "15400"))

    def __init__(self, organisation: DynamicsOrganisation, folder: Path, port: int) -> None:
        command = [sys.executable, "-m", "sandbox.dynamics", "--version", organisation.version]
        command += ["--organisation", organisation.tenant, "--tenant", DIRECTORY, "--client-id", CLIENT]
        command += ["--user", API_USER, "--domain", organisation.domain] if organisation.domain else []
        super().__init__(organisation.tenant, organisation.title, port, folder, command)
        self._organisation = organisation
        self.api_user = ""

    @property
    def page(self) -> str:
        """See `Crm`."""
        return f"{self.url}/_sandbox/records?module=lead"

    async def prepare(self, password: str) -> None:
        """The password of Leadbus's user or the secret of its app, the lead source, a field for the score."""
        domain = self._organisation.domain
        ours = rf"{domain}\{API_USER}" if domain else f"{CLIENT}@{self.name}"
        self.api_user = next(r["id"] for r in await self.rows("systemuser") if r["domainname"] == ours)
        if domain:
            await self._at_the_desk("set_password", password=password)
        else:
            await self._at_the_desk("set_client_secret", secret=password)
        for entity in _PEOPLE:
            await self._at_the_desk(
                "add_option", entity=entity, attribute="leadsourcecode", label=LEAD_SOURCE
            )
            await self._at_the_desk("add_attribute", entity=entity, name=SCORE_FIELD, type="integer")

    async def settings(self, password: str) -> dict[str, Any]:
        """With the address as its owner has copied it."""
        url = self._organisation.address.format(site=self.url)
        app = {"tenant": DIRECTORY, "client_id": CLIENT, "client_secret": password, "login_url": self.url}
        user = {"user": API_USER, "password": password, "domain": self._organisation.domain}
        return {
            "access": {"url": url, **(user if self._organisation.domain else app)},
            "score_field": SCORE_FIELD,
            "schedules": dict.fromkeys(("lead", "contact", "opportunity"), _OFTEN),
        }

    async def tables(self) -> Tables:
        """See `Crm`."""
        return tables_of({entity: await self.rows(entity) for entity in ENTITIES}, self.api_user)

    async def enter(self, customers: Iterable[Customer]) -> set[str]:
        """See `Crm`."""
        there = {row["id"] for entity in _PEOPLE for row in await self.rows(entity)}
        entered: set[str] = set()
        for customer in customers:
            key = str(uuid5(NAMESPACE_URL, f"{self.name}/{customer.email}/{customer.number}"))
            entered.add(key)
            if key not in there:
                row = _particulars(customer) | {"id": key}
                await self._at_the_desk("load", entity=customer.kind, rows=[row])
        return entered

    async def set_status(self, lead: Record, status: str) -> None:
        """See `Crm`."""
        await self._change("lead", lead.id, statuscode=_code(_STATUSES, status))

    async def sell(self, to: Record, name: str, stage: str, amount: str) -> None:
        """First the lead is qualified, then an opportunity is made for the contact, and perhaps won."""
        contact = await self._at_the_desk("qualify", lead=to.id) if to.kind == "lead" else to.id
        facts = {"name": name, "estimatedvalue": float(amount), "parentcontactid": contact}
        origin = {"originatingleadid": to.id} if to.kind == "lead" else {}
        made = await self.do("create", module="opportunity", fields=facts | origin)
        if stage != _STAGES[1]:
            await self._change("opportunity", made["id"], statuscode=_code(_STAGES, stage))

    async def _change(self, entity: str, key: str, **fields: Any) -> None:
        await self.do("change", module=entity, id=key, fields=fields)

    async def _at_the_desk(self, call: str, **facts: Any) -> Any:
        return (await self.do(f"desk/{call}", **facts))["result"]


def tables_of(rows: Mapping[str, Sequence[Row]], api_user: str) -> Tables:
    """rows: by entity, as the simulator shows them. api_user: whose rows are ours."""
    live = {entity: [row for row in some if not row["deleted"]] for entity, some in rows.items()}
    return Tables.of(
        WORDS,
        (_record(kind, row, api_user) for kind in _PEOPLE for row in live[kind]),
        (Note(row["objectid"], row["subject"] or "", row["notetext"] or "") for row in live["annotation"]),
        (
            Opportunity(
                row["id"],
                row["name"],
                _STAGES.get(row["statuscode"], ""),
                str(row["estimatedvalue"] or 0),
                row["originatingleadid"],
            )
            for row in live["opportunity"]
        ),
    )


def _record(kind: Kind, row: Row, api_user: str) -> Record:
    email, is_lead = row["email"], kind == "lead"
    return Record(
        kind,
        row["id"],
        row["created_by"] == api_user,
        datetime.fromisoformat(row["created"]).timestamp(),
        (email.lower(),) if email else (),
        row["lastname"],
        status=_STATUSES.get(row["statuscode"]) if is_lead else None,
        score=row.get(SCORE_FIELD),
        became=row["parentcontactid"] if is_lead and row["statecode"] == _QUALIFIED else None,
        traceparent=row["traceparent"],
        stored=row,
    )


def _code(options: Mapping[int, str], label: str) -> int:
    return next(number for number, known in options.items() if known == label)


def _particulars(customer: Customer) -> dict[str, Any]:
    """Others than upstream has."""
    person = {
        "emailaddress1": customer.email,
        "firstname": "Known",
        "lastname": "Beforehand",
        "jobtitle": "Our customer",
        "telephone1": "+44 20 7946 0000",
        "address1_city": "Elsewhere",
        "description": "Met at the fair & liked us.",
        "createdon": f"2025-0{customer.number + 1}-15T10:00:00Z",
    }
    if customer.kind == "contact":
        return person
    status = "Lost" if customer.closed else "Contacted"
    state = {"statecode": _LOST_STATE} if customer.closed else {}
    return person | {"companyname": "Old Friends Ltd", "statuscode": _code(_STATUSES, status), **state}
