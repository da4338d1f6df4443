"""The verbs that read: by email, by name, by id, by change, and what hangs on a person."""

from collections.abc import Collection, Sequence
from datetime import datetime

from connector_zoho.capabilities import EMAILS_PER_QUERY
from connector_zoho.changes import BULK_ABOVE, Changes
from connector_zoho.client import ZohoClient
from connector_zoho.looking import ROWS, Looking, Raw, info_of
from connector_zoho.pages import Cursor
from connector_zoho.settings import ZohoConnection
from connector_zoho.translation import (
    ACCOUNTS,
    ACTIVITIES,
    KINDS,
    PEOPLE,
    READ,
    TEXT,
    text,
)
from connector_zoho.values import ACCOUNT_NAME, fit, quoted
from connector_zoho.wire import outcomes
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Account, CrmActivity, Page, Person, Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.together import chunks, together
from leadbus.errors import Gone
from leadbus.messages import Record


class Reading:
    """Of one connection. bulk_above: a full reading of more rows of a module is done by file.

    looking: what else reads rows shares it.
    """

    def __init__(
        self,
        client: ZohoClient,
        connection: ZohoConnection,
        fields: FieldMap,
        bulk_above: int = BULK_ABOVE,
    ) -> None:
        self._client = client
        self.looking = Looking(client, connection, fields)
        self._changes = Changes(client, self.looking, bulk_above)

    async def changed(self, kind: Kind, since: datetime | None, page: str | None) -> Page[Row]:
        """See `Adapter`."""
        return await self._changes.changed(kind, since, page)

    def close(self) -> None:
        """Lets go of what is kept on disk."""
        self._changes.close()

    # By value

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. COQL looks at the records themselves; the search index lags behind writes."""
        asked = set(emails)
        found: dict[str, list[Person]] = {}
        parts = [(module, some) for some in chunks(sorted(asked), EMAILS_PER_QUERY) for module in PEOPLE]
        for rows in await together(self._with(module, "Email", some) for module, some in parts):
            for row in rows:
                if isinstance(row, Person) and row.email in asked:
                    found.setdefault(row.email, []).append(row)
        return found

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        asked: dict[str, list[str]] = {}
        kept = {name: fit(ACCOUNT_NAME, name) for name in names}
        for name, as_kept in kept.items():
            asked.setdefault(as_kept.casefold(), []).append(name)
        parts = chunks(sorted(set(kept.values())), EMAILS_PER_QUERY)
        found: dict[str, list[Account]] = {}
        for rows in await together(self._with(ACCOUNTS, ACCOUNT_NAME, some) for some in parts):
            for row in rows:
                if isinstance(row, Account):
                    for name in asked.get(row.name.strip().casefold(), ()):
                        found.setdefault(name, []).append(row)
        return found

    async def _with(self, module: str, field: str, wanted: Collection[str]) -> list[Row]:
        """Rows with one of these values, perhaps in other capitals; others may be among them."""
        values = ", ".join(map(quoted, wanted))
        query = f"select id from {module} where {field} in ({values}) limit "  # noqa: S608
        ids: list[str] = []
        more = True
        while more:
            body = {"select_query": f"{query}{len(ids)}, {ROWS}"}
            answer = await self._client.call(f"COQL {module}", "POST", "/coql", body=body)
            some = [text(raw["id"]) for raw in outcomes(answer)]
            ids += some
            more = bool(some and (info_of(answer) or {}).get("more_records"))
        return await self.looking.by_id(module, ids) if ids else []

    # By id

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`. A converted lead is found; a deleted record is not, as if it never existed."""
        ids: dict[str, list[str]] = {}
        for record in dict.fromkeys(records):
            if record.module in KINDS:
                ids.setdefault(record.module, []).append(record.id)
        pages = await together(self.looking.by_id(module, some) for module, some in ids.items())
        return {row.record.id: row for page in pages for row in page}

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`. By the lists of related records."""
        asked = [(record, module) for record in dict.fromkeys(records) for module in ACTIVITIES.values()]
        found: dict[str, list[CrmActivity]] = {}
        lists = await together(self._related(record, module) for record, module in asked)
        for (record, _), rows in zip(asked, lists, strict=True):
            some = [row for row in rows if isinstance(row, CrmActivity)]
            if some:
                found.setdefault(record.id, []).extend(some)
        return found

    async def _related(self, record: Record, module: str) -> list[Row]:
        try:
            return await self.looking.rows(module, await self._raws_of(record, module))
        except Gone:
            return []

    async def _raws_of(self, record: Record, module: str) -> list[Raw]:
        fields = ",".join((*READ[module], TEXT[module]))
        raws: list[Raw] = []
        cursor: Cursor | None = Cursor()
        while cursor is not None:
            answer = await self._client.call(
                f"GET related {module}",
                "GET",
                f"/{record.module}/{record.id}/{module}",
                params={"fields": fields, "per_page": str(ROWS), **cursor.params},
            )
            raws += [raw for raw in outcomes(answer) if raw.get("id")]
            cursor = cursor.following(info_of(answer))
        return raws
