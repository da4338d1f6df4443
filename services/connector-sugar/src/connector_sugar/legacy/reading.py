"""Rows out of the older services, in pages: by query, by change, by link."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from connector_sugar.legacy import queries
from connector_sugar.legacy.client import LegacyClient
from connector_sugar.legacy.operations import PAGED_LINKS, Row, Rows
from connector_sugar.legacy.values import Types, from_site, moment_or_none
from connector_sugar.wire import Email, Entry, Listing

Links = Mapping[str, Sequence[str]]
"""Fields of related rows by link."""
ROWS_PER_READ = 200

_ADDRESSES = "email_addresses"
_ADDRESS_FIELDS = ("email_address", "opt_out")
_WITH_EMAILS = frozenset({"Leads", "Contacts", "Prospects", "Users"})
_WITHOUT_TEAMS = frozenset({"Users", "Teams", "Currencies", "EmailAddresses"})
_TABLES = {"EmailAddresses": "email_addresses", "ProspectLists": "prospect_lists"}
_MUST = ("id", "date_modified", "deleted")


class Reading:
    """Reads over one client's sessions."""

    def __init__(self, client: LegacyClient, types: Types) -> None:
        self._client = client
        self._types = types

    async def matching(
        self, module: str, query: str, fields: Collection[str], *, deleted: bool = False
    ) -> list[Entry]:
        """All rows of a query that a few pages hold."""
        found: list[Entry] = []
        while True:
            page = await self._page(module, query, fields, {}, "id", offset=len(found), deleted=deleted)
            found += await self._entries(module, page.rows, fields, {})
            if not _has_more(page, len(found)):
                return found

    async def by_id(
        self, module: str, ids: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """Rows by id, deleted ones too."""
        query = queries.both(queries.with_ids(table_of(module), ids), limit(module, teams))
        return await self.matching(module, query, fields, deleted=True)

    async def changed(
        self,
        module: str,
        since: datetime | None,
        after: tuple[str, str] | None,
        fields: Collection[str],
        links: Links,
        teams: Collection[str],
    ) -> Listing:
        """One page. Pages go on after the last row seen: with offsets a row that changes shifts the rest."""
        table = table_of(module)
        place = (_spelt(after[0]), after[1]) if after else None
        query = queries.both(queries.changed(table, since, place), limit(module, teams))
        order = "date_modified asc, id asc"
        page = await self._page(module, query, fields, links, order, deleted=since is not None)
        entries = await self._entries(module, page.rows, fields, links)
        return Listing(entries, _has_more(page, len(entries)), page.total)

    async def linked(self, module: str, key: str, link: str, offset: int) -> Listing:
        """Rows related by a link. Only v4_1 tells them in pages; the others tell all at once."""
        await self._client.sign_in()
        page: Rows = await self._client.call(
            "get_relationships",
            *(module, key, link, "", ("id", "email1"), {}, 0, "id", offset, ROWS_PER_READ),
        )
        entries = [Entry(row.id, {}, tuple(_emails(row.values.get("email1", ""), ()))) for row in page.rows]
        paged = self._client.version in PAGED_LINKS
        return Listing(entries, paged and len(entries) >= ROWS_PER_READ)

    async def _page(
        self,
        module: str,
        query: str,
        fields: Iterable[str],
        links: Links,
        order_by: str,
        *,
        offset: int = 0,
        deleted: bool,
    ) -> Rows:
        emails = module in _WITH_EMAILS
        wanted = dict.fromkeys((*_MUST, *(("email1",) if emails else ()), *fields))
        asked = {**links, **({_ADDRESSES: _ADDRESS_FIELDS} if emails else {})}
        page: Rows = await self._client.call(
            "get_entry_list",
            *(module, query, order_by, offset, list(wanted), asked, ROWS_PER_READ, int(deleted), False),
        )
        return page

    async def _entries(
        self, module: str, rows: Sequence[Row], fields: Collection[str], links: Links
    ) -> list[Entry]:
        if not rows:
            return []
        types = await self._types.of(module, fields)
        spelt = {name: types.get(name) for name in fields}
        return [
            Entry(
                id=row.id,
                values={
                    name: from_site(row.values[name], kind)
                    for name, kind in spelt.items()
                    if name in row.values
                },
                emails=tuple(_emails(row.values.get("email1", ""), row.linked.get(_ADDRESSES, ()))),
                deleted=row.values.get("deleted") == "1",
                modified_at=moment_or_none(row.values.get("date_modified", "")),
                linked={link: row.linked.get(link, ()) for link in links},
            )
            for row in rows
        ]


def table_of(module: str) -> str:
    """The table that a query names."""
    return _TABLES.get(module, module.lower())


def limit(module: str, teams: Collection[str]) -> str:
    """The condition that keeps to these teams, empty if there are none."""
    return queries.of_teams(table_of(module), teams) if teams and module not in _WITHOUT_TEAMS else ""


def _emails(primary: str, linked: Iterable[Mapping[str, str]]) -> Iterable[Email]:
    """The primary address first. Whether it is opted out only the linked rows tell, on every version."""
    first = primary.strip().lower()
    flags: dict[str, bool | None] = {first: None} if first else {}
    for row in linked:
        if address := row.get("email_address", "").strip().lower():
            flags[address] = {"1": True, "0": False}.get(row.get("opt_out", ""))
    return (Email(address, address == first, opted_out) for address, opted_out in flags.items())


def _spelt(time: str) -> str:
    return queries.sugar_time(datetime.fromisoformat(time)) if time else ""


def _has_more(page: Rows, read: int) -> bool:
    """Whether rows follow the `read` first ones; next_offset never tells, and v2 counts no total."""
    if not page.rows:
        return False
    return read < page.total if page.total is not None else len(page.rows) >= ROWS_PER_READ
