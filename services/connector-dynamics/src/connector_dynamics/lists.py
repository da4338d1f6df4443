"""Who is on a marketing list: the rows that a static one keeps, or whom a dynamic one's query finds now."""

from datetime import UTC, datetime

from connector_dynamics.client import Organisation
from connector_dynamics.translation import LIST, MEMBER, MEMBER_TYPES
from connector_dynamics.wire import Condition, Filter, Query, Reference
from leadbus.connector.contract import Page
from leadbus.messages import Record

_MEMBERS = {code: entity for entity, code in MEMBER_TYPES.items()}
ROWS = 1_000


class Lists:
    """Of one connection."""

    def __init__(self, organisation: Organisation, rows: int = ROWS) -> None:
        self._organisation = organisation
        self._rows = rows

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`. A list of accounts has no people, and one that was deleted has no members."""
        of = await self._organisation.retrieve(LIST, [list_id], ("type", "createdfromcode", "query"))
        code = of[0].values.get("createdfromcode") if of else None
        entity = _MEMBERS.get(code) if isinstance(code, int) else None
        if entity is None:
            return Page([], None, datetime.now(UTC))
        if of[0].values.get("type") is True:
            return await self._found(entity, str(of[0].values.get("query") or ""), page)
        return await self._kept(list_id, entity, page)

    async def _kept(self, list_id: str, entity: str, page: str | None) -> Page[Record]:
        where = Filter((Condition("listid", "eq", (list_id,)),))
        query = Query(MEMBER, ("entityid",), where, size=self._rows)
        listing = await self._organisation.query(query, page)
        members = [entry.values.get("entityid") for entry in listing.entries]
        ids = [member.id for member in members if isinstance(member, Reference)]
        return Page([Record(module=entity, id=key) for key in ids], listing.next, listing.at)

    async def _found(self, entity: str, query: str, page: str | None) -> Page[Record]:
        listing = await self._organisation.fetch(query, (f"{entity}id",), page)
        rows = [Record(module=entity, id=entry.id) for entry in listing.entries if entry.entity == entity]
        return Page(rows, listing.next, listing.at)
