"""Deliveries, in `<service>.deliveries`: merged by the consumer's transaction, settled by the worker."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, InsertOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.listed import begin
from leadbus.connector.delivering.parts import list_of, of_list
from leadbus.connector.settings import ListRule
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client, Document

_CODEC = Codec(Delivery, maps=("fields", "creators", "activities", "begun", "added", "tasks", "memberships"))

_WAITING, _IN, _NOT_TAKEN = "waiting_for", "in_campaigns", "not_taken_by"
_LISTS = "waiting_for_lists"
"""Campaigns (and lists) of a delivery's memberships; none where there are none."""
_REFUSED = ("parked.since", "state.refused.since", _NOT_TAKEN)

_SCORE_AT = "score_at"
"""When the score of a delivery is to be written alone, if it is."""
_HELD = "held"
"""Profiles whose rights to create the settings do not want, if any wait for that."""
_SCORED_IN = "scored_in"
"""The CRM's field that a linked record's score was written to last; empty = none."""

BATCH = 500
MOST_COUNTED = 10_000

Change = Callable[[Delivery], None]


class Deliveries:
    """A delivery's `_id` is `<connection>/<prospect>`; `due` and `new` serve the work-off's query."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.deliveries"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        for keys in (
            (("next_try", ASCENDING), ("new", DESCENDING), ("due_since", ASCENDING)),
            (("due_since", ASCENDING),),
        ):
            await self._collection.create_index(
                [("connection_id", ASCENDING), *keys], partialFilterExpression={"due": True}
            )
        await self._collection.create_index(
            [("connection_id", ASCENDING), (_SCORE_AT, ASCENDING)],
            partialFilterExpression={_SCORE_AT: {"$exists": True}},
        )
        await self._collection.create_index([("tenant_id", ASCENDING), ("prospect_id", ASCENDING)])
        for name in (*_REFUSED, _WAITING, _LISTS, _IN, _HELD, _SCORED_IN):
            await self._collection.create_index(
                [("connection_id", ASCENDING), (name, ASCENDING)],
                partialFilterExpression={name: {"$exists": True}},
            )

    async def merge_all(
        self,
        merges: dict[tuple[str, str], Callable[[Delivery | None], Delivery]],
        session: AsyncClientSession,
    ) -> None:
        """Merges facts in the batch's transaction: one read, one write for all.

        merges: by (connection, prospect). The read belongs to the transaction, so a work-off that settles
        one of them meanwhile makes the whole transaction repeat with what it left.
        """
        ids = [_id(*name) for name in merges]
        found = {
            row["_id"]: row async for row in self._collection.find({"_id": {"$in": ids}}, session=session)
        }
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        for name, merge in merges.items():
            row = found.get(_id(*name))
            delivery = merge(_CODEC.decode(row) if row else None)
            delivery.revision += 1
            document = _document(delivery)
            writes.append(ReplaceOne({"_id": document["_id"]}, document) if row else InsertOne(document))
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def due(
        self, connection_id: str, now: datetime, limit: int, besides: Collection[str] = ()
    ) -> list[Delivery]:
        """What is due: new leads first, then what has waited longest. besides: prospects not asked for.

        Two queries, so that neither passes over those that are put off, however many they are.
        """
        wanted: Document = {"connection_id": connection_id, "due": True}
        if besides:
            wanted["prospect_id"] = {"$nin": sorted(besides)}
        untried = self._collection.find(wanted | {"next_try": None})
        untried = untried.sort([("new", DESCENDING), ("due_since", ASCENDING)]).limit(limit)
        again = self._collection.find(wanted | {"next_try": {"$lte": now}})
        again = again.sort("next_try", ASCENDING).limit(limit)
        rows = [row async for row in untried] + [row async for row in again]
        rows.sort(key=lambda row: (not row["new"], row["due_since"] or now))
        return [_CODEC.decode(row) for row in rows[:limit]]

    async def scores_due(
        self, connection_id: str, now: datetime, limit: int, besides: Collection[str] = ()
    ) -> list[Delivery]:
        """Those whose score alone is to be written now, longest overdue first. besides: as in `due`."""
        wanted: Document = {"connection_id": connection_id, _SCORE_AT: {"$lte": now}}
        if besides:
            wanted["prospect_id"] = {"$nin": sorted(besides)}
        found = self._collection.find(wanted).sort(_SCORE_AT, ASCENDING).limit(limit)
        return [_CODEC.decode(row) async for row in found]

    async def release(self, connection_id: str, profiles: Collection[str]) -> int:
        """Some of what was held back because of these profiles is due again; how many, 0 = nothing left."""
        wanted = {"connection_id": connection_id, _HELD: {"$in": sorted(profiles)}}
        return await self._change_some(wanted, _releasing(profiles))

    async def rescore(self, connection_id: str, score_field: str) -> int:
        """Some of the scores that this field was not given wait to be written to it; how many, as above."""
        other = {"$exists": True, "$ne": score_field}
        return await self._change_some(
            {"connection_id": connection_id, _SCORED_IN: other}, _rescoring(score_field)
        )

    async def next_try(self, connection_ids: Sequence[str], now: datetime) -> datetime | None:
        """When the first of the postponed ones is to be tried again."""
        row = await self._collection.find_one(
            {"connection_id": {"$in": list(connection_ids)}, "due": True, "next_try": {"$gt": now}},
            sort=[("next_try", ASCENDING)],
        )
        return row["next_try"] if row else None

    async def settle(self, delivery: Delivery, change: Change) -> None:
        """Applies `change` to the delivery as it is now: what came in since it was read stays."""
        await self.settle_all([(delivery, change)])

    async def settle_all(self, changes: Sequence[tuple[Delivery, Change]]) -> None:
        """The same for many in one write, each changed once.

        Those that met a merge are read and written again. The deliveries given are then as they stand, or
        as they stood if something came in since.
        """
        mark = uuid4().hex  # tells "not written" from "written, then merged into"
        left = list(changes)
        while left:
            writes = [_settled(delivery, change, mark) for delivery, change in left]
            result = await self._collection.bulk_write(writes, ordered=False)
            if result.matched_count == len(writes):
                return
            again = {_id(d.connection_id, d.prospect_id): (d, change) for d, change in left}
            found = self._collection.find({"_id": {"$in": list(again)}, "settled_by": {"$ne": mark}})
            now = [(_CODEC.decode(row), *again[row["_id"]]) async for row in found]
            # Facts only make it older: one that is younger was made anew after its person was erased.
            left = [(delivery, change) for delivery, d, change in now if delivery.first_said <= d.first_said]

    async def postpone(self, deliveries: Sequence[Delivery], until: datetime) -> None:
        """Those that are due are not tried before then, unless somebody has asked for a record meanwhile."""
        due = [delivery for delivery in deliveries if delivery.is_due]
        await self.settle_all([(delivery, _postponing(until, set(delivery.creators))) for delivery in due])

    async def of_prospect(self, tenant_id: str, prospect_id: str) -> list[Delivery]:
        """All of one prospect."""
        found = self._collection.find({"tenant_id": tenant_id, "prospect_id": prospect_id})
        return [_CODEC.decode(row) async for row in found]

    async def parked_of(self, connection_id: str, limit: int = 10_000) -> list[Delivery]:
        """What the CRM refuses, wholly (longest first) or but for the state or a campaign."""
        found = self._collection.find(_parked(connection_id)).sort("parked.since", ASCENDING).limit(limit)
        return [_CODEC.decode(row) async for row in found]

    async def resume(self, connection_id: str) -> int:
        """Makes what is parked due again: settings changed, or a person asked; how many."""
        return await self._resume(_parked(connection_id))

    async def resume_some(self, connection_id: str) -> int:
        """The same, of no more than come back in a moment."""
        return await self._change_some(_parked(connection_id), _unpark)

    async def resume_one(self, connection_id: str, prospect_id: str) -> bool:
        """The same for one prospect; False if nothing of it is parked."""
        return bool(await self._resume(_parked(connection_id) | {"prospect_id": prospect_id}))

    async def resume_root(self, connection_id: str, *roots: str) -> int:
        """The same for what waits for one of these records (ids), its own or an account; how many."""
        ids = {"$in": sorted(roots)}
        found = (("parked", "root"), ("parked", "record"), ("state.refused", "root"))
        either = [{f"{of}.since": {"$exists": True}, f"{of}.{name}": ids} for of, name in found]
        return await self._resume({"connection_id": connection_id, "$or": either})

    async def waited_for(self, connection_id: str) -> set[str]:
        """Campaigns that somebody waits to be put in."""
        wanted = {"connection_id": connection_id, _WAITING: {"$exists": True}}
        return set(await self._collection.distinct(_WAITING, wanted))

    async def wake_waiting(self, connection_id: str, campaign_ids: Collection[str], now: datetime) -> int:
        """Makes those due who wait for one of these campaigns; how many."""
        wanted = {"connection_id": connection_id, _WAITING: {"$in": sorted(campaign_ids)}}
        count = 0
        while rows := await self._collection.find(wanted).limit(BATCH).to_list():
            wake = _waking(campaign_ids, now)
            await self.settle_all([(_CODEC.decode(row), wake) for row in rows])
            count += len(rows)
        return count

    async def wake_listed(self, connection_id: str, rules: Mapping[str, ListRule], now: datetime) -> int:
        """The same of those who wait for one of these lists (by the list here), as its rule has it."""
        wanted = {"connection_id": connection_id, _LISTS: {"$in": sorted(map(of_list, rules))}}
        count = 0
        while rows := await self._collection.find(wanted).limit(BATCH).to_list():
            await self.settle_all([(_CODEC.decode(row), lambda d: begin(d, rules, now)) for row in rows])
            count += len(rows)
        return count

    async def rejoin(self, connection_id: str, name: str) -> None:
        """Who was put on a list (by its `of_list`) waits to be put on the one in its place."""
        wanted = {"connection_id": connection_id, _IN: name}
        while await self._change_some(wanted, _rejoining(name)):
            pass

    async def in_campaigns(self, connection_id: str) -> dict[str, int]:
        """How many people have been put in each campaign."""
        wanted = {"connection_id": connection_id, _IN: {"$exists": True}}
        pipeline: list[Document] = [
            {"$match": wanted},
            {"$unwind": f"${_IN}"},
            {"$group": {"_id": f"${_IN}", "count": {"$sum": 1}}},
        ]
        found = await self._collection.aggregate(pipeline)
        return {row["_id"]: row["count"] async for row in found}

    async def _resume(self, wanted: Document) -> int:
        count, found = 0, self._collection.find(wanted)
        while rows := await found.to_list(BATCH):
            await self.settle_all([(_CODEC.decode(row), _unpark) for row in rows])
            count += len(rows)
        return count

    async def _change_some(self, wanted: Document, change: Change) -> int:
        rows = await self._collection.find(wanted).limit(BATCH).to_list()
        if rows:
            await self.settle_all([(_CODEC.decode(row), change) for row in rows])
        return len(rows)

    async def oldest(self, connection_id: str) -> datetime | None:
        """Since when the oldest due delivery waits."""
        row = await self._collection.find_one(
            {"connection_id": connection_id, "due": True}, sort=[("due_since", ASCENDING)]
        )
        return row["due_since"] if row else None

    async def waiting(self, connection_id: str) -> dict[str, int]:
        """How many are due, and how many are parked; counted up to `MOST_COUNTED`."""
        wanted = {"due": {"connection_id": connection_id, "due": True}, "parked": _parked(connection_id)}
        return {
            name: await self._collection.count_documents(query, limit=MOST_COUNTED)
            for name, query in wanted.items()
        }

    async def wakes(self, stopping: Callable[[], bool]) -> AsyncIterator[str | None]:
        """The organisation of every delivery that becomes or stays due, as it is written.

        None comes first: listening has begun, so that whoever looks now misses nothing. stopping: asked every
        second, as a cancellation may be lost (Python 3.11's `wait_for` drops one that meets an answer).

        Raises:
            PyMongoError: the stream broke; look for due ones, then listen again.
        """
        pipeline: list[Document] = [
            {
                "$match": {
                    "$or": [{"fullDocument.due": True}, {f"fullDocument.{_SCORE_AT}": {"$exists": True}}]
                }
            },
            {"$project": {"fullDocument.organisation_id": 1}},
        ]
        async with await self._collection.watch(pipeline, max_await_time_ms=1_000) as stream:
            yield None
            while stream.alive and not stopping():
                if change := await stream.try_next():
                    yield change["fullDocument"]["organisation_id"]


def _settled(delivery: Delivery, change: Change, mark: str) -> ReplaceOne[Document]:
    read = delivery.revision
    change(delivery)
    delivery.revision, delivery.settled_by = read + 1, mark
    return ReplaceOne(
        {"_id": _id(delivery.connection_id, delivery.prospect_id), "revision": read}, _document(delivery)
    )


def _postponing(until: datetime, known: set[str]) -> Change:
    def postpone(delivery: Delivery) -> None:
        if delivery.creators.keys() <= known:
            delivery.next_try = until

    return postpone


def _unpark(delivery: Delivery) -> None:
    delivery.parked, delivery.attempts, delivery.next_try = None, 0, None
    if delivery.state is not None and delivery.state.refused is not None:
        delivery.state = replace(delivery.state, pending=True, refused=None)
    for name, membership in delivery.memberships.items():
        if membership.refused is not None:
            delivery.memberships[name] = replace(membership, pending=True, refused=None)


def _waking(campaign_ids: Collection[str], now: datetime) -> Change:
    def wake(delivery: Delivery) -> None:
        for name, membership in delivery.memberships.items():
            if name in campaign_ids:
                delivery.memberships[name] = replace(membership, waits=False)
        delivery.due_since = delivery.due_since or now

    return wake


def _rejoining(name: str) -> Change:
    def rejoin(delivery: Delivery) -> None:
        membership = delivery.memberships.get(name)
        if membership is not None and membership.is_in:
            delivery.memberships[name] = replace(membership, pending=True, waits=True)

    return rejoin


def _releasing(profiles: Collection[str]) -> Change:
    def release(delivery: Delivery) -> None:
        delivery.hold({n for n, c in delivery.creators.items() if c.held and c.profile not in profiles})
        delivery.due_since = delivery.due_since or datetime.now(UTC)

    return release


def _rescoring(score_field: str) -> Change:
    def rescore(delivery: Delivery) -> None:
        if delivery.score is not None:
            delivery.score = delivery.score.kept_in(score_field)

    return rescore


def _parked(connection_id: str) -> Document:
    return {
        "connection_id": connection_id,
        "$or": [{name: {"$exists": True}} for name in _REFUSED],
    }


def _id(connection_id: str, prospect_id: str) -> str:
    return f"{connection_id}/{prospect_id}"


def _document(delivery: Delivery) -> Document:
    memberships = sorted(delivery.memberships.items())
    campaigns = {
        _WAITING: [name for name, membership in memberships if membership.waits and not list_of(name)],
        _LISTS: [name for name, membership in memberships if membership.waits and list_of(name)],
        _IN: [name for name, membership in memberships if membership.is_in],
        _NOT_TAKEN: [name for name, membership in memberships if membership.refused],
    }
    return {
        "_id": _id(delivery.connection_id, delivery.prospect_id),
        "due": delivery.is_due,
        "new": delivery.is_new,
        **{name: found for name, found in campaigns.items() if found},
        **({_SCORE_AT: delivery.score_due_at} if delivery.score_due_at else {}),
        **({_HELD: sorted(delivery.held)} if delivery.held else {}),
        **({_SCORED_IN: delivery.score.field or ""} if delivery.told and delivery.score else {}),
        **_CODEC.encode(delivery),
    }
