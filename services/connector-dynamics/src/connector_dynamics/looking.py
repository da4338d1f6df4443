"""Rows by id or by value, and entries made into rows with what has to be looked up for them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from connector_dynamics.client import Organisation
from connector_dynamics.metadata import Metadata
from connector_dynamics.texts import reference, text, word_of
from connector_dynamics.translation import (
    CONTACT,
    CURRENCY,
    EMAILS,
    HANGS_ON,
    KINDS,
    LEAD,
    OPPORTUNITY,
    ORIGIN,
    PARTNERS,
    PARTY,
    PEOPLE,
    QUALIFIED,
    READ,
    WITH_PARTIES,
    Around,
    emails_of,
    row_of,
)
from connector_dynamics.values import LEAD_SOURCE
from connector_dynamics.wire import Compared, Condition, Entry, Filter, Query, Reference
from leadbus.connector.contract import Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.together import chunks, together
from leadbus.errors import Gone, Unsupported

Answer = TypeVar("Answer")
VALUES = 50
"""Of a condition `in`: FetchXML of Dynamics 365 takes 500 conditions (documentation), addresses are long."""
_IDS = 200
"""Of records, of which a thousand make the longest address that a batch takes (64 KB)."""


class Looking:
    """For one connection."""

    def __init__(self, organisation: Organisation, metadata: Metadata, fields: FieldMap) -> None:
        self._organisation = organisation
        self._metadata = metadata
        self._mapped = {entity: fields.crm_fields(kind) for entity, kind in KINDS.items()}
        self._currencies: dict[str, str] = {}

    async def attributes(self, entity: str, *, fresh: bool = False) -> tuple[str, ...]:
        """What to read of an entity's rows; what it does not have, in this version or at all, is left out."""
        shapes = await self._metadata.shapes(entity, fresh=fresh)
        wanted = dict.fromkeys((*READ[entity], *self._mapped[entity]))
        return tuple(name for name in wanted if name in shapes)

    async def reading(self, entity: str, read: Callable[[tuple[str, ...]], Awaitable[Answer]]) -> Answer:
        """What `read` makes of these attributes; if it is refused because one was dropped, of the rest."""
        attributes = await self.attributes(entity)
        try:
            return await read(attributes)
        except (Unsupported, Gone):
            there = await self.attributes(entity, fresh=True)
            if there == attributes:
                raise
            return await read(there)

    async def rows(self, entity: str, entries: Sequence[Entry]) -> list[Row]:
        """Rows of their kind's class, in order."""
        if not entries:
            return []
        around = await self._around(entity, [entry for entry in entries if not entry.deleted])
        return [row_of(entry, around) for entry in entries]

    async def by_id(self, entity: str, ids: Collection[str]) -> list[Row]:
        """Those that live."""
        entries = await self.reading(
            entity, lambda attributes: self._organisation.retrieve(entity, ids, attributes)
        )
        return await self.rows(entity, entries)

    async def with_values(self, entity: str, names: Sequence[str], wanted: Collection[str]) -> list[Row]:
        """Rows in which one of these attributes has one of these values, in whatever capitals."""

        async def read(attributes: tuple[str, ...]) -> list[list[Entry]]:
            there = [name for name in names if name in attributes]
            return await together(
                self.entries(entity, attributes, _any(there, some)) for some in chunks(wanted, VALUES)
            )

        parts = await self.reading(entity, read)
        unique = {entry.id: entry for part in parts for entry in part}
        return await self.rows(entity, list(unique.values()))

    async def entries(self, entity: str, attributes: Sequence[str], where: Filter) -> list[Entry]:
        """All pages of a query."""
        query = Query(entity, tuple(attributes), where)
        found: list[Entry] = []
        page: str | None = None
        while True:
            listing = await self._organisation.query(query, page)
            found += listing.entries
            page = listing.next
            if page is None:
                return found

    async def contacts_of(self, leads: Collection[str]) -> dict[str, str]:
        """The contacts that have come of qualified leads, by lead; of several the first."""
        found: dict[str, str] = {}
        for part in await together(
            self.entries(CONTACT, (ORIGIN, "createdon"), _any((ORIGIN,), some))
            for some in chunks(leads, _IDS)
        ):
            for entry in sorted(part, key=lambda entry: (text(entry.values.get("createdon")), entry.id)):
                lead = reference(entry, ORIGIN, LEAD)
                if lead:
                    found.setdefault(lead, entry.id)
        return found

    async def _around(self, entity: str, entries: Sequence[Entry]) -> Around:
        shapes = await self._metadata.shapes(entity)
        mapped = [name for name in self._mapped[entity] if name in shapes]
        if entity == LEAD:
            qualified = {entry.id for entry in entries if entry.values.get("statecode") == QUALIFIED}
            return Around(mapped, shapes, contacts=await self.contacts_of(qualified) if qualified else {})
        if entity == OPPORTUNITY:
            people = await self._people(entries)
            return Around(
                mapped,
                shapes,
                emails={key: emails_of(person) for key, person in people.items()},
                sources={key: word_of(person, LEAD_SOURCE) for key, person in people.items()},
                currencies=await self._codes(entries),
            )
        if entity in WITH_PARTIES:
            alone = [e.id for e in entries if not reference(e, HANGS_ON[entity], *PEOPLE)]
            return Around(mapped, shapes, parties=await self._parties(alone))
        return Around(mapped, shapes)

    async def _parties(self, activities: Collection[str]) -> dict[str, list[str]]:
        """Leads and contacts that take part in activities, by activity."""
        found: dict[str, list[str]] = {}
        for part in await together(
            self.entries(PARTY, ("activityid", "partyid"), _any(("activityid",), some))
            for some in chunks(activities, _IDS)
        ):
            for entry in part:
                of, who = entry.values.get("activityid"), reference(entry, "partyid", *PEOPLE)
                if isinstance(of, Reference) and who:
                    found.setdefault(of.id, []).append(who)
        return found

    async def _people(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        """Contacts and leads of opportunities, by id."""
        ids = {
            CONTACT: {reference(e, name, CONTACT) for e in entries for name in PARTNERS} - {None},
            LEAD: {reference(entry, ORIGIN, LEAD) for entry in entries} - {None},
        }
        attributes = (*EMAILS, LEAD_SOURCE)
        found = await together(
            self._organisation.retrieve(entity, some, attributes)
            for entity, every in ids.items()
            for some in chunks(sorted(filter(None, every)), _IDS)
        )
        return {entry.id: entry for part in found for entry in part}

    async def _codes(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """ISO codes of their currencies, which do not change."""
        ids = {reference(entry, "transactioncurrencyid", CURRENCY) for entry in entries}
        unknown = sorted(key for key in ids if key and key not in self._currencies)
        if unknown:
            for entry in await self._organisation.retrieve(CURRENCY, unknown, ("isocurrencycode",)):
                self._currencies[entry.id] = text(entry.values.get("isocurrencycode"))
        return self._currencies


def _any(names: Sequence[str], wanted: Sequence[Compared]) -> Filter:
    return Filter(tuple(Condition(name, "in", tuple(wanted)) for name in names), "or")
