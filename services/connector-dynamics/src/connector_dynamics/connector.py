"""The Dynamics adapter: the kit's verbs, each done by the module that it belongs to."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from connector_dynamics import checking
from connector_dynamics.capabilities import CAPABILITIES
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from connector_dynamics.verbs import Verbs
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import (
    Account,
    CampaignAsSent,
    CampaignMember,
    Conversion,
    Converted,
    Created,
    CrmActivity,
    FieldInfo,
    Finding,
    Limits,
    NewAccount,
    NewActivity,
    NewPerson,
    Outcome,
    Page,
    Person,
    PersonChange,
    Row,
    Watch,
    WrittenCampaign,
)
from leadbus.errors import Unsupported
from leadbus.messages import Record


class DynamicsAdapter:
    """One connection's way into its organisation; implements `leadbus.connector.contract.Adapter`."""

    capabilities = CAPABILITIES

    def __init__(self, connection: DynamicsConnection, probing: Probing) -> None:
        self._connection = connection
        self._probing = probing
        self._verbs: Verbs | None = None
        self._opening = asyncio.Lock()

    # Checking

    async def sign_in(self) -> list[Finding]:
        """See `Adapter`."""
        return await checking.findings(self._probing, self._connection)

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Adapter`."""
        return await (await self._opened()).metadata.rights()

    async def teams(self) -> list[str]:
        """See `Adapter`."""
        raise Unsupported(CAPABILITIES.cannot["teams"])

    async def limits(self) -> Limits:
        """See `Adapter`. What five minutes bear is nothing that could be asked for."""
        return Limits(calls=self._probing.shared.limiter.calls)

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """See `Adapter`. Of activities those of tasks."""
        return await (await self._opened()).metadata.describe(CAPABILITIES.module_of(kind))

    # Reading

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`."""
        return await (await self._opened()).reading.find_by_email(emails)

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        return await (await self._opened()).reading.find_accounts(names)

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`."""
        return await (await self._opened()).reading.read(records)

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """See `Adapter`."""
        return await (await self._opened()).reading.changed(kind, since, page, mark)

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`."""
        return await (await self._opened()).lists.members(list_id, page)

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`."""
        return await (await self._opened()).reading.activities_of(records)

    # Writing

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """See `Adapter`."""
        return await (await self._opened()).writing.create(people)

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """See `Adapter`."""
        return await (await self._opened()).converting.convert(conversions)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        return await (await self._opened()).writing.update(changes)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """See `Adapter`."""
        return await (await self._opened()).writing.create_accounts(accounts)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """See `Adapter`."""
        return await (await self._opened()).writing.add_activities(activities)

    async def write_campaigns(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`."""
        return await (await self._opened()).campaigns.write(campaigns)

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`."""
        return await (await self._opened()).campaigns.put_members(members)

    # Besides

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """See `Adapter`. Dynamics pushes nothing to us."""
        return []

    async def watch(self, url: str) -> Watch:
        """See `Adapter`."""
        raise Unsupported("Leadbus reads what changes in Dynamics on schedule: the CRM pushes nothing to it.")

    def url_of(self, record: Record) -> str:
        """See `Adapter`. Microsoft's documentation: open forms with a URL; the same since 2011."""
        page = f"main.aspx?etn={record.module}&pagetype=entityrecord&id=%7B{record.id}%7D"
        return f"{self._connection.access.address}/{page}"

    async def close(self) -> None:
        """See `Adapter`."""
        await self._probing.close()

    async def _opened(self) -> Verbs:
        async with self._opening:
            if self._verbs is None:
                self._verbs = Verbs.of(await self._probing.open(), self._connection)
            return self._verbs
