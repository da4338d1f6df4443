"""The verbs that read: by email, by name, by id, by change, and what hangs on a person."""

from collections.abc import Sequence
from datetime import datetime

from connector_dynamics.changes import Changes
from connector_dynamics.client import Organisation
from connector_dynamics.looking import Looking
from connector_dynamics.translation import (
    ACCOUNT,
    ACTIVITIES,
    EMAILS,
    HANGS_ON,
    KINDS,
    PEOPLE,
    TEXT,
)
from connector_dynamics.wire import Condition, Filter
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Account, CrmActivity, Page, Person, Row
from leadbus.connector.together import together
from leadbus.messages import Record


class Reading:
    """Of one connection."""

    def __init__(self, organisation: Organisation, looking: Looking) -> None:
        self._looking = looking
        self._changes = Changes(organisation, looking)

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None
    ) -> Page[Row]:
        """See `Adapter`."""
        return await self._changes.changed(kind, since, page, mark)

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. By any of a person's three addresses, of which one in capitals is the same."""
        asked = set(emails)
        found: dict[str, list[Person]] = {}
        for rows in await together(
            self._looking.with_values(entity, EMAILS, sorted(asked)) for entity in PEOPLE
        ):
            for row in rows:
                if isinstance(row, Person):
                    for email in asked.intersection(row.emails):
                        found.setdefault(email, []).append(row)
        return found

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        asked: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            asked.setdefault(_compared(name), []).append(name)
        wanted = sorted({name.strip() for name in names} - {""})
        found: dict[str, list[Account]] = {}
        for row in await self._looking.with_values(ACCOUNT, ("name",), wanted) if wanted else ():
            if isinstance(row, Account):
                for name in asked.get(_compared(row.name), ()):
                    found.setdefault(name, []).append(row)
        return found

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`. Dynamics keeps no deleted records: they are absent, as if they had never existed."""
        ids: dict[str, list[str]] = {}
        for record in dict.fromkeys(records):
            if record.module in KINDS:
                ids.setdefault(record.module, []).append(record.id)
        parts = await together(self._looking.by_id(entity, some) for entity, some in ids.items())
        return {row.record.id: row for part in parts for row in part}

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`."""
        found: dict[str, list[CrmActivity]] = {}
        ids = sorted({record.id for record in records})
        for rows in await together(self._hanging_on(entity, ids) for entity in ACTIVITIES.values()):
            for row in rows:
                for key in row.about:
                    found.setdefault(key, []).append(row)
        return found

    async def _hanging_on(self, entity: str, ids: Sequence[str]) -> list[CrmActivity]:
        attributes = (*await self._looking.attributes(entity), TEXT[entity])
        where = Filter((Condition(HANGS_ON[entity], "in", tuple(ids)),))
        entries = await self._looking.entries(entity, attributes, where) if ids else []
        return [row for row in await self._looking.rows(entity, entries) if isinstance(row, CrmActivity)]


def _compared(name: str) -> str:
    return name.strip().casefold()
