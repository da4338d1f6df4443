"""The Zoho adapter: the kit's verbs, each done by the module that it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from connector_zoho import checking
from connector_zoho.campaigns import Campaigns
from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.channels import Channels
from connector_zoho.client import ZohoClient
from connector_zoho.converting import Converting
from connector_zoho.data_centres import crm_of
from connector_zoho.lists import Lists
from connector_zoho.metadata import Metadata
from connector_zoho.reading import Reading
from connector_zoho.settings import ZohoConnection
from connector_zoho.tagging import Tagging
from connector_zoho.writing import Writing
from leadbus.connector.capabilities import PEOPLE, Kind
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
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Unsupported
from leadbus.messages import Record

_TABS: Mapping[str, str] = {"Deals": "Potentials"}
"""Modules that Zoho's own addresses call by their old names: seen used."""


class ZohoAdapter:
    """One connection's way into its Zoho CRM; implements `leadbus.connector.contract.Adapter`."""

    def __init__(self, connection: ZohoConnection, client: ZohoClient) -> None:
        self._connection = connection
        self._client = client
        self._metadata = Metadata(client)
        self.capabilities = replace(CAPABILITIES, fit=self._metadata.fit)
        self._mapped_to = sorted({CAPABILITIES.module_of(r.of) for r in connection.fields if r.of in PEOPLE})
        fields = FieldMap.of(connection, CAPABILITIES)
        self._reading = Reading(client, connection, fields)
        self._lists = Lists(client, self._reading.looking)
        self._writing = Writing(client, connection, self._metadata)
        self._converting = Converting(client, self._reading.find_by_email)
        self._campaigns = Campaigns(client, self._metadata, Tagging(client, self._reading.looking))
        self._channels = Channels(client, connection)

    # Checking

    async def sign_in(self) -> list[Finding]:
        """See `Adapter`."""
        return await checking.findings(self._client, self._connection)

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Adapter`."""
        return await self._metadata.rights()

    async def teams(self) -> list[str]:
        """See `Adapter`."""
        raise Unsupported(CAPABILITIES.cannot["teams"])

    async def limits(self) -> Limits:
        """See `Adapter`."""
        return await self._client.limits()

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """See `Adapter`."""
        return await self._metadata.describe(CAPABILITIES.module_of(kind))

    # Reading

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`."""
        await self._learn_to_fit()
        return await self._reading.find_by_email(emails)

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        return await self._reading.find_accounts(names)

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`."""
        await self._learn_to_fit()
        return await self._reading.read(records)

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """See `Adapter`."""
        return await self._reading.changed(kind, since, page)

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`."""
        return await self._lists.members(list_id, page)

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`."""
        return await self._reading.activities_of(records)

    # Writing

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """See `Adapter`."""
        return await self._writing.create(people)

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """See `Adapter`."""
        return await self._converting.convert(conversions)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        return await self._writing.update(changes)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """See `Adapter`."""
        return await self._writing.create_accounts(accounts)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """See `Adapter`."""
        return await self._writing.add_activities(activities)

    async def write_campaigns(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`."""
        return await self._campaigns.write(campaigns) if campaigns else []

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`."""
        return await self._campaigns.put(members) if members else []

    # Besides

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """See `Adapter`."""
        return self._channels.interpret(body)

    async def watch(self, url: str) -> Watch:
        """See `Adapter`."""
        return await self._channels.watch(url)

    def url_of(self, record: Record) -> str:
        """See `Adapter`. The address of a record in the CRM's web pages: seen used, not documented."""
        access = self._connection.access
        root = f"{crm_of(access.data_centre, access.environment)}/crm/org{access.organisation}"
        return f"{root}/tab/{_TABS.get(record.module, record.module)}/{record.id}"

    async def close(self) -> None:
        """See `Adapter`."""
        self._reading.close()
        await self._client.close()

    async def _learn_to_fit(self) -> None:
        """What is written is planned after somebody was looked for, by what the mapped fields can hold."""
        for module in self._mapped_to:
            await self._metadata.shapes(module)
