"""Entries of a site into rows, with what has to be looked up for them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.client import Site
from connector_sugar.translation import CONTACTS, LINKS, OPPORTUNITIES, READ, Around, related, row_of
from connector_sugar.wire import Entry
from leadbus.connector.contract import Row
from leadbus.connector.together import chunks, together
from leadbus.errors import Unsupported

_CURRENCIES, _CODE = "Currencies", "iso4217"
# Of the CRM's own default currency neither family tells the code.
_DEFAULT_CURRENCY = frozenset({"", "-99"})
_CURRENCY_CODE = re.compile("[A-Z]{3}")


class Looking:
    """Makes rows. mapped: fields that a connection maps, by module."""

    def __init__(self, mapped: Mapping[str, Sequence[str]]) -> None:
        self._mapped = mapped

    def fields(self, module: str) -> tuple[str, ...]:
        """What to read of a module."""
        return tuple(dict.fromkeys((*READ[module], *self._mapped[module])))

    async def rows(self, site: Site, module: str, entries: Sequence[Entry]) -> list[Row]:
        """Rows of their kind's class, in order."""
        around = Around(self._mapped[module])
        if module == OPPORTUNITIES:
            contacts = {key for entry in entries for key in related(entry, "contacts")}
            currencies = {entry.values.get("currency_id", "") for entry in entries} - _DEFAULT_CURRENCY
            around = replace(
                around,
                emails=await _emails(site, contacts),
                currencies=await _currencies(site, currencies),
            )
        return [row_of(module, entry, around) for entry in entries]

    async def by_id(self, site: Site, module: str, ids: Collection[str], teams: Collection[str]) -> list[Row]:
        """Rows by id, with what is linked to them."""
        entries = await site.by_id(module, ids, self.fields(module), teams=teams)
        if links := LINKS.get(module):
            entries = await together(_with_links(site, module, entry, tuple(links)) for entry in entries)
        return await self.rows(site, module, entries)


async def _with_links(site: Site, module: str, entry: Entry, links: Collection[str]) -> Entry:
    linked: dict[str, list[dict[str, str]]] = {link: [] for link in links}
    for link, found in linked.items():
        more = not entry.deleted
        while more:
            listing = await site.linked(module, entry.id, link, len(found))
            found += [{"id": other.id} for other in listing.entries]
            more = listing.more and bool(listing.entries)
    return replace(entry, linked=linked)


async def _emails(site: Site, contacts: Collection[str]) -> dict[str, list[str]]:
    parts = chunks(sorted(contacts), CAPABILITIES.rows_per_read)
    found = await together(site.by_id(CONTACTS, part, ("id",)) for part in parts)
    return {entry.id: [email.address for email in entry.emails] for part in found for entry in part}


async def _currencies(site: Site, ids: Collection[str]) -> dict[str, str]:
    try:
        entries = await site.by_id(_CURRENCIES, sorted(ids), (_CODE,)) if ids else []
    except Unsupported:
        return {}
    codes = {entry.id: entry.values.get(_CODE, "") for entry in entries}
    return {key: code for key, code in codes.items() if _CURRENCY_CODE.fullmatch(code)}
