"""Rows out of SugarCRM, in pages: by query, by id, by change."""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector_sugar import faults, translation, wire
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.client import SugarClient
from connector_sugar.translation import CONTACTS
from leadbus.errors import Unsupported

Links = Mapping[str, Sequence[str]]
"""Fields of related records by link."""
NO_LINKS: Links = {}
EMAIL_LINK: Links = {"email_addresses": ("email_address",)}

_DEFAULT_CURRENCY = frozenset({"", "-99"})
_CURRENCY_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of changes begins: after the row with this time and id; server_time: see `Page`."""

    server_time: datetime
    last: tuple[str, str] | None = None

    def token(self) -> str:
        return json.dumps([wire.sugar_time(self.server_time), *(self.last or ())])

    @classmethod
    def of(cls, token: str) -> "Place":
        server_time, time, key = json.loads(token)
        return cls(wire.moment(server_time), (time, key))


class Reading:
    """Reads over one client's sessions."""

    def __init__(self, client: SugarClient) -> None:
        self._client = client

    async def _page(
        self,
        module: str,
        query: str,
        fields: Iterable[str],
        links: Links,
        *,
        order_by: str,
        offset: int = 0,
        deleted: bool = True,
    ) -> wire.EntryList:
        result = await self._client.call(
            "get_entry_list",
            module,
            query,
            order_by,
            offset,
            wire.strings(fields),
            wire.links(links),
            CAPABILITIES.rows_per_read,
            int(deleted),
            False,
        )
        return wire.entry_list(result)

    async def entries(
        self,
        module: str,
        query: str,
        fields: Iterable[str],
        links: Links = NO_LINKS,
        *,
        deleted: bool = False,
    ) -> list[wire.Entry]:
        """All rows of a query that a few pages hold."""
        entries: list[wire.Entry] = []
        while True:
            page = await self._page(
                module, query, fields, links, order_by="id", offset=len(entries), deleted=deleted
            )
            entries += page.entries
            if not _has_more(page, len(entries)):
                return entries

    async def by_id(
        self, module: str, ids: Collection[str], fields: Iterable[str], links: Links = NO_LINKS
    ) -> list[wire.Entry]:
        """Rows by id, deleted ones too."""
        query = wire.with_ids(module.lower(), ids)
        return await self.entries(module, query, fields, links, deleted=True)

    async def changed(
        self, module: str, since: datetime, page: str | None, fields: Iterable[str], links: Links = NO_LINKS
    ) -> tuple[list[wire.Entry], str | None, datetime]:
        """One page of changes, where the next one begins, and the first page's time.

        Pages go on after the last row seen: with offsets a row that changes meanwhile shifts the rest.
        """
        place = Place.of(page) if page else Place(await self._server_time())
        query = wire.changed_after(module.lower(), wire.sugar_time(since), place.last)
        listed = await self._page(module, query, fields, links, order_by="date_modified asc, id asc")
        following = None
        if _has_more(listed, len(listed.entries)):
            last = listed.entries[-1]
            following = Place(place.server_time, (last.values["date_modified"], last.id)).token()
        return listed.entries, following, place.server_time

    async def _server_time(self) -> datetime:
        info = await self._client.server_info()
        try:
            return wire.moment(info["gmt_time"])
        except (TypeError, ValueError):
            raise faults.UNREADABLE.error(writing=False) from None

    async def emails_of(self, contact_ids: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for some in wire.chunks(sorted(contact_ids), CAPABILITIES.rows_per_read):
            for entry in await self.by_id(CONTACTS, some, ("id", "email1"), EMAIL_LINK):
                found[entry.id] = translation.emails_of(entry)
        return found

    async def currencies(self, ids: Collection[str]) -> dict[str, str]:
        """ISO codes by id [read in source]; of the CRM's own default currency SOAP does not tell it."""
        asked = set(ids) - _DEFAULT_CURRENCY
        try:
            entries = await self.by_id("Currencies", sorted(asked), ("id", "iso4217")) if asked else []
        except Unsupported:
            return {}
        codes = {entry.id: entry.values.get("iso4217", "") for entry in entries}
        return {key: code for key, code in codes.items() if _CURRENCY_CODE.fullmatch(code)}


def _has_more(page: wire.EntryList, read: int) -> bool:
    """Whether rows follow the `read` first ones; next_offset never tells, and v2 counts no total."""
    if not page.entries:
        return False
    return read < page.total if page.total is not None else len(page.entries) >= CAPABILITIES.rows_per_read
