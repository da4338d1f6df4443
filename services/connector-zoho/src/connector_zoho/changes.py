"""Everything of a kind, or what has changed: page by page, from stage to stage (see `pages`)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connector_zoho.bulk import LATER_LOOKS, LOOKS, Bulk
from connector_zoho.client import ZohoClient
from connector_zoho.faults import PageLost, TooManyPages
from connector_zoho.looking import ROWS, Looking, info_of
from connector_zoho.metadata import Metadata
from connector_zoho.pages import Place, Stage
from connector_zoho.translation import MODULES, TAGS, USERS, deleted_row, moment, text
from connector_zoho.values import iso
from connector_zoho.wire import Answer, outcomes
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import Page, Row
from leadbus.errors import Gone, Unsupported

BULK_ABOVE = 10_000
"""Rows of a module from which on a full reading is done by file."""
ROWS_OF_FILE = 1_000
"""Per page."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Rows of one page. next: where the same stage goes on, None = it is over. at: Zoho's clock."""

    rows: Sequence[Row]
    next: Place | None
    at: datetime


class Changes:
    """Of one connection. bulk_above: see `BULK_ABOVE`."""

    def __init__(self, client: ZohoClient, looking: Looking, bulk_above: int) -> None:
        self._client = client
        self._looking = looking
        self._metadata = Metadata(client)
        self._bulk = Bulk(client)
        self._bulk_above = bulk_above
        self._stages: Mapping[Stage, Callable[[Place], Awaitable[_Step]]] = {
            "rows": self._rows,
            "file": self._of_file,
            "converted": self._rows,
            "deleted": self._deleted,
        }

    async def changed(self, kind: Kind, since: datetime | None, page: str | None) -> Page[Row]:
        """See `Adapter`. A kind of several modules comes without those that the user may not read."""
        place = Place.of(page) if page else Place.first(kind, since)
        while True:
            try:
                place = await self._begun(place) if place.stage == "begin" else place
                step = await self._stages[place.stage](place)
                break
            except Unsupported:
                if len(MODULES[kind]) == 1 or not place.is_first:
                    raise
                rest = place.skipping(kind)
                if rest is None and place.server_time is not None:  # others were read
                    return Page([], None, place.server_time)
                if rest is None:
                    raise
                place = rest
        server_time = place.server_time or step.at
        following = step.next or place.following(kind)
        return Page(
            step.rows,
            replace(following, server_time=server_time).token() if following else None,
            server_time,
            place.total if len(MODULES[kind]) == 1 else None,
        )

    async def _begun(self, place: Place) -> Place:
        """How much there is decides how it is read. Converted leads are not counted (assumed)."""
        path = f"/{place.module}/actions/count"
        try:
            answer = await self._client.call(f"GET {place.module} count", "GET", path)
        except Unsupported:  # that a module cannot be counted says nothing about its rows
            return place.entering("rows")
        counted = str(answer.body.get("count")) if isinstance(answer.body, dict) else ""
        total = int(counted) if counted.isdecimal() else None
        known = replace(place, server_time=place.server_time or answer.at, total=total)
        return known.entering("file" if (total or 0) > self._bulk_above else "rows")

    # Stages

    async def _rows(self, place: Place) -> _Step:
        """A page in order of change. Where its token is lost, or no more are given, the walk begins anew."""
        if place.module == USERS:
            raws, cursor, at = await self._looking.users(place.cursor)
            rows = await self._looking.rows(USERS, raws)
            return _Step(rows, place.at(cursor), at)
        if place.module == TAGS:
            tags, at = await self._looking.tags()
            return _Step(await self._looking.rows(TAGS, tags), None, at)
        try:
            answer = await self._list(place)
        except (PageLost, TooManyPages) as error:
            anew = place.anew()
            if isinstance(error, TooManyPages) and anew.after == place.after:  # it would come back to here
                raise
            return _Step([], anew, place.server_time or datetime.now(UTC))
        raws = await self._looking.completed(place.module, outcomes(answer))
        last = moment(text(raws[-1].get("Modified_Time"))) if raws else None
        following = place.at(place.cursor.following(info_of(answer)), last)
        return _Step(await self._looking.rows(place.module, raws), following, answer.at)

    async def _list(self, place: Place) -> Answer:
        params = {
            **self._looking.params(place.module),
            "sort_by": "Modified_Time",
            "sort_order": "asc",
            **({"converted": "true"} if place.stage == "converted" else {}),
            **place.cursor.params,
        }
        headers = {"If-Modified-Since": iso(place.after)} if place.after else {}
        return await self._client.call(
            f"GET {place.module}", "GET", f"/{place.module}", params=params, headers=headers
        )

    async def _deleted(self, place: Place) -> _Step:
        """What was deleted since. Where it is not told, or not all of it, a full reading finds it."""
        params = {"type": "all", "per_page": str(ROWS), **place.cursor.params}
        headers = {"If-Modified-Since": iso(place.after)} if place.after else {}
        operation, path = f"GET {place.module} deleted", f"/{place.module}/deleted"
        at = place.server_time or datetime.now(UTC)
        try:
            answer = await self._client.call(operation, "GET", path, params=params, headers=headers)
        except Unsupported:
            return _Step([], None, at)
        except PageLost:
            return _Step([], place.entering("deleted"), at)
        rows = [deleted_row(place.module, raw) for raw in outcomes(answer) if raw.get("id")]
        return _Step(rows, place.at(place.cursor.following(info_of(answer))), at)

    async def _of_file(self, place: Place) -> _Step:
        """Some rows of a file, or none while Zoho prepares it; page by page where it cannot."""
        at = place.server_time or datetime.now(UTC)
        module, token = place.module, place.cursor.token
        try:
            job = place.job or await self._bulk.begin(module, await self._fields(module), token)
            known = replace(place, job=job)
            prepared = await self._bulk.prepared(job, LATER_LOOKS if place.job else LOOKS)
            if prepared is None:
                return _Step([], known, at)
            raws = await self._bulk.rows(job, place.row, ROWS_OF_FILE)
        except (PageLost, Gone):  # a day later neither token nor job is known any more
            is_new = place.job is None and token is None
            return _Step([], place.entering("rows" if is_new else "file"), at)
        except Unsupported:
            return _Step([], place.entering("rows"), at)
        rows = await self._looking.rows(module, raws)
        if len(raws) == ROWS_OF_FILE:
            return _Step(rows, replace(known, row=place.row + ROWS_OF_FILE), at)
        return _Step(rows, known.next_file(prepared.next) if prepared.next else None, at)

    async def _fields(self, module: str) -> list[str]:
        """A file with a field that is not there is refused (documentation), a list is not (assumed)."""
        there = await self._metadata.shapes(module)
        return [name for name in self._looking.fields(module) if name in there]

    def close(self) -> None:
        """Lets go of what is kept on disk."""
        self._bulk.close()
