"""Rows into SugarCRM, many in one call, with an outcome for each.

Always through set_entries, also for one row: set_entry is broken in SuiteCRM from 7.12.6 on. set_entries is
not atomic, and answers a row it cannot store with a fault for all: whatever goes wrong is looked up by the
rows' ids, which are ours, and what is missing is written one by one.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector_sugar import faults, translation, wire
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.client import SugarClient
from connector_sugar.reading import Reading
from leadbus.connector.contract import Outcome
from leadbus.errors import Conflict, Gone, LeadbusError, OutcomeUnknown, Rejected

_SETTLED = (type(None), Rejected, Conflict, Gone)
"""Outcomes that concern the row itself; all others are trouble with the CRM."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What to write to one record. place: of its outcome among those of the verb."""

    place: int
    id: str
    pairs: Mapping[str, str]
    traceparent: bytes | None


class Writing:
    """Writes over one client's sessions."""

    def __init__(self, client: SugarClient, reading: Reading) -> None:
        self._client = client
        self._reading = reading

    async def write(
        self, rows: Sequence[tuple[str, Mapping[str, str], bytes | None]], *, creating: bool
    ) -> list[Outcome]:
        """Outcomes in the order of the rows (module, pairs, trace), which are spread over the sessions.

        Raises:
            LeadbusError: not one row could be settled.
        """
        by_module: dict[str, list[_Row]] = {}
        for place, (module, pairs, traceparent) in enumerate(rows):
            by_module.setdefault(module, []).append(_Row(place, pairs["id"], pairs, traceparent))
        share = -(-len(rows) // CAPABILITIES.concurrent_calls)
        size = min(CAPABILITIES.rows_per_write, max(share, 1))
        parts = [(module, some) for module, all_ in by_module.items() for some in wire.chunks(all_, size)]
        results = await asyncio.gather(
            *(self._write_part(module, some, creating) for module, some in parts), return_exceptions=True
        )
        outcomes: list[Outcome] = [None] * len(rows)
        for (_, some), result in zip(parts, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, LeadbusError):
                raise result
            for row in some:
                outcomes[row.place] = result if isinstance(result, LeadbusError) else result[row.place]
        failure = next((outcome for outcome in outcomes if not isinstance(outcome, _SETTLED)), None)
        if failure is not None and not any(isinstance(outcome, _SETTLED) for outcome in outcomes):
            raise failure
        return outcomes

    async def _write_part(self, module: str, rows: Sequence[_Row], creating: bool) -> dict[int, Outcome]:
        """Outcomes by place. What exists is asked first: SugarCRM answers an update of nothing as done."""
        known = await self._known(module, rows)
        outcomes: dict[int, Outcome] = {}
        for row in rows:
            entry = known.get(row.id)
            if creating and entry is not None:
                outcomes[row.place] = Conflict(faults.EXISTS)
            elif not creating and (entry is None or translation.is_deleted(entry)):
                outcomes[row.place] = Gone(faults.DELETED)
            elif not creating and row.pairs.keys() == {"id"}:
                outcomes[row.place] = None  # nothing that SugarCRM keeps
        todo = [row for row in rows if row.place not in outcomes]
        if todo:
            outcomes |= await self._store(module, todo, creating)
        return outcomes

    async def _store(self, module: str, rows: Sequence[_Row], creating: bool) -> dict[int, Outcome]:
        try:
            return await self._set_entries(module, rows)
        except OutcomeUnknown as lost:
            try:
                there = await self._known(module, rows) if creating else {}
            except LeadbusError:
                raise lost from None
        outcomes: dict[int, Outcome] = {row.place: None for row in rows if row.id in there}
        failure: LeadbusError | None = None
        for row in rows:
            if row.place in outcomes:
                continue
            if failure is None:
                try:
                    outcomes |= await self._set_entries(module, [row])
                except faults.DiedWriting as died:
                    outcomes[row.place] = await self._verdict(module, row, creating, died)
                except LeadbusError as error:
                    failure = error
            if failure is not None:
                outcomes[row.place] = failure
        return outcomes

    async def _verdict(self, module: str, row: _Row, creating: bool, died: LeadbusError) -> Outcome:
        """Of a row on which the service died twice: if it can still read, the row is at fault."""
        try:
            known = await self._known(module, [row])
        except LeadbusError:
            return died
        return None if creating and known else Rejected(faults.REFUSED_ROW)

    async def _set_entries(self, module: str, rows: Sequence[_Row]) -> dict[int, Outcome]:
        ids = await self._client.call(
            "set_entries",
            module,
            wire.pair_lists(row.pairs for row in rows),
            writing=True,
            traces=[row.traceparent for row in rows if row.traceparent],
        )
        # Without the right to save a row is passed over, and its id left out [read in source].
        stored = set(ids)
        return {row.place: None if row.id in stored else Rejected(faults.NOT_STORED) for row in rows}

    async def _known(self, module: str, rows: Iterable[_Row]) -> dict[str, wire.Entry]:
        """Those of the rows that exist, deleted ones among them."""
        entries = await self._reading.by_id(module, [row.id for row in rows], ("id", "deleted"))
        return {entry.id: entry for entry in entries}
