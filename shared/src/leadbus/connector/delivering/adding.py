"""Notes, tasks and calls, each under an id derived from what it tells: told again, it is the same one."""

from collections.abc import Sequence

from leadbus.connector.contract import NewActivity
from leadbus.connector.delivering import plan_activities
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Done
from leadbus.connector.delivering.work import Work
from leadbus.connector.stores.deliveries import Change
from leadbus.errors import Conflict
from leadbus.messages import Record

MOST_ACTIVITIES = 400
"""Of one batch: new leads do not wait behind hundreds of activities; the rest goes with the next one."""


class Adding:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, works: Sequence[Work]) -> None:
        """Adds what each asks for; works have records that they may write activities to."""
        await self._begin_days(works)
        owners = await self._context.owner_ids([w for w in works if w.delivery.tasks])
        rows: list[tuple[Work, Done, NewActivity]] = []
        for work in works:
            work.written.activities |= plan_activities.unwanted(work.delivery, self._context.connection)
            if work.record is not None:
                rows += [(work, done, row) for done, row in self._rows(work, work.record, owners)]
        rows = rows[:MOST_ACTIVITIES]
        if not rows:
            return
        await self._intend([row for _, _, row in rows])
        self._context.before_writing()
        outcomes = await self._context.adapter.add_activities([row for _, _, row in rows])
        for (work, done, _), outcome in zip(rows, outcomes, strict=True):
            if outcome is None or isinstance(outcome, Conflict):
                work.activities += 1
                work.written.activities |= done.activities
                work.written.tasks |= done.tasks
                work.written.older = done.older or work.written.older
            elif work.error is None:
                work.error, work.object = outcome, "activity"

    def _rows(self, work: Work, record: Record, owners: dict[str, str]) -> list[tuple[Done, NewActivity]]:
        named = next((task.owner_email for task in work.delivery.tasks.values() if task.owner_email), None)
        owner = owners.get(named or "") or work.owner_id
        return plan_activities.new_activities(work.delivery, self._context.connection, record, owner)

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

    async def _intend(self, rows: Sequence[NewActivity]) -> None:
        modules = self._context.adapter.capabilities.activities
        records = [Record(module=modules[row.type], id=row.id) for row in rows if row.type in modules]
        await self._context.mirror.intend(self._context.connection.id, {record: {} for record in records})


def _beginning(begun: dict[str, list[str]]) -> Change:
    def begin(delivery: Delivery) -> None:
        delivery.begun |= begun

    return begin
