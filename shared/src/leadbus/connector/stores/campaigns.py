"""Campaigns of tenants, in `<service>.campaigns`; what is made of them, in `<service>.campaign_links`.

The consumer's transaction keeps the facts and marks links due; the organisation's one worker settles them.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.campaigning.campaign import Campaign, CampaignLink
from leadbus.connector.connection import Connection
from leadbus.connector.delivering.parts import of_list
from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client, Document

_CAMPAIGNS = Codec(Campaign)
_LINKS = Codec(CampaignLink)
_WHEN = ("due", "attempts", "next_try")
"""What whoever marks a link due writes; the worker leaves it alone if that came in between."""
MOST = 10_000
_OF_LISTS: Document = {"$regex": f"^{of_list('')}"}
_NO_LISTS: Document = {"$not": _OF_LISTS}


class Campaigns:
    """A campaign's `_id` is `<tenant>/<campaign>`, a link's `<connection>/<campaign>`."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._campaigns = client[database][f"{service}.campaigns"]
        self._links = client[database][f"{service}.campaign_links"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        await self._campaigns.create_index([("tenant_id", ASCENDING)])
        await self._links.create_index([("connection_id", ASCENDING)])
        await self._links.create_index(
            [("connection_id", ASCENDING), ("next_try", ASCENDING)], partialFilterExpression={"due": True}
        )
        for name in ("there.record.id", "there.lists.id", "begun", "known_by"):
            await self._links.create_index([("organisation_id", ASCENDING), (name, ASCENDING)])

    # What is known of campaigns --------------------------------------------------------------------------

    async def keep(self, told: Sequence[Campaign], session: AsyncClientSession) -> list[Campaign]:
        """Keeps those that are newer than what is known, within a batch's transaction: which they were."""
        ids = [_id(campaign.tenant_id, campaign.campaign_id) for campaign in told]
        found = self._campaigns.find({"_id": {"$in": ids}}, session=session)
        known = {row["_id"]: _CAMPAIGNS.decode(row) async for row in found}
        news = [
            campaign
            for name, campaign in zip(ids, told, strict=True)
            if name not in known or campaign.rank > known[name].rank
        ]
        writes = [
            ReplaceOne({"_id": _id(one.tenant_id, one.campaign_id)}, _CAMPAIGNS.encode(one), upsert=True)
            for one in news
        ]
        if writes:
            await self._campaigns.bulk_write(writes, ordered=False, session=session)
        return news

    async def of_tenant(
        self, tenant_id: str, campaign_ids: Collection[str] | None = None
    ) -> dict[str, Campaign]:
        """By campaign, at most 10,000. campaign_ids: None = all."""
        if campaign_ids is None:
            wanted: Document = {"tenant_id": tenant_id}
        else:
            wanted = {"_id": {"$in": [_id(tenant_id, name) for name in campaign_ids]}}
        found = self._campaigns.find(wanted).limit(MOST)
        return {row["campaign_id"]: _CAMPAIGNS.decode(row) async for row in found}

    # What connections made of them -----------------------------------------------------------------------

    async def mark_due(
        self, pairs: Iterable[tuple[Connection, str]], session: AsyncClientSession | None = None
    ) -> None:
        """There is something to tell these connections' CRMs of campaigns (ids)."""
        writes = [
            UpdateOne(
                {"_id": _id(connection.id, campaign_id)},
                {
                    "$set": {
                        "connection_id": connection.id,
                        "organisation_id": connection.organisation_id,
                        "tenant_id": connection.settings.tenant_id,
                        "campaign_id": campaign_id,
                        **_now_due(),
                    },
                    "$inc": {"revision": 1},
                },
                upsert=True,
            )
            for connection, campaign_id in pairs
        ]
        if writes:
            await self._links.bulk_write(writes, ordered=False, session=session)

    async def links(
        self, connection_id: str, campaign_ids: Collection[str] | None = None
    ) -> dict[str, CampaignLink]:
        """By campaign, at most 10,000. campaign_ids: None = all."""
        if campaign_ids is None:
            wanted: Document = {"connection_id": connection_id}
        else:
            wanted = {"_id": {"$in": [_id(connection_id, name) for name in campaign_ids]}}
        found = self._links.find(wanted).limit(MOST)
        return {row["campaign_id"]: _LINKS.decode(row) async for row in found}

    async def known_by(self, organisation_id: str, names: Collection[str]) -> dict[str, tuple[str, str]]:
        """Tenant and campaign by those of the names (`name_key`) that campaigns of ours have there."""
        wanted = {"organisation_id": organisation_id, "known_by": {"$in": sorted(names)}}
        found = self._links.find(wanted, {"known_by": 1, "tenant_id": 1, "campaign_id": 1})
        return {row["known_by"]: (row["tenant_id"], row["campaign_id"]) async for row in found}

    async def links_of_lists(self, connection_id: str) -> dict[str, CampaignLink]:
        """Those of lists, by their names."""
        found = self._links.find({"connection_id": connection_id, "campaign_id": _OF_LISTS})
        return {row["campaign_id"]: _LINKS.decode(row) async for row in found}

    async def refused(self, connection_id: str) -> dict[str, CampaignLink]:
        """Those that the CRM does not take, or that were deleted there, by campaign."""
        found = self._links.find(_refused(connection_id)).limit(MOST)
        return {row["campaign_id"]: _LINKS.decode(row) async for row in found}

    async def due(
        self, connection_id: str, now: datetime, limit: int, *, lists: bool = False
    ) -> list[CampaignLink]:
        """What is to be told now. lists: links of lists instead of campaigns."""
        wanted = {
            "connection_id": connection_id,
            "due": True,
            "campaign_id": _OF_LISTS if lists else _NO_LISTS,
        }
        either = {"$or": [{"next_try": None}, {"next_try": {"$lte": now}}]}
        found = self._links.find(wanted | either).sort("next_try", ASCENDING).limit(limit)
        return [_LINKS.decode(row) async for row in found]

    async def settle(self, links: Sequence[CampaignLink]) -> None:
        """Keeps what became of them; what has been marked due since it was read stays due."""
        writes: list[UpdateOne] = []
        for link in links:
            known = {"_id": _id(link.connection_id, link.campaign_id)}
            document = _LINKS.encode(link)
            empty = [name for name, member in document.items() if member is None]
            unset: Document = {"$unset": dict.fromkeys(set(empty) - set(_WHEN), "")}
            made = {n: m for n, m in document.items() if n not in (*_WHEN, "revision", *empty)}
            when = {name: document[name] for name in _WHEN}
            writes.append(UpdateOne(known | {"revision": link.revision}, {"$set": when}))
            writes.append(UpdateOne(known, {"$set": made} | (unset if unset["$unset"] else {})))
        if writes:
            await self._links.bulk_write(writes)

    async def resume(self, connection_id: str, campaign_id: str | None = None) -> int:
        """Makes what the CRM does not take due again, of one campaign or of all; how many."""
        wanted = _refused(connection_id)
        if campaign_id is not None:
            wanted["campaign_id"] = campaign_id
        result = await self._links.update_many(wanted, {"$set": _now_due(), "$inc": {"revision": 1}})
        return result.matched_count

    async def lists_among(self, organisation_id: str, lists: dict[Record, str]) -> set[str]:
        """Ids of those of the lists (by name) that we have made, or are making, for members of campaigns."""
        ids = {"$in": [record.id for record in lists]}
        ours = {
            "organisation_id": organisation_id,
            "campaign_id": _NO_LISTS,
            "$or": [
                {"there.record.id": ids},
                {"there.lists.id": ids},
                {"begun": {"$in": sorted(set(lists.values()))}},
            ],
        }
        links = [_LINKS.decode(row) async for row in self._links.find(ours)]
        there = [link.there for link in links if link.there is not None]
        made = {record for each in there for record in (each.record, *each.lists)}
        begun = {link.begun for link in links}
        return {record.id for record, name in lists.items() if record in made or name in begun}

    async def wakes(self, stopping: Callable[[], bool]) -> AsyncIterator[str | None]:
        """The organisation of every link that becomes due, as `Deliveries.wakes`.

        Raises:
            PyMongoError: the stream broke.
        """
        pipeline: list[Document] = [
            {"$match": {"fullDocument.due": True}},
            {"$project": {"fullDocument.organisation_id": 1}},
        ]
        async with await self._links.watch(
            pipeline, full_document="updateLookup", max_await_time_ms=1_000
        ) as stream:
            yield None
            while stream.alive and not stopping():
                if change := await stream.try_next():
                    yield change["fullDocument"]["organisation_id"]


def _refused(connection_id: str) -> Document:
    return {"connection_id": connection_id, "refused.since": {"$exists": True}}


def _now_due() -> dict[str, Any]:
    return {"due": True, "attempts": 0, "next_try": None}


def _id(owner: str, campaign_id: str) -> str:
    return f"{owner}/{campaign_id}"
