"""Stands in for a CRM: reads from it as it is, and keeps what would be written instead of writing it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from leadbus.connector.contract import (
    Adapter,
    CampaignMember,
    Conversion,
    NewAccount,
    NewActivity,
    NewPerson,
    Person,
    PersonChange,
    Row,
)
from leadbus.connector.mapping import FieldMap
from leadbus.messages import Record

_READS = frozenset({"capabilities", "find_accounts", "activities_of", "members", "url_of"})


@dataclass(slots=True)
class Written:
    """What would have been."""

    people: list[NewPerson] = field(default_factory=list)
    changes: list[PersonChange] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)
    accounts: list[NewAccount] = field(default_factory=list)
    activities: list[NewActivity] = field(default_factory=list)
    members: list[CampaignMember] = field(default_factory=list)


class StandIn:
    """See the module. Every write is answered as if it had been done; no other verb of the adapter exists."""

    def __init__(self, adapter: Adapter, fields: FieldMap) -> None:
        self.written = Written()
        self._adapter = adapter
        self._fields = fields
        self._people: dict[Record, Person] = {}
        self._contacts: dict[str, Person] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in _READS:
            raise AttributeError(f"{name} is not for rehearsals")
        return getattr(self._adapter, name)

    def as_adapter(self) -> Adapter:
        """For the working-off, which asks for nothing else."""
        return cast(Adapter, self)

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """As the CRM says."""
        found = await self._adapter.find_by_email(emails)
        self._people |= {person.record: person for people in found.values() for person in people}
        return found

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """As the CRM says; contacts that would have been made of leads are as those."""
        asked = [record for record in records if record.id not in self._contacts]
        found = await self._adapter.read(asked) if asked else {}
        self._people |= {row.record: row for row in found.values() if isinstance(row, Person)}
        made = {r.id: self._contacts[r.id] for r in records if r.id in self._contacts}
        return {**found, **made}

    async def create(self, people: Sequence[NewPerson]) -> list[str]:
        """Nobody is made."""
        self.written.people += people
        return [person.id for person in people]

    async def convert(self, conversions: Sequence[Conversion]) -> list[Record]:
        """Nobody becomes a contact."""
        self.written.conversions += conversions
        return [self._contact(conversion) for conversion in conversions]

    async def update(self, changes: Sequence[PersonChange]) -> list[None]:
        """Nothing is changed."""
        self.written.changes += changes
        return [None for _ in changes]

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[str]:
        """None is made."""
        self.written.accounts += accounts
        return [account.id for account in accounts]

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[str]:
        """None is added."""
        self.written.activities += activities
        return [activity.id for activity in activities]

    async def put_members(self, members: Sequence[CampaignMember]) -> list[None]:
        """Nobody is put in or taken out."""
        self.written.members += members
        return [None for _ in members]

    def _contact(self, conversion: Conversion) -> Record:
        """With what the lead had, under the contact's names of fields."""
        if conversion.contact is not None:
            return conversion.contact
        module = self._adapter.capabilities.module_of("contact")
        record = Record(module=module, id=conversion.record.id)
        lead = self._people[conversion.record]
        values = {
            pair.theirs: lead.values.get(of_lead.theirs, "")
            for ours, pair in self._fields.pairs.get("contact", {}).items()
            if (of_lead := self._fields.pairs.get("lead", {}).get(ours)) is not None
        }
        account = conversion.account_id
        self._contacts[record.id] = replace(
            lead, record=record, kind="contact", values=values, account_id=account, converted_to=None
        )
        return record
