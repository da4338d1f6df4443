"""Existing records: what differs and may be written, compared with the record as it was read just now.

Where the CRM tells versions, what somebody changed between our reading and writing is not written over: the
record is read again and decided on anew, once.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from leadbus.connector.contract import Person, PersonChange
from leadbus.connector.delivering import plan, plan_status, scores
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.plan import Changes
from leadbus.connector.delivering.plan_assignment import owner_of_existing
from leadbus.connector.delivering.plan_fields import Present
from leadbus.connector.delivering.work import Work
from leadbus.connector.stores.mirror import EMAIL, OPTED_OUT, OWNER, STATUS, MirrorRow
from leadbus.errors import Conflict, Transient
from leadbus.messages import Record

_OPTED_OUT = {True: "true", False: "false", None: None}
_OVERTAKEN = "The record is being changed in the CRM at the same time."


class Updating:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, works: Sequence[Work]) -> None:
        """Writes what each asks for; the values are remembered before the call, as intended."""
        overtaken = await self._write(works)
        for work in await self._write(await self._read_again(overtaken)):
            work.error = Transient(_OVERTAKEN)

    async def _write(self, works: Sequence[Work]) -> list[Work]:
        """Those whose record is not as it was read any more: of them nothing is written."""
        if not works:
            return []
        rows = await self._context.mirror.of_records(
            self._context.connection.id, [w.person.record for w in works if w.person]
        )
        owners = await self._context.owner_ids(works)
        failed = set[int]()
        overtaken: list[Work] = []
        changes = [(work, self._changes(work, rows, owners)) for work in works]
        writes = [(work, change.row) for work, change in changes if change.row is not None]
        await self._agree(works)
        if writes:
            await self._intend(writes)
            self._context.before_writing()
            outcomes = await self._context.adapter.update([row for _, row in writes])
            for (work, row), outcome in zip(writes, outcomes, strict=True):
                work.changed |= outcome is None and plan.says_something(replace(row, score=None))
                if outcome is not None:
                    failed.add(id(work))
                if isinstance(outcome, Conflict):
                    overtaken.append(work)
                    continue
                work.owner_id = row.owner_id or work.owner_id
                work.error = outcome or work.error
        for work, change in changes:
            work.decisions = change.decisions
            if id(work) not in failed:
                work.written = plan.record_part(work.delivery, change.wrote, is_there=True)
                if work.person is not None:
                    work.written.refused = work.refused or plan.still_refused(work.delivery, work.person.kind)
                work.written.state = None if work.unconverted else work.written.state
                work.written.score = self._score_after(work, change.row)
                work.reasons += change.reasons
        return overtaken

    async def _read_again(self, works: Sequence[Work]) -> list[Work]:
        """Those that still have their record; who has none (any more) is looked for anew at the next try."""
        records = [work.person.record for work in works if work.person]
        found = await self._context.adapter.read(records) if records else {}
        there: list[Work] = []
        for work in works:
            row = found.get(work.person.record.id) if work.person else None
            if isinstance(row, Person) and not row.deleted:
                work.person, work.owner_id = row, row.owner_id
                there.append(work)
            else:
                work.error = Transient(_OVERTAKEN)
        return there

    def _changes(self, work: Work, rows: dict[Record, MirrorRow], owners: dict[str, str]) -> Changes:
        context, person = self._context, work.person
        if person is None:
            return Changes(None, [])
        work.object = person.kind
        row = rows.get(person.record)
        record = Present(person, row.values, row.ours, row.changed) if row else Present(person)
        changes = plan.person_change(work.delivery, context.connection, context.fields, person.kind, record)
        wanted = owner_of_existing(work.delivery, context.connection)
        owner = owners.get(wanted or "")
        if wanted and not owner:
            changes.owner = "owner kept (no active user of the CRM has the new one's address)"
        status, changes.status = plan_status.status_of(
            work.delivery, context.connection, person.kind, record, matched=work.outcome == "matched"
        )
        change = changes.row or PersonChange(person.record, traceparent=work.delivery.traceparent)
        change = replace(change, status=status)
        if owner and owner != person.owner_id:
            change = replace(change, owner_id=owner)
        if work.lead_opted_out and not person.opted_out:
            change = replace(change, opted_out=True)
        if context.writes_scores or plan.says_something(change):
            change = replace(change, score=self._score(work))
        changes.row = replace(change, version=person.version) if plan.says_something(change) else None
        return changes

    def _score(self, work: Work) -> int | None:
        """Of linked records alone."""
        score_field = self._context.connection.settings.score_field
        if not work.has_record or work.record is None:
            return None
        return scores.to_write(work.delivery.score, score_field, now(), work.record.id)

    def _score_after(self, work: Work, row: PersonChange | None) -> scores.Score | None:
        score, field = work.delivery.score, self._context.connection.settings.score_field
        if field and row is not None and row.score is not None:
            return scores.written(score, field, now(), row.record.id)
        record = work.record.id if work.has_record and work.record else None
        return scores.left(score, field, record, linked=work.has_record)

    async def _agree(self, works: Sequence[Work]) -> None:
        """A status that another connection has written meanwhile is no news when read."""
        context = self._context
        said = {
            work.person.record: {STATUS: work.person.status}
            for work in works
            if work.person and work.person.status and work.link and len(work.link.connections) > 1
            if work.person.status == plan_status.wanted(work.delivery, context.connection)
        }
        await context.mirror.intend(context.connection.id, said)

    async def _intend(self, writes: Sequence[tuple[Work, PersonChange]]) -> None:
        """For all connections that lead to a record: none tells its supplier what another's has written."""
        meant: dict[str, dict[Record, dict[str, str]]] = defaultdict(dict)
        for work, row in writes:
            others = work.link.connections if work.link else set[str]()
            for name in others | {self._context.connection.id}:
                meant[name][row.record] = self._meant(row)
        for name, values in meant.items():
            await self._context.mirror.intend(name, values)

    def _meant(self, row: PersonChange) -> dict[str, str]:
        score_field = self._context.connection.settings.score_field
        besides = {
            EMAIL: row.email,
            OPTED_OUT: _OPTED_OUT[row.opted_out],
            OWNER: row.owner_id,
            STATUS: row.status,
            score_field or "": str(row.score) if row.score is not None else None,
        }
        return {**row.values, **{name: value for name, value in besides.items() if name and value}}
