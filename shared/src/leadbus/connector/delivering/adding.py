"""Notes, tasks and calls, each under an id derived from what it tells: told again, it is the same one.

Where the CRM takes no ids of ours, those under way are kept with the delivery: if no answer comes, what the
record has is read before any of them is added again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from leadbus.connector.contract import CrmActivity, NewActivity
from leadbus.connector.delivering import plan_activities
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.owing import worded
from leadbus.connector.delivering.parts import Done
from leadbus.connector.delivering.plan_notes import unwanted_notes
from leadbus.connector.delivering.work import Work
from leadbus.connector.link import activity_sign
from leadbus.connector.stores.deliveries import Change
from leadbus.errors import Conflict, LeadbusError, OutcomeUnknown, Transient
from leadbus.messages import Record

LONGEST_DAY = timedelta(hours=25)
MOST_ACTIVITIES = 400
"""Of one batch: new leads do not wait behind hundreds of activities; the rest goes with the next one."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """done: what its being there deals with."""

    work: Work
    done: Done
    row: NewActivity

    @property
    def name(self) -> str:
        """The same on every try, also if the record is another by then: a lead that became a contact."""
        return min(self.done.activities | self.done.tasks | self.done.noted, default="older")


class Adding:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._own_ids = context.adapter.capabilities.own_ids

    async def run(self, works: Sequence[Work]) -> None:
        """Adds what each asks for; works have records that they may write activities to."""
        await self._begin_days(works)
        owners = await self._context.owner_ids([w for w in works if w.delivery.tasks])
        planned: list[_Planned] = []
        for work in works:
            work.written.activities |= plan_activities.unwanted(work.delivery, self._context.connection)
            work.written.noted |= unwanted_notes(work.delivery, self._context.connection)
            if work.record is not None:
                planned += [_Planned(work, *row) for row in self._rows(work, work.record, owners)]
        planned = planned[:MOST_ACTIVITIES]
        if not self._own_ids:
            planned = await self._besides_those_there(planned)
        if not planned:
            return
        rows = [each.row for each in planned]
        await self._intend({self._stand_in(row): {} for row in rows})
        self._context.before_writing()
        outcomes = await self._context.adapter.add_activities(rows)
        if not self._own_ids:
            await self._intend(
                {
                    Record(module=self._module(each.row), id=outcome): {}
                    for each, outcome in zip(planned, outcomes, strict=True)
                    if isinstance(outcome, str)
                }
            )
            await self._forget([e for e, o in zip(planned, outcomes, strict=True) if _is_answer(o)])
        for each, outcome in zip(planned, outcomes, strict=True):
            if isinstance(outcome, str | Conflict):
                _is_there(each, keep=not self._own_ids)
            elif each.work.error is None:
                each.work.error, each.work.object = outcome, "activity"
            if _is_answer(outcome):
                each.work.written.answered.add(each.name)

    def _rows(self, work: Work, record: Record, owners: dict[str, str]) -> Sequence[tuple[Done, NewActivity]]:
        return plan_activities.new_activities(
            work.delivery, self._context.connection, record, work.owner_id, owners
        )

    async def _besides_those_there(self, planned: Sequence[_Planned]) -> list[_Planned]:
        """Those still to be added, noted as tried; an earlier try whose answer was lost may have done it."""
        doubtful = [each for each in planned if each.name in each.work.delivery.tried]
        left = list(planned)
        if doubtful:
            records = list(dict.fromkeys(each.row.record for each in doubtful))
            there = await self._context.adapter.activities_of(records)
            found = {record_id: list(rows) for record_id, rows in there.items()}
            ours: dict[Record, dict[str, str]] = {}
            for each in doubtful:
                there_on = found.get(each.row.record.id, [])
                added = taken_from(there_on, each.row, by_subject=bool(each.done.noted))
                if added is not None:
                    ours[added.record] = {}
                    _is_there(each, keep=True)
                    each.work.written.answered.add(each.name)
                    left.remove(each)
            await self._intend(ours)
            await self._forget(doubtful)
        begun: dict[int, tuple[Delivery, set[str]]] = {}
        for each in left:
            if each.name not in each.work.delivery.tried:
                begun.setdefault(id(each.work), (each.work.delivery, set()))[1].add(each.name)
        await self._context.deliveries.settle_all([(d, _trying(ids, d)) for d, ids in begun.values()])
        return left

    async def _begin_days(self, works: Sequence[Work]) -> None:
        """What goes into one note of a day is kept first, so that a second try is the same note."""
        connection = self._context.connection
        if connection.settings.notes == "per_event":
            return
        moment = now()
        changes: list[tuple[Delivery, Change]] = []
        for work in works:
            is_new = work.outcome == "created"
            begun = (
                plan_activities.begin_days(work.delivery, connection, work.record, moment, at_once=is_new)
                if work.record
                else {}
            )
            work.later = plan_activities.waits_until(work.delivery, connection, moment)
            if begun:
                changes.append((work.delivery, _beginning(begun)))
        await self._context.deliveries.settle_all(changes)

    async def _intend(self, meant: dict[Record, dict[str, str]]) -> None:
        await self._context.mirror.intend(self._context.connection.id, meant)

    async def _forget(self, planned: Sequence[_Planned]) -> None:
        """What stood in for these, also while their record was a lead."""
        stand_ins: list[Record] = []
        for each in planned:
            earlier = each.work.link.earlier if each.work.link else []
            stand_ins += [
                self._stand_in(replace(each.row, record=record)) for record in (each.row.record, *earlier)
            ]
        await self._context.mirror.forget(self._context.connection.id, stand_ins)

    def _module(self, row: NewActivity) -> str:
        return self._context.adapter.capabilities.activities[row.type]

    def _stand_in(self, row: NewActivity) -> Record:
        """What it is known by before it is answered."""
        key = row.id if self._own_ids else activity_sign(row.record.id, row.type, row.subject)
        return Record(module=self._module(row), id=key)


def _is_there(each: _Planned, *, keep: bool) -> None:
    """keep: the CRM will not know it again, should it be told once more."""
    each.work.activities += not each.done.noted
    each.work.written.added |= dict.fromkeys(each.done.activities, now()) if keep else {}
    each.work.written.activities |= each.done.activities
    each.work.written.tasks |= each.done.tasks
    each.work.written.noted |= each.done.noted
    each.work.written.older = each.done.older or each.work.written.older


def _is_answer(outcome: str | LeadbusError) -> bool:
    """Whether it says what became of the row."""
    return not isinstance(outcome, OutcomeUnknown | Transient)


def taken_from(found: list[CrmActivity], row: NewActivity, *, by_subject: bool) -> CrmActivity | None:
    """Takes one out that says the same; CRMs cut long subjects and set white space as they like.

    by_subject: no other has that one, whatever its text. One that is due on an earlier day is another's, such
    as an earlier distribution's of the same person.
    """
    text = "".join(row.text.split())
    for each in found:
        says_the_same = row.subject.strip().startswith(each.subject.strip())
        is_same_text = by_subject or "".join(each.text.split()) == text
        is_earlier = each.due_at and row.due_at and row.due_at - each.due_at > LONGEST_DAY
        if each.type == row.type and says_the_same and is_same_text and not is_earlier:
            found.remove(each)
            return each
    return None


def _trying(ids: set[str], told: Delivery) -> Change:
    """told: as it was planned: what a task says then is what it is known by, whatever is said since."""
    tasks = {name: worded(told, told.tasks[name]) for name in ids & told.tasks.keys()}

    def note(delivery: Delivery) -> None:
        delivery.tried |= ids
        delivery.tasks |= {name: task for name, task in tasks.items() if name in delivery.tasks}

    return note


def _beginning(begun: dict[str, list[str]]) -> Change:
    def begin(delivery: Delivery) -> None:
        delivery.begun |= begun

    return begin
