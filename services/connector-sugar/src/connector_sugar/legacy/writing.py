"""Rows into the older services, many in one call, with an outcome for each.

Always through set_entries, also for one row: set_entry is broken in SuiteCRM from 7.12.6 on. Rows always
carry an id of ours, with which set_entries looks for no duplicate of a contact [read in source:
check_for_duplicate_contacts ends at once where the row has an id]. It is not atomic, and answers a row it
cannot store with a fault for all: then the rows are looked up by their ids, and what is missing is written
one by one.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connector_sugar import faults
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.legacy.addresses import Addresses, differs
from connector_sugar.legacy.client import LegacyClient
from connector_sugar.legacy.reading import Reading
from connector_sugar.legacy.values import Types, to_site
from connector_sugar.wire import Change, Entry
from leadbus.connector.contract import Outcome
from leadbus.connector.together import chunks, rows_per_call
from leadbus.errors import Conflict, Gone, LeadbusError, OutcomeUnknown, Rejected

_SETTLED = (type(None), Rejected, Conflict, Gone)
"""Outcomes that concern the row itself; all others are trouble with the CRM."""
Outcomes = dict[str, Outcome]
"""By the rows' ids."""


@dataclass(frozen=True, slots=True)
class _Row:
    """What to write to one row, and how it is spelt."""

    change: Change
    pairs: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.change.id


class Writing:
    """Writes over one client's sessions."""

    def __init__(self, client: LegacyClient, reading: Reading, types: Types) -> None:
        self._client = client
        self._reading = reading
        self._types = types
        self._addresses = Addresses(client, reading)
        self._updates_emails: bool | None = None

    async def write(self, module: str, changes: Sequence[Change], *, creating: bool) -> list[Outcome]:
        """Outcomes in the order of the changes, which are spread over several sessions.

        Raises:
            LeadbusError: not one row could be settled.
        """
        parts = list(chunks(changes, rows_per_call(CAPABILITIES, len(changes))))
        work = self._create if creating else self._update
        results = await asyncio.gather(*(work(module, part) for part in parts), return_exceptions=True)
        outcomes: list[Outcome] = []
        for part, result in zip(parts, results, strict=True):
            if isinstance(result, LeadbusError):
                outcomes += [result] * len(part)
            elif isinstance(result, BaseException):
                raise result
            else:
                outcomes += [result[change.id] for change in part]
        failure = next((outcome for outcome in outcomes if not isinstance(outcome, _SETTLED)), None)
        if failure is not None and not any(isinstance(outcome, _SETTLED) for outcome in outcomes):
            raise failure
        return outcomes

    async def _create(self, module: str, changes: Sequence[Change]) -> Outcomes:
        """Without a look first: with an id that exists the call breaks off, and is looked into then."""
        rows = [_Row(change, await self._pairs(module, change, creating=True)) for change in changes]
        try:
            outcomes = await self._set_entries(module, rows)
        except OutcomeUnknown as lost:
            outcomes = await self._look_into(module, rows, lost)
        return await self._link(module, changes, outcomes)

    async def _look_into(self, module: str, rows: Sequence[_Row], lost: OutcomeUnknown) -> Outcomes:
        """What became of rows whose call broke off, or whose answer was lost; missing ones are sent again.

        Rows are stored in their order until the call ends. What is there after the first missing one was
        there before, and so it may be with what is there if nothing is missing, or if the first missing one
        is stored without trouble now.
        """
        try:
            there = await self._known(module, [row.id for row in rows])
        except LeadbusError:
            raise lost from None
        broke_off = isinstance(lost, faults.DiedWriting)
        missing = [row for row in rows if row.id not in there]
        before = rows[: rows.index(missing[0])] if missing else rows
        outcomes: Outcomes = {row.id: Conflict(faults.EXISTS) for row in rows if row.id in there}
        again = await self._one_by_one(module, missing, creating=True)
        refused = bool(missing) and isinstance(again[missing[0].id], Rejected)
        if refused or not broke_off:
            outcomes |= {row.id: None for row in before}
        return outcomes | again

    async def _update(self, module: str, changes: Sequence[Change]) -> Outcomes:
        """What exists is asked first: SugarCRM answers an update of nothing as done."""
        known = await self._known(module, [change.id for change in changes])
        outcomes: Outcomes = {
            change.id: Gone(faults.DELETED)
            for change in changes
            if change.id not in known or known[change.id].deleted
        }
        todo = [change for change in changes if change.id not in outcomes]
        moved = [change for change in todo if differs(change, known[change.id])]
        plain = {change.id for change in moved} if self._updates_emails is not False else set()
        rows = [_Row(change, await self._pairs(module, change, email=change.id in plain)) for change in todo]
        # A row without pairs has nothing that SugarCRM keeps.
        written = [row for row in rows if row.pairs.keys() != {"id"}]
        outcomes |= {row.id: None for row in rows if row not in written}
        if written:
            try:
                outcomes |= await self._set_entries(module, written)
            except OutcomeUnknown:
                outcomes |= await self._one_by_one(module, written, creating=False)
        moved = [change for change in moved if outcomes[change.id] is None]
        if moved and self._updates_emails is not True:
            outcomes |= await self._move_emails(module, moved, known)
        return await self._link(module, todo, outcomes)

    async def _move_emails(
        self, module: str, moved: Sequence[Change], known: Mapping[str, Entry]
    ) -> Outcomes:
        """The second step where the plain one does not take; which is found out by the first such update."""
        if self._updates_emails is None:
            known = await self._known(module, [change.id for change in moved])
            failed = [change for change in moved if change.id in known and differs(change, known[change.id])]
            self._updates_emails = not failed
            moved = failed
        return dict(await self._addresses.write(module, moved, known)) if moved else {}

    async def _one_by_one(self, module: str, rows: Sequence[_Row], *, creating: bool) -> Outcomes:
        """Outcomes of rows sent each for itself; after trouble with the CRM the rest is not tried."""
        outcomes: Outcomes = {}
        failure: LeadbusError | None = None
        for row in rows:
            if failure is None:
                try:
                    outcomes |= await self._set_entries(module, [row])
                except faults.DiedWriting as died:
                    outcomes[row.id] = await self._verdict(module, row, died, creating=creating)
                except LeadbusError as error:
                    failure = error
            if failure is not None:
                outcomes[row.id] = failure
        return outcomes

    async def _verdict(self, module: str, row: _Row, died: LeadbusError, *, creating: bool) -> Outcome:
        """Of a row on which the service broke off twice: if it can still read, the row is at fault."""
        try:
            known = await self._known(module, [row.id])
        except LeadbusError:
            return died
        return None if creating and known else Rejected(faults.REFUSED_ROW)

    async def _set_entries(self, module: str, rows: Sequence[_Row]) -> Outcomes:
        ids = await self._client.call(
            "set_entries",
            *(module, [row.pairs for row in rows]),
            writing=True,
            traces=[row.change.traceparent for row in rows if row.change.traceparent],
        )
        # Without the right to save a row is passed over, and its id left out [read in source].
        stored = set(ids)
        return {row.id: None if row.id in stored else Rejected(faults.NOT_STORED) for row in rows}

    async def _link(self, module: str, changes: Sequence[Change], outcomes: Outcomes) -> Outcomes:
        """Relates what was written to others; SugarCRM bears it twice."""
        for change in changes:
            for link, others in change.links.items():
                if outcomes[change.id] is not None:
                    continue
                try:
                    done = await self._client.call(
                        "set_relationship", *(module, change.id, link, list(others), {}, 0), writing=True
                    )
                    outcomes[change.id] = None if done else Rejected(faults.NOT_LINKED)
                except LeadbusError as error:
                    outcomes[change.id] = error
        return outcomes

    async def _pairs(
        self, module: str, change: Change, *, creating: bool = False, email: bool = False
    ) -> dict[str, str]:
        types = await self._types.of(module, change.values)
        pairs = {"id": change.id} | ({"new_with_id": "1"} if creating else {})
        pairs |= {name: to_site(value, types.get(name)) for name, value in change.values.items()}
        if change.teams:
            pairs["team_id"] = change.teams[0]
        if (creating or email) and change.email:
            pairs["email1"] = change.email.strip()
        if (creating or email) and change.opted_out is not None:
            pairs["email_opt_out"] = str(int(change.opted_out))
        return pairs

    async def _known(self, module: str, ids: Collection[str]) -> dict[str, Entry]:
        """Those of the rows that exist, deleted ones among them."""
        return {entry.id: entry for entry in await self._reading.by_id(module, ids, ())}
