"""Rows by id or by value, and entries made into rows with what has to be looked up for them."""

from collections.abc import Collection, Mapping, Sequence

from connector_dynamics.client import Organisation
from connector_dynamics.metadata import Metadata
from connector_dynamics.texts import reference, text, word_of
from connector_dynamics.translation import (
    CONTACT,
    CURRENCY,
    EMAILS,
    KINDS,
    LEAD,
    OPPORTUNITY,
    ORIGIN,
    PARTNERS,
    QUALIFIED,
    READ,
    Around,
    email_of,
    row_of,
)
from connector_dynamics.values import LEAD_SOURCE
from connector_dynamics.wire import Compared, Condition, Entry, Filter, Query
from leadbus.connector.contract import Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.together import chunks, together

VALUES = 50
"""Of a condition `in`: FetchXML of Dynamics 365 takes 500 conditions (documentation), addresses are long."""
_IDS = 200


class Looking:
    """For one connection."""

    def __init__(self, organisation: Organisation, metadata: Metadata, fields: FieldMap) -> None:
        self._organisation = organisation
        self._metadata = metadata
        self._mapped = {entity: fields.crm_fields(kind) for entity, kind in KINDS.items()}
        self._currencies: dict[str, str] = {}

    async def attributes(self, entity: str) -> tuple[str, ...]:
        """What to read of an entity's rows; what it does not have, in this version or at all, is left out."""
        shapes = await self._metadata.shapes(entity)
        wanted = dict.fromkeys((*READ[entity], *self._mapped[entity]))
        return tuple(name for name in wanted if name in shapes)

    async def rows(self, entity: str, entries: Sequence[Entry]) -> list[Row]:
        """Rows of their kind's class, in order."""
        if not entries:
            return []
        around = await self._around(entity, [entry for entry in entries if not entry.deleted])
        return [row_of(entry, around) for entry in entries]

    async def by_id(self, entity: str, ids: Collection[str]) -> list[Row]:
        """Those that live."""
        entries = await self._organisation.retrieve(entity, ids, await self.attributes(entity))
        return await self.rows(entity, entries)

    async def with_values(self, entity: str, names: Sequence[str], wanted: Collection[str]) -> list[Row]:
        """Rows in which one of these attributes has one of these values, in whatever capitals."""
        attributes = await self.attributes(entity)
        there = [name for name in names if name in attributes]
        parts = await together(
            self.entries(entity, attributes, _any(there, some)) for some in chunks(wanted, VALUES)
        )
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
                emails={key: email for key, person in people.items() if (email := email_of(person))},
                sources={key: word_of(person, LEAD_SOURCE) for key, person in people.items()},
                currencies=await self._codes(entries),
            )
        return Around(mapped, shapes)

    async def _people(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        """Contacts and leads of opportunities, by id."""
        ids = {
            CONTACT: {reference(e, name, CONTACT) for e in entries for name in PARTNERS} - {None},
            LEAD: {reference(entry, ORIGIN, LEAD) for entry in entries} - {None},
        }
        attributes = (EMAILS[0], LEAD_SOURCE)
        found = await together(
            self._organisation.retrieve(entity, sorted(filter(None, some)), attributes)
            for entity, some in ids.items()
            if some
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
