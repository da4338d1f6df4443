"""What a CRM's records look like, in `<service>.mirror`: as last read, beside what we meant to write.

`put` writes what was read and leaves alone what was intended; `intend` does the opposite. So pulling and
delivering work on one document at once. `_id` is `<connection>/<module>/<id>`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, UpdateOne

from leadbus.connector.capabilities import PEOPLE, Kind
from leadbus.connector.stores.documents import Codec
from leadbus.messages import Record
from leadbus.storage.mongo import Client, Document

STATUS, EMAIL, OPTED_OUT, OWNER = "status", "email", "opted_out", "owner"
ACCOUNT, ACCOUNT_FACTS, CONVERTED = "account", "account_facts", "converted_to"
"""Names, among the CRM's fields of `values`, `ours` and `changed`, of what every CRM has in a way of its own:
owner and account by id, opted_out as `true` or `false` (empty: not known). account_facts: what is told of its
account with a person, as JSON (empty: nothing)."""
ANY = "*"
"""Among `ours`: whatever the field becomes, it is our doing (the contact that a lead is made, say)."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a record could not be taken in, or not wholly.

    code: which check found it (`leadbus.connector.pulling.problems`). object: the record's kind. field: the
    CRM's name of what to correct. root: the record whose correction makes this one right, None = itself.
    blocking: nothing of the record is told until then.
    """

    code: str
    object: Kind
    reason: str
    advice: str
    since: datetime
    field: str | None = None
    root: Record | None = None
    blocking: bool = True


@dataclass(slots=True)
class MirrorRow:
    """One record. kind: None = written by us and never read, so that only `ours` says anything.

    values: CRM field -> text, as last read. ours: CRM field -> text that we meant to write and have not
    read yet; meant_at: when, by our clock. changed: CRM field -> when the value was seen to change, by the
    CRM's clock.
    refs: ids of contacts (opportunities) or of whom it is about (activities). details: what else the read
    model shows. email: of people the primary one, even if it is no valid one. run: the full run that last
    saw it.
    """

    connection_id: str
    record: Record
    kind: Kind | None = None
    values: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    meant_at: dict[str, datetime] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    name: str = ""
    email: str | None = None
    prospect_id: str | None = None
    owner_id: str | None = None
    account_id: str | None = None
    refs: list[str] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)
    active: bool = True
    deleted: bool = False
    changed_at: datetime | None = None
    problem: RowProblem | None = None
    run: str | None = None

    def known(self, name: str) -> str:
        """What a field holds as far as we know: as last read, else as we meant to write it; else nothing."""
        return self.values.get(name) or self.ours.get(name, "")

    def is_news(self, name: str, value: str) -> bool:
        """Whether a value just read is neither what was read before nor what we meant to write."""
        return value != self.values.get(name, "") and self.ours.get(name) not in (value, ANY)


MOST_TWINS, MOST_OF_ONE_EMAIL = 2_000, 50
LONGEST_WRITE = timedelta(seconds=90)
"""After which a call that writes is over: another value than was meant is what became of it."""
_MAPS = ("values", "ours", "meant_at", "changed", "details")
_CODEC = Codec(MirrorRow, maps=_MAPS)
_ABSENT: Document = {name: [] for name in _MAPS}


class Mirror:
    """See the module."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.mirror"]

    async def prepare(self) -> None:
        """Creates the indexes."""
        for keys in (
            ("record.id",),
            ("prospect_id", "kind"),
            ("email", "kind"),
            ("refs",),
            ("kind", "run"),
            ("problem.since",),
            ("problem.root.id",),
            ("account_id", "kind"),
        ):
            await self._collection.create_index(
                [("connection_id", ASCENDING), *((key, ASCENDING) for key in keys)]
            )

    async def get(
        self, connection_id: str, ids: Iterable[str], kind: Kind | None = None
    ) -> dict[str, MirrorRow]:
        """Rows by the record's id; absent = never seen and never written. kind: only such."""
        wanted = {"connection_id": connection_id, "record.id": {"$in": sorted(set(ids))}}
        rows = await self._rows(wanted | ({"kind": kind} if kind else {}))
        return {row.record.id: row for row in rows}

    async def of_records(self, connection_id: str, records: Iterable[Record]) -> dict[Record, MirrorRow]:
        """The same, where the module is known too."""
        ids = sorted({_id(connection_id, record) for record in records})
        return {row.record: row for row in await self._rows({"_id": {"$in": ids}})}

    async def put(self, connection_id: str, rows: Sequence[MirrorRow]) -> None:
        """Remembers what was read; an intention that was read back is fulfilled and forgotten.

        So is one that came to nothing: else the same value, entered by a person much later, was ours.
        """
        over = datetime.now(UTC) - LONGEST_WRITE
        writes = [_write(connection_id, row, over) for row in rows]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def intend(self, connection_id: str, values: Mapping[Record, Mapping[str, str]]) -> None:
        """Remembers, before the call, what is about to be written: reading that is no news then.

        An activity that is about to be added is intended without values.
        """
        now = datetime.now(UTC)
        writes = [_intention(connection_id, record, meant, now) for record, meant in values.items()]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def forget(self, connection_id: str, records: Iterable[Record]) -> None:
        """Of stand-ins: what was intended is remembered with the records that the CRM made."""
        ids = sorted({_id(connection_id, record) for record in records})
        if ids:
            await self._collection.delete_many({"_id": {"$in": ids}, "kind": None})

    async def touch(self, connection_id: str, records: Sequence[Record], run: str) -> None:
        """Notes that a full run has seen these, which have not changed."""
        ids = [_id(connection_id, record) for record in records]
        if ids:
            await self._collection.update_many({"_id": {"$in": ids}}, {"$set": {"run": run}})

    async def unseen(self, connection_id: str, kind: Kind, run: str, limit: int) -> list[MirrorRow]:
        """Live rows of a kind that a full run has not come across."""
        wanted = {"connection_id": connection_id, "kind": kind, "run": {"$ne": run}, "deleted": False}
        return await self._rows(wanted, limit)

    async def of_prospect(self, connection_id: str, prospect_id: str) -> list[MirrorRow]:
        """All records of one person."""
        return await self._rows({"connection_id": connection_id, "prospect_id": prospect_id})

    async def referring(self, connection_id: str, ids: Iterable[str], kind: Kind) -> list[MirrorRow]:
        """Live rows of a kind that hang on one of these records."""
        refs = {"$in": sorted(set(ids))}
        return await self._rows(
            {"connection_id": connection_id, "refs": refs, "kind": kind, "deleted": False}, 500
        )

    async def people_by_email(self, connection_id: str, emails: Iterable[str]) -> dict[str, list[MirrorRow]]:
        """Live leads, contacts and targets by email, in lower case; absent = none.

        Not all of them where an address stands in thousands of records, as `none@example.com` does.
        """
        found: dict[str, list[MirrorRow]] = {}
        people = {"connection_id": connection_id, "kind": {"$in": ["lead", "contact", "target"]}}
        live, asked = people | {"deleted": False}, sorted(set(emails))
        rows = await self._rows(live | {"email": {"$in": asked}}, MOST_TWINS + 1)
        if len(rows) > MOST_TWINS:
            each = [await self._rows(live | {"email": email}, MOST_OF_ONE_EMAIL) for email in asked]
            rows = [row for some in each for row in some]
        for row in rows:
            found.setdefault(row.email or "", []).append(row)
        return found

    async def user_by_email(self, connection_id: str, email: str) -> MirrorRow | None:
        """The active user with this address (in lower case), who can own records; None = there is none."""
        wanted = {"connection_id": connection_id, "email": email, "kind": "user"}
        return next(iter(await self._rows(wanted | {"active": True, "deleted": False}, 1)), None)

    async def has_users(self, connection_id: str) -> bool:
        """Whether any of the CRM's users have been read: every CRM has some."""
        wanted = {"connection_id": connection_id, "kind": "user"}
        return await self._collection.find_one(wanted, {"_id": 1}) is not None

    async def problems(self, connection_id: str, limit: int = 10_000) -> list[MirrorRow]:
        """Rows with a problem, oldest first."""
        found = self._collection.find({"connection_id": connection_id, "problem.since": {"$ne": None}})
        found = found.sort("problem.since", ASCENDING).limit(limit)
        return [_row(document) async for document in found]

    async def counts(self, connection_id: str) -> dict[tuple[Kind, str], int]:
        """How many rows have a problem, by kind and code."""
        found = await self._collection.aggregate(
            [
                {"$match": {"connection_id": connection_id, "problem.since": {"$ne": None}}},
                {"$group": {"_id": {"kind": "$kind", "code": "$problem.code"}, "count": {"$sum": 1}}},
            ]
        )
        return {(row["_id"]["kind"], row["_id"]["code"]): row["count"] async for row in found}

    async def dependents_of(self, connection_id: str, ids: Iterable[str]) -> AsyncIterator[Record]:
        """Records whose problem has its root in one of these, live people whose account is one, and live
        opportunities with one of them."""
        roots, of = {"$in": sorted(set(ids))}, {"connection_id": connection_id}
        people = of | {"account_id": roots, "kind": {"$in": [*PEOPLE]}, "deleted": False}
        deals = of | {"refs": roots, "kind": "opportunity", "deleted": False}
        wanted: Document = {"$or": [of | {"problem.root.id": roots}, people, deals]}
        async for document in self._collection.find(wanted, {"record": 1}):
            yield Record.model_validate(document["record"])

    async def _rows(self, wanted: Document, limit: int = 0) -> list[MirrorRow]:
        return [_row(document) async for document in self._collection.find(wanted).limit(limit)]


def _id(connection_id: str, record: Record) -> str:
    return f"{connection_id}/{record.module}/{record.id}"


def _row(document: Document) -> MirrorRow:
    return _CODEC.decode(_ABSENT | document)


def _write(connection_id: str, row: MirrorRow, over: datetime) -> UpdateOne:
    document = _CODEC.encode(row)
    del document["ours"], document["meant_at"]
    met = [[name, value] for name, value in row.ours.items() if is_met(row, name, value, over)]
    forget: Document = {"$pull": {"ours": {"$in": met}}} if met else {}
    return UpdateOne({"_id": _id(connection_id, row.record)}, {"$set": document, **forget}, upsert=True)


def is_met(row: MirrorRow, name: str, value: str, over: datetime) -> bool:
    """Whether an intention is to be forgotten. over: writes that were begun before are over."""
    if name not in row.values:
        return False
    is_there = row.values[name] == value or (value == ANY and bool(row.values[name]))
    return is_there or row.meant_at.get(name, over) < over


def _intention(connection_id: str, record: Record, meant: Mapping[str, str], now: datetime) -> UpdateOne:
    """One pipeline, so that two intentions for one record add up; literals, so that `$` means nothing."""
    fields: Document = {
        "connection_id": _literal(connection_id),
        "record": _literal(record.model_dump()),
        "ours": _besides("ours", meant, [[name, value] for name, value in meant.items()]),
        "meant_at": _besides("meant_at", meant, [[name, now] for name in meant]),
    }
    return UpdateOne({"_id": _id(connection_id, record)}, [{"$set": fields}], upsert=True)


def _besides(member: str, names: Iterable[str], pairs: Sequence[Sequence[object]]) -> Document:
    """The pairs of a member with these in the place of those of the same names."""
    earlier = {
        "$filter": {
            "input": {"$ifNull": [f"${member}", []]},
            "cond": {"$not": [{"$in": [{"$arrayElemAt": ["$$this", 0]}, _literal(list(names))]}]},
        }
    }
    return {"$concatArrays": [earlier, _literal(pairs)]}


def _literal(value: object) -> Document:
    return {"$literal": value}
