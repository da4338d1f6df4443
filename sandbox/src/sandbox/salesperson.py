"""The salesperson: has some customers already, changes the status of some leads, sees opportunities."""

from sandbox.crms.crm import Crm, Customer
from sandbox.crms.tables import Kind, Record
from sandbox.upstream.account import Account
from sandbox.upstream.people import Person

SEED, STATUS = "seed", "status"
"""Kinds of notes in the account."""

COURSE = "Course for "
"""How the names of the salesperson's opportunities begin."""

# Per person whom the CRM knows beforehand: its records. The fourth one is in there twice, once closed.
_KNOWN: tuple[tuple[Kind, ...], ...] = (
    ("lead",),
    ("contact",),
    ("lead",),
    ("lead", "lead"),
    ("contact",),
    ("lead",),
)


class Salesperson:
    """Works in one CRM; writes down what the judge cannot see there."""

    def __init__(self, crm: Crm, account: Account) -> None:
        self._crm = crm
        self._account = account

    async def knew(self, people: list[Person]) -> None:
        """Enters people before anybody else does; does nothing the second time."""
        if any(facts["crm"] == self._crm.name for facts in self._account.notes(SEED).values()):
            return
        ids = await self._crm.enter(
            Customer(kind, person.email, number, closed=number < len(kinds) - 1)
            for person, kinds in zip(people, _KNOWN, strict=False)
            for number, kind in enumerate(kinds)
        )
        for record in (await self._crm.tables()).records:
            if record.id in ids:
                self._account.note(SEED, record.id, {"crm": self._crm.name, "row": record.stored})

    async def works(self, statuses: int, opportunities: int, promising: frozenset[str] = frozenset()) -> None:
        """Changes statuses of as many of our leads (of half, if few); of others come opportunities.

        promising: records to which is sold first.
        """
        done = self._account.notes(STATUS)
        tables = await self._crm.tables()
        ours = [record for record in tables.records if _is_worked(record)]
        leads = [record for record in ours if record.kind == "lead" and record.id not in done]
        leads.sort(key=lambda lead: lead.id not in promising)
        statuses = min(statuses, (len(leads) + 1) // 2)
        people = leads[: len(leads) - statuses]
        for number, lead in enumerate(leads[len(people) :]):
            status = self._crm.statuses[number % len(self._crm.statuses)]
            # First written down: doing it twice changes nothing, doing it unseen would.
            self._account.note(STATUS, lead.id, {"crm": self._crm.name, "status": status})
            await self._crm.set_status(lead, status)
        busy = {opportunity.name for opportunity in tables.opportunities}
        people = people or [record for record in ours if record.kind == "contact"]
        names = [(person, f"{COURSE}{person.last_name}, {person.id[-8:]}") for person in people]
        new = [(person, name) for person, name in names if name not in busy]
        for number, (person, name) in enumerate(new[:opportunities]):
            stage, amount = self._crm.stages[number % len(self._crm.stages)]
            await self._crm.sell(person, name, stage, amount)


def _is_worked(record: Record) -> bool:
    """People whom Leadbus entered and who are not converted."""
    return record.ours and bool(record.emails) and record.became is None
