"""What contestants keep in MongoDB: how far they are, what came of it, and prospects nobody asks about."""

from typing import Any
from uuid import uuid4

from pymongo import AsyncMongoClient

from bench.contest.contestants import Outcome
from bench.contest.lead import COLLECTION, Lead
from bench.contest.marketing import PARTITIONS
from scoring.store import MongoProspects

OTHERS = "others"
"""The tenant of prospects that are only stored."""
_MULTIPLIED = 1_000
_ROW_BYTES = 31
_MAY_DIFFER = "cools_at"
"""A bound; the clock may have brought it up to date."""
_NUMBER = {"$ifNull": ["$$this.number", 1]}
_SUMS: list[dict[str, Any]] = [
    {"$match": {"tenant_id": {"$ne": OTHERS}}},
    {
        "$group": {
            "_id": None,
            "prospects": {"$sum": 1},
            "bytes": {"$sum": {"$binarySize": "$rows"}},
            "score": {"$sum": "$score"},
            "crossings": {"$sum": {"$sum": {"$map": {"input": "$qualified", "in": _NUMBER}}}},
        }
    },
]


class Kept:
    """All contestants' databases on one server."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._databases: set[str] = set()

    async def database(self) -> str:
        """The name of a new one, dropped in the end; with scoring's indexes, whoever will write there."""
        name = f"bench-{uuid4().hex[:8]}"
        self._databases.add(name)
        await MongoProspects(self._client[name]).prepare()
        return name

    async def drop(self) -> None:
        """Forgets all."""
        for name in self._databases:
            await self._client.drop_database(name)

    async def outcome(self, database: str) -> Outcome:
        """The sums over all prospects that events are about."""
        asked = await self._client[database][COLLECTION].aggregate(_SUMS)
        (row,) = await asked.to_list()
        return Outcome(row["prospects"], row["bytes"] // _ROW_BYTES, row["score"], row["crossings"])

    async def copy(self, database: str) -> str:
        """A database with the prospects as they are now."""
        name = await self.database()
        copied = await self._client[database][COLLECTION].aggregate(
            [{"$out": {"db": name, "coll": COLLECTION}}]
        )
        await copied.to_list()
        return name

    async def differing(self, database: str, other: str) -> set[str]:
        """The names of fields that are not the same in some prospect's documents."""
        ours, theirs = self._client[database][COLLECTION].find(), self._client[other][COLLECTION].find()
        others = {row["_id"]: row async for row in theirs}
        absent = object()
        return {
            name
            async for row in ours
            for name in row.keys() | others[row["_id"]].keys()
            if name != _MAY_DIFFER and row.get(name, absent) != others[row["_id"]].get(name, absent)
        }

    async def progress(self, database: str) -> int:
        """Events applied, by a contestant that tells it here."""
        return sum([row["offset"] async for row in self._client[database]["progress"].find()])

    async def writes(self) -> int:
        """Documents written so far, to any database.

        By statement, each of one document here; `metrics.document` leaves out what an upsert inserts.
        """
        counters = (await self._client.admin.command("serverStatus"))["opcounters"]
        return int(counters["insert"] + counters["update"] + counters["delete"])

    async def forget_offsets(self, database: str) -> None:
        """All is delivered again to the service that has this database; its prospects stay."""
        for collection in ("scoring.applied_offsets", "scoring.outbox"):
            await self._client[database][collection].delete_many({})

    async def with_others(self, count: int) -> str:
        """A database with so many other prospects, whom no event is about; MongoDB multiplies them itself."""
        database = await self.database()
        few = min(count, _MULTIPLIED)
        one = Lead(OTHERS, "", 0, version=8, score=12_000, rows=bytearray(8 * _ROW_BYTES)).document()
        rows = [one | {"_id": f"{OTHERS}:{n}", "partition": n % PARTITIONS} for n in range(few)]
        seeds = self._client[database]["seeds"]
        await seeds.insert_many(rows)
        id = {"$concat": ["$_id", "-", {"$toString": "$n"}]}
        made = await seeds.aggregate(
            [
                {"$set": {"n": {"$range": [0, count // few]}}},
                {"$unwind": "$n"},
                {"$set": {"_id": id, "prospect_id": id}},
                {"$unset": "n"},
                {"$out": COLLECTION},
            ]
        )
        await made.to_list()
        await seeds.drop()
        return database
