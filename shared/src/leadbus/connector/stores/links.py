"""Links, in `<service>.links`. Written by the organisation's one worker."""

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, ReplaceOne

from leadbus.connector.link import Link
from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client

_CODEC = Codec(Link)


class Links:
    """A link's `_id` is `<organisation>/<prospect>`, or `<organisation>/<prospect>/<team scope>`."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.links"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        for name in ("record.id", "earlier.id"):
            await self._collection.create_index([("organisation_id", ASCENDING), (name, ASCENDING)])
        await self._collection.create_index([("tenant_id", ASCENDING), ("prospect_id", ASCENDING)])

    async def of_prospects(
        self, organisation_id: str, prospect_ids: Iterable[str], team_scope: str = ""
    ) -> dict[str, Link]:
        """By prospect; absent = never linked. team_scope: see `Link`."""
        ids = [_id(organisation_id, prospect_id, team_scope) for prospect_id in prospect_ids]
        found = self._collection.find({"_id": {"$in": ids}})
        return {row["prospect_id"]: _CODEC.decode(row) async for row in found}

    async def of_records(self, organisation_id: str, tenant_id: str, records: Sequence[Record]) -> list[Link]:
        """The tenant's links to these records, or to contacts that they became."""
        ids = {"$in": [record.id for record in records]}
        wanted = {"organisation_id": organisation_id, "$or": [{"record.id": ids}, {"earlier.id": ids}]}
        return [_CODEC.decode(row) async for row in self._collection.find(wanted | {"tenant_id": tenant_id})]

    async def save(self, links: Sequence[Link]) -> None:
        """Durable on every replica that counts, once it returns."""
        writes = [
            ReplaceOne(
                {"_id": _id(link.organisation_id, link.prospect_id, link.team_scope)},
                _CODEC.encode(link),
                upsert=True,
            )
            for link in links
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)


def _id(organisation_id: str, prospect_id: str, team_scope: str) -> str:
    return "/".join(filter(None, [organisation_id, prospect_id, team_scope]))
