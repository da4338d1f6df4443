"""How reading from a CRM goes, per kind, for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.pulling.problems import SKIPPED
from leadbus.connector.pulling.schedules import next_time
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.pulls import Pull
from leadbus.connector.taking.table import TAKERS

State = Literal["not read", "waiting", "first sync", "comparing", "new fields", "failed", "current"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One kind. read, total: of the full run under way, else of the last run; total None = not counted.

    error: why the last run failed; if it did not, why everything is read again, or why the CRM does not push
    what changes. skipped: records
    that make no prospect. refused: those with something wrong, now. asked: somebody wants it read.
    new_fields: ours that were mapped since it was read; in the state `new fields` they are being read.
    """

    kind: Kind
    state: State
    error: str
    read: int
    total: int | None
    skipped: int
    refused: int
    asked: bool
    last_run_at: datetime | None
    last_full_at: datetime | None
    next_at: datetime | None
    new_fields: tuple[str, ...] = ()


async def progress_of(
    connection: Connection, shop: PullShop, new_fields: Mapping[Kind, Sequence[str]] | None = None
) -> list[Progress]:
    """All kinds, in the order in which they are read. new_fields: by kind, see `Progress`."""
    pulls = await shop.pulls.of_connection(connection.id)
    counts = await shop.mirror.counts(connection.id)
    asked = {wish.kind for wish in await shop.asked.of_connection(connection.id)}
    warning = (await shop.watches.of(connection.id)).warning if connection.settings.push_to else ""
    found = []
    for kind in TAKERS:
        pull = pulls.get(kind) or Pull(connection.id, kind)
        run = pull.full or pull.reread
        codes = {code: count for (of, code), count in counts.items() if of == kind}
        found.append(
            Progress(
                kind=kind,
                state=_state(connection, pull),
                error=pull.error or pull.notice or warning,
                read=run.read if run else pull.counts.get("read", 0),
                total=run.total if run else None,
                skipped=sum(count for code, count in codes.items() if code in SKIPPED),
                refused=sum(count for code, count in codes.items() if code not in SKIPPED),
                asked=kind in asked,
                last_run_at=pull.last_run_at,
                last_full_at=pull.last_full_at,
                next_at=_next(connection, pull),
                new_fields=tuple((new_fields or {}).get(kind, ())),
            )
        )
    return found


def _state(connection: Connection, pull: Pull) -> State:
    if pull.error:
        return "failed"
    if pull.full is not None:
        return "first sync" if pull.since is None else "comparing"
    if pull.reread is not None:
        return "new fields"
    if connection.settings.schedules.of(pull.kind) is None:
        return "not read"
    return "waiting" if pull.since is None else "current"


def _next(connection: Connection, pull: Pull) -> datetime | None:
    schedule = connection.settings.schedules.of(pull.kind)
    if schedule is None or not connection.on:
        return None
    return next_time(schedule, pull.last_run_at, datetime.now(UTC), connection.settings.time_zone)
