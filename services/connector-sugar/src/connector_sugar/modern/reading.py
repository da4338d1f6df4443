"""Rows out of modern REST: by id, by address, by value, by change, by link.

Pages of changes are windows over (date_modified, id): with a deep offset a row that changes meanwhile shifts
the rest. A page ends where `next_offset` says so; its size is the server's to choose.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from connector_sugar.faults import UNREADABLE
from connector_sugar.modern import values
from connector_sugar.modern.client import ModernClient
from connector_sugar.modern.lookups import Lookups
from connector_sugar.modern.metadata import UNKNOWN, Metadata, Shapes
from connector_sugar.modern.requests import Answer, Request
from connector_sugar.wire import Entry, Listing

ROWS = 200
"""Per page."""
_LAST = -1
_ORDER = "date_modified:asc,id:asc"
_ALWAYS = ("id", "date_modified", "deleted", "email")
Filter = Sequence[Mapping[str, Any]]
Linked = Mapping[str, Sequence[Mapping[str, str]]]


class Reading:
    """Reads over one client."""

    def __init__(self, client: ModernClient, metadata: Metadata) -> None:
        self._client = client
        self._metadata = metadata
        self._lookups = Lookups(client)

    async def matching(
        self,
        module: str,
        filter_: Filter,
        fields: Collection[str],
        *,
        deleted: bool = False,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """All rows of a filter that a few pages hold. deleted: those too, marked so."""
        shapes = await self._metadata.shapes(module)
        rows = await self._rows(module, filter_, _wanted(fields, shapes, teams), deleted=deleted)
        return _entries(rows, fields, shapes, teams)

    async def _rows(
        self, module: str, filter_: Filter, wanted: Sequence[str], *, deleted: bool
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        offset = 0
        while offset != _LAST:
            request = _filter_request(module, filter_, wanted, "id:asc", offset=offset, deleted=deleted)
            page, offset = _page(await self._lookups.call(request))
            found += page
        return found

    async def by_id(
        self,
        module: str,
        ids: Collection[str],
        fields: Collection[str],
        *,
        also: str | None = None,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """Rows by id (or by another key of theirs, the field `also`), deleted ones among them."""
        names = ("id", also) if also else ("id",)
        return await self._with(names, ids, module, fields, deleted=True, teams=teams)

    async def by_value(
        self, module: str, name: str, wanted: Collection[str], fields: Collection[str], teams: Collection[str]
    ) -> list[Entry]:
        """Live rows whose field (perhaps across a link) has one of these values."""
        return await self._with((name,), wanted, module, fields, teams=teams)

    async def addresses(self, module: str, ids: Collection[str]) -> dict[str, Any]:
        """The address lists of live rows as they came, by id."""
        found: dict[str, Any] = {}
        for part in _parts(ids):
            rows = await self._rows(module, [{"id": {"$in": part}}], ("id", "email"), deleted=False)
            found |= {str(row["id"]): row.get("email") for row in rows}
        return found

    async def _with(
        self,
        names: Sequence[str],
        wanted: Collection[str],
        module: str,
        fields: Collection[str],
        *,
        deleted: bool = False,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """Rows one of whose fields has one of these values, in as many requests as their number needs."""
        found: list[Entry] = []
        for part in _parts(wanted):
            terms = [{name: {"$in": part}} for name in names]
            filter_ = terms if len(terms) == 1 else [{"$or": terms}]
            found += await self.matching(module, filter_, fields, deleted=deleted, teams=teams)
        return found

    async def changed(
        self,
        module: str,
        since: datetime | None,
        after: tuple[str, str] | None,
        fields: Collection[str],
        links: Mapping[str, Sequence[str]],
        teams: Collection[str],
    ) -> Listing:
        """One page in order of change. It is read on past pages with nothing for these teams."""
        shapes = await self._metadata.shapes(module)
        total = await self._count(module) if since is None and after is None and not teams else None
        while True:
            request = _filter_request(
                module,
                _window(since, after),
                _wanted(fields, shapes, teams),
                _ORDER,
                deleted=since is not None,
            )
            rows, following = _page(await self._client.call(request))
            entries = _entries(rows, fields, shapes, teams)
            if entries or following == _LAST or not rows:
                break
            last = values.moment(rows[-1].get("date_modified"))
            if last is None:
                raise UNREADABLE.error(writing=False)
            after = (values.iso(last), str(rows[-1]["id"]))
        return Listing(await self._with_links(module, entries, links), following != _LAST, total)

    async def linked(self, module: str, key: str, link: str, offset: int) -> Listing:
        """One page of the rows related by a link, with id and emails."""
        request = _link_request(module, key, link, ("id", "email"), offset)
        rows, following = _page(await self._client.call(request))
        return Listing(_entries(rows, (), {}, ()), following != _LAST)

    async def _count(self, module: str) -> int | None:
        contents = await self._client.call(Request("GET", f"/{module}/count", f"GET {module}/count"))
        counted = contents.get("record_count") if isinstance(contents, dict) else None
        return int(str(counted)) if str(counted).isdecimal() else None

    async def _with_links(
        self, module: str, entries: list[Entry], links: Mapping[str, Sequence[str]]
    ) -> list[Entry]:
        """Related rows of each entry, asked for in bulks."""
        asked = [(entry, link) for entry in entries if not entry.deleted for link in links]
        if not asked:
            return entries
        requests = [_link_request(module, entry.id, link, links[link]) for entry, link in asked]
        found: dict[str, dict[str, list[dict[str, str]]]] = {}
        for (entry, link), result in zip(
            asked, await self._client.bulk(requests, writing=False), strict=True
        ):
            rows = await self._all_linked(module, entry.id, link, links[link], result)
            found.setdefault(entry.id, {})[link] = [_texts(row, links[link]) for row in rows]
        return [
            Entry(e.id, e.values, e.emails, e.deleted, e.modified_at, found.get(e.id, {})) for e in entries
        ]

    async def _all_linked(
        self, module: str, key: str, link: str, fields: Sequence[str], first: Answer | Exception
    ) -> list[Mapping[str, Any]]:
        """A link's rows from its first page on. A row that was deleted meanwhile has none."""
        if not isinstance(first, Answer):
            raise first
        if first.status == 404:
            return []
        if error := first.error():
            raise error
        rows, offset = _page(first.contents)
        while offset != _LAST:
            request = _link_request(module, key, link, fields, offset)
            more, offset = _page(await self._client.call(request))
            rows += more
        return rows


def _parts(wanted: Collection[str]) -> list[list[str]]:
    known = sorted(set(wanted))
    return [known[at : at + ROWS] for at in range(0, len(known), ROWS)]


def _filter_request(
    module: str, filter_: Filter, fields: Sequence[str], order: str, *, offset: int = 0, deleted: bool
) -> Request:
    body: dict[str, Any] = {"filter": list(filter_), "fields": ",".join(fields), "max_num": ROWS}
    body |= {"order_by": order, "offset": offset} | ({"deleted": True} if deleted else {})
    return Request("POST", f"/{module}/filter", f"POST {module}/filter", body)


def _link_request(module: str, key: str, link: str, fields: Sequence[str], offset: int = 0) -> Request:
    query = {"fields": ",".join(fields), "max_num": str(ROWS), "offset": str(offset), "order_by": "id:asc"}
    return Request("GET", f"/{module}/{key}/link/{link}", f"GET {module}/link/{link}", query=query)


def _window(since: datetime | None, after: tuple[str, str] | None) -> Filter:
    if after is None:
        return [{"date_modified": {"$gte": values.iso(since)}}] if since else []
    at = values.iso(datetime.fromisoformat(after[0]))
    same = [{"date_modified": {"$gte": at}}, {"date_modified": {"$lte": at}}, {"id": {"$gt": after[1]}}]
    return [{"$or": [{"date_modified": {"$gt": at}}, {"$and": same}]}]


def _wanted(fields: Collection[str], shapes: Shapes, teams: Collection[str]) -> list[str]:
    names = [*_ALWAYS, *(("team_name",) if teams else ()), *sorted(fields)]
    return [name for name in dict.fromkeys(names) if name in shapes]


def _page(contents: Any) -> tuple[list[Mapping[str, Any]], int]:
    """Rows, and where the next page begins."""
    try:
        rows = [row for row in contents["records"] if row["id"]]
        return rows, int(contents["next_offset"]) if rows else _LAST
    except (LookupError, TypeError, ValueError):
        raise UNREADABLE.error(writing=False) from None


def _entries(
    rows: Sequence[Mapping[str, Any]], fields: Collection[str], shapes: Shapes, teams: Collection[str]
) -> list[Entry]:
    """Rows as the port has them; those of other teams are left out."""
    wanted = set(teams)
    return [
        Entry(
            id=str(row["id"]),
            values={
                name: values.read(shapes.get(name, UNKNOWN).kind, row[name]) for name in fields if name in row
            },
            emails=values.emails(row.get("email")),
            deleted=values.is_true(row.get("deleted")),
            modified_at=values.moment(row.get("date_modified")),
        )
        for row in rows
        if not wanted or "team_name" not in shapes or wanted & values.teams_of(row.get("team_name"))
    ]


def _texts(row: Mapping[str, Any], fields: Sequence[str]) -> dict[str, str]:
    return {name: values.read("text", row[name]) for name in dict.fromkeys(("id", *fields)) if name in row}
