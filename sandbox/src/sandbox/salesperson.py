"""The salesperson: has some customers already, changes the status of some leads, sees opportunities."""

from uuid import NAMESPACE_URL, uuid5

from sandbox.crms import Crm, Row
from sandbox.upstream.account import Account
from sandbox.upstream.people import Person

SEED, STATUS = "seed", "status"
"""Kinds of notes in the account."""

COURSE = "Course for "
"""How the names of the salesperson's opportunities begin."""

_STATUSES = ("Assigned", "In Process", "Recycled", "Dead")
_STAGES = (("Prospecting", "1200"), ("Proposal/Price Quote", "980.5"), ("Closed Won", "15400"))
# Per person whom the CRM knows beforehand: its records. The fourth one is in there twice, once closed.
_KNOWN = (("Leads",), ("Contacts",), ("Leads",), ("Leads:Dead", "Leads"), ("Contacts",), ("Leads",))


class Salesperson:
    """Works in one CRM; writes down what the judge cannot see there."""

    def __init__(self, crm: Crm, account: Account) -> None:
        self._crm = crm
        self._account = account

    async def knew(self, people: list[Person]) -> None:
        """Enters people before anybody else does; does nothing the second time."""
        if any(facts["crm"] == self._crm.name for facts in self._account.notes(SEED).values()):
            return
        there = {row["id"] for module in ("Leads", "Contacts") for row in await self._crm.records(module)}
        ids: set[str] = set()
        for person, kinds in zip(people, _KNOWN, strict=False):
            for number, kind in enumerate(kinds):
                module, _, status = kind.partition(":")
                key = str(uuid5(NAMESPACE_URL, f"{self._crm.name}/{person.email}/{number}"))
                ids.add(key)
                if key not in there:
                    await self._crm.create(module, _known(person, key, module, status or "Assigned", number))
        for module in ("Leads", "Contacts"):
            for row in await self._crm.records(module):
                if row["id"] in ids:
                    self._account.note(SEED, row["id"], {"crm": self._crm.name, "row": row})

    async def works(self, statuses: int, opportunities: int) -> None:
        """Changes statuses of as many of our leads (of half, if few); of others come opportunities."""
        done = self._account.notes(STATUS)
        leads = [row for row in await self._ours("Leads") if row["id"] not in done]
        contacts = await self._ours("Contacts")
        statuses = min(statuses, (len(leads) + 1) // 2)
        for number, lead in enumerate(leads[:statuses]):
            status = _STATUSES[number % len(_STATUSES)]
            # First written down: doing it twice changes nothing, doing it unseen would.
            self._account.note(STATUS, lead["id"], {"crm": self._crm.name, "status": status})
            await self._crm.change("Leads", lead["id"], {"status": status})
        busy = {row["name"] for row in await self._crm.records("Opportunities")}
        people = leads[statuses:] or contacts
        names = [(person, f"{COURSE}{person['last_name']}, {person['id'][:8]}") for person in people]
        new = [(person, name) for person, name in names if name not in busy]
        for number, (person, name) in enumerate(new[:opportunities]):
            stage, amount = _STAGES[number % len(_STAGES)]
            await self._crm.opportunity(person["email"], name, stage, amount)

    async def _ours(self, module: str) -> list[Row]:
        """People whom Leadbus entered and who are not converted."""
        rows = [row for row in await self._crm.records(module) if row["created_by"] == self._crm.api_user]
        return [row for row in rows if row["email"] and not row["deleted"] and not row.get("converted")]


def _known(person: Person, key: str, module: str, status: str, number: int) -> dict[str, str]:
    """A record as a person typed it in long ago, with other particulars than upstream has."""
    fields = {
        "id": key,
        "email1": person.email,
        "first_name": "Known",
        "last_name": "Beforehand",
        "title": "Our customer",
        "phone_work": "+44 20 7946 0000",
        "primary_address_city": "Elsewhere",
        "description": "Met at the fair & liked us.",
        "lead_source": "Conference",
        "date_entered": f"2025-0{number + 1}-15 10:00:00",
    }
    return fields | ({"status": status, "account_name": "Old Friends Ltd"} if module == "Leads" else {})
