"""How far each kind of record has been read, in `<service>.pulls`: one document per connection and kind."""

from dataclasses import dataclass, field
from datetime import datetime

from leadbus.connector.capabilities import Kind
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client


@dataclass(frozen=True, slots=True)
class Walk:
    """Over the members of a list. run: which they are seen by. page: the token of the next one; None = the
    first. over: all of them were. failures: how often in a row this page could not be read."""

    list_id: str
    run: str
    page: str | None = None
    over: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class FullRun:
    """Everything of a kind being read, page by page. page: the token of the next one; None = the first.

    server_time: the CRM's clock when it began; None before the first page came. schedules: names of those by
    which it is due, of lists that have several; None = it is wanted, or compared, as a whole. pairs: fields
    that are read, by the mapping of when it began. walk: of lists, the one that was begun last; those of the
    same page with smaller ids are over.
    """

    run: str
    started_at: datetime
    page: str | None = None
    read: int = 0
    total: int | None = None
    server_time: datetime | None = None
    schedules: tuple[str, ...] | None = None
    pairs: tuple[str, ...] | None = None
    walk: Walk | None = None


@dataclass(frozen=True, slots=True)
class Reread:
    """Fields being read again of every record, because they are new. pairs: which, as `ours=theirs`.

    page, read, total: as of a full run.
    """

    pairs: tuple[str, ...]
    started_at: datetime
    page: str | None = None
    read: int = 0
    total: int | None = None


@dataclass(slots=True)
class Pull:
    """One kind of record of one connection.

    since: the CRM's time from which to read on; None = never wholly read. mark: the CRM's own, see `Page`.
    full: the full run under way. error: why the last run failed; empty = it did not. notice: why everything
    is read again, until it is. counts: rows of the last run by outcome. by_schedule: of lists, when they
    were last read by each of their schedules. pairs: fields (`ours=theirs`) that were read of every record;
    None = not known. reread: those that are new, being read.
    """

    connection_id: str
    kind: Kind
    since: datetime | None = None
    mark: str | None = None
    full: FullRun | None = None
    last_run_at: datetime | None = None
    last_full_at: datetime | None = None
    error: str = ""
    notice: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    by_schedule: dict[str, datetime] = field(default_factory=dict)
    pairs: tuple[str, ...] | None = None
    reread: Reread | None = None


_CODEC = Codec(Pull, maps=("by_schedule",))


class Pulls:
    """Written by the one worker that holds the organisation's lease."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.pulls"]

    async def of_connection(self, connection_id: str) -> dict[Kind, Pull]:
        """By kind; absent = never read."""
        found = self._collection.find({"connection_id": connection_id, "kind": {"$ne": None}})
        pulls = [_CODEC.decode(row) async for row in found]
        return {pull.kind: pull for pull in pulls}

    async def save(self, pull: Pull) -> None:
        """Only after everything before it is published and remembered."""
        name = f"{pull.connection_id}/{pull.kind}"
        await self._collection.replace_one({"_id": name}, _CODEC.encode(pull), upsert=True)

    async def compared_at(self, connection_id: str) -> datetime | None:
        """When the last comparison of everything began; None = never."""
        row = await self._collection.find_one({"_id": connection_id})
        return row["compared_at"] if row else None

    async def compare(self, connection_id: str, now: datetime) -> None:
        """Notes that a comparison begins."""
        await self._collection.replace_one({"_id": connection_id}, {"compared_at": now}, upsert=True)
