"""Everything of a kind, or what has changed: by change tracking where it is enabled, else by time of change.

The first page of a full reading asks an entity that is tracked for its rows with a mark at their end; the
next reading of changes goes on from there, deletions among them. Without a mark rows are asked for by
`modifiedon`, which tells no deletions: the comparison of everything finds those.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector_dynamics.client import Organisation
from connector_dynamics.looking import Looking
from connector_dynamics.pages import Marks, Place, sign
from connector_dynamics.translation import ACCOUNTS_LIST, LIST, MODULES
from connector_dynamics.wire import Condition, Filter, Listing, Query
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Page, Row
from leadbus.errors import Gone, Unsupported

ROWS = 1_000
"""Per page; the CRM gives 5,000 at most."""
_OTHER_FIELDS = "Other fields are read now than before."
_UNTRACKED = "The CRM does not track changes any more."
_CHANGED_AT = "modifiedon"


class Changes:
    """Of one connection."""

    def __init__(self, organisation: Organisation, looking: Looking, rows: int = ROWS) -> None:
        self._organisation = organisation
        self._looking = looking
        self._rows = rows

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None
    ) -> Page[Row]:
        """See `Adapter`. A kind of several entities comes without those that the user may not read."""
        place = Place.of(page) if page else Place(MODULES[kind][0], marks=Marks.read(mark))
        is_single = len(MODULES[kind]) == 1
        while True:
            try:
                return await self._page(kind, place, since, mark)
            except Unsupported:
                rest = place.skipping(kind)
                if is_single or place.page is not None or (rest is None and place.server_time is None):
                    raise
                if rest is None and place.server_time is not None:  # others were read
                    return Page([], None, place.server_time, mark=place.marks.text())
                place = rest or place

    async def _page(self, kind: Kind, place: Place, since: datetime | None, mark: str | None) -> Page[Row]:
        entity, at = place.entity, place

        async def read(attributes: tuple[str, ...]) -> tuple[tuple[str, ...], Place, Listing]:
            return attributes, *await self._read(at, attributes, since, Marks.read(mark))

        attributes, place, listing = await self._looking.reading(entity, read)
        rows = await self._looking.rows(entity, listing.entries)
        place = replace(place, server_time=place.server_time or listing.at)
        if listing.mark is not None:
            place = replace(place, marks=place.marks.having(entity, attributes, listing.mark))
        following = place.at(listing.next) if listing.next else place.skipping(kind)
        return Page(
            rows,
            following.token() if following else None,
            place.server_time or listing.at,
            mark=None if following else place.marks.text(),
        )

    async def _read(
        self, place: Place, attributes: Sequence[str], since: datetime | None, marks: Marks
    ) -> tuple[Place, Listing]:
        """A page of rows, and the place with how it was read. Raises Gone for one that is good no more."""
        entity, mark = place.entity, marks.token(place.entity)
        if since is not None and mark is not None:
            return place, await self._since(place, attributes, marks)
        if since is None and entity != LIST and not place.by_time:
            if place.page is not None and place.sign != sign(attributes):
                raise Gone(_OTHER_FIELDS)
            if await self._organisation.tracks(entity):
                with contextlib.suppress(Unsupported):
                    listing = await self._organisation.changes(entity, attributes, None, place.page)
                    return replace(place, sign=sign(attributes)), listing
            if place.page is not None:
                raise Gone(_UNTRACKED)
        # Reading what is tracked needs more rights than reading rows (documentation: for the organisation).
        place = replace(place, by_time=True)
        return place, await self._by_time(place, attributes, since)

    async def _since(self, place: Place, attributes: Sequence[str], marks: Marks) -> Listing:
        """Raises Gone for a mark that is good no more."""
        if not marks.fits(place.entity, attributes):
            raise Gone(_OTHER_FIELDS)
        try:
            return await self._organisation.changes(
                place.entity, attributes, marks.token(place.entity), place.page
            )
        except Unsupported:
            raise Gone(_UNTRACKED) from None

    async def _by_time(self, place: Place, attributes: Sequence[str], since: datetime | None) -> Listing:
        conditions: tuple[Condition, ...] = (Condition(_CHANGED_AT, "ge", (since,)),) if since else ()
        if place.entity == LIST:
            conditions += (Condition("createdfromcode", "ne", (ACCOUNTS_LIST,)),)
        query = Query(place.entity, tuple(attributes), Filter(conditions), (_CHANGED_AT,), size=self._rows)
        return await self._organisation.query(query, place.page)
