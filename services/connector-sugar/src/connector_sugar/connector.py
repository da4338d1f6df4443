"""The SugarCRM adapter: each verb as a few SOAP calls, many rows in each."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any

import httpx

from connector_sugar import translation, wire
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.checking import Checking
from connector_sugar.client import OnCall, SugarClient
from connector_sugar.reading import EMAIL_LINK, Links, Reading
from connector_sugar.settings import SugarConnection
from connector_sugar.translation import LEADS, MODULES, NOTES, OPPORTUNITIES
from connector_sugar.writing import Writing
from leadbus.connector.contract import (
    Finding,
    NewActivity,
    NewPerson,
    Opportunity,
    Outcome,
    Page,
    Person,
    PersonChange,
)
from leadbus.errors import LeadbusError
from leadbus.messages import Record

_CONTACT_LINK: Links = {"contacts": ("id",)}


class SugarAdapter:
    """One connection's way into its SugarCRM; implements `leadbus.connector.contract.Adapter`."""

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection: SugarConnection,
        *,
        on_call: OnCall | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = connection
        self._client = SugarClient(
            connection.access,
            sessions=CAPABILITIES.concurrent_calls,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            on_call=on_call,
            transport=transport,
        )
        self._reading = Reading(self._client)
        self._writing = Writing(self._client, self._reading)

    async def check(self) -> list[Finding]:
        """See `Adapter`."""
        return await Checking(self._client, self._connection).run()

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. A record counts for each of its addresses, not for its primary one only."""
        asked = set(emails)
        found: dict[str, list[Person]] = {}

        async def find(module: str, some: Sequence[str]) -> None:
            fields, query = translation.PERSON_FIELDS[module], wire.with_emails(module, some)
            for entry in await self._reading.entries(module, query, fields, EMAIL_LINK):
                for email in translation.emails_of(entry) & asked:
                    found.setdefault(email, []).append(translation.person_of(entry, module))

        parts = wire.chunks(sorted(asked), CAPABILITIES.rows_per_read)
        await _all(find(module, some) for some in parts for module in MODULES.values())
        return found

    async def read(self, records: Sequence[Record]) -> dict[str, Person]:
        """See `Adapter`."""
        found: dict[str, Person] = {}

        async def read(module: str, ids: Sequence[str]) -> None:
            fields = translation.PERSON_FIELDS[module]
            for entry in await self._reading.by_id(module, ids, fields):
                found[entry.id] = translation.person_of(entry, module)

        ids = {m: sorted({r.id for r in records if r.module == m}) for m in translation.PERSON_FIELDS}
        size = CAPABILITIES.rows_per_read
        await _all(read(module, some) for module in ids for some in wire.chunks(ids[module], size))
        return found

    async def create(self, people: Sequence[NewPerson]) -> list[Outcome]:
        """See `Adapter`."""
        score_field = self._connection.score_field
        rows = [
            (MODULES[person.kind], translation.person_pairs(person, score_field), person.traceparent)
            for person in people
        ]
        return await self._writing.write(rows, creating=True)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        score_field = self._connection.score_field
        rows = [
            (change.record.module, translation.change_pairs(change, score_field), change.traceparent)
            for change in changes
        ]
        return await self._writing.write(rows, creating=False)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Outcome]:
        """See `Adapter`; an activity is a note on the record."""
        rows = [(NOTES, translation.note_pairs(activity), activity.traceparent) for activity in activities]
        return await self._writing.write(rows, creating=True)

    async def changed_people(self, since: datetime, page: str | None) -> Page[Person]:
        """See `Adapter`."""
        entries, following, server_time = await self._reading.changed(
            LEADS, since, page, translation.PERSON_FIELDS[LEADS]
        )
        people = [translation.person_of(entry, LEADS) for entry in entries]
        return Page(people, following, server_time)

    async def changed_opportunities(self, since: datetime, page: str | None) -> Page[Opportunity]:
        """See `Adapter`."""
        fields = translation.OPPORTUNITY_FIELDS
        entries, following, server_time = await self._reading.changed(
            OPPORTUNITIES, since, page, fields, _CONTACT_LINK
        )
        contacts = {e.id: [row["id"] for row in e.linked.get("contacts", ())] for e in entries}
        emails = await self._reading.emails_of({key for keys in contacts.values() for key in keys})
        currencies = await self._reading.currencies({e.values.get("currency_id", "") for e in entries})
        opportunities = [
            translation.opportunity_of(
                entry,
                set().union(*(emails.get(key, set()) for key in contacts[entry.id])),
                currencies.get(entry.values.get("currency_id", "")),
            )
            for entry in entries
        ]
        return Page(opportunities, following, server_time)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._client.close()


async def _all(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs them side by side; if one fails the others are called off."""
    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(call)
    except* LeadbusError as failed:
        raise failed.exceptions[0] from None
