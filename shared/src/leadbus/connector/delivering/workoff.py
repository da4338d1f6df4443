"""Works off due deliveries of one connection, many in one call: resolve, convert, create, update, add, join.

Each step leaves its result on the pieces of work, so that neither one refused row nor one broken call
costs the others what was achieved.
"""

from collections.abc import Sequence

from leadbus.connector.delivering import plan, plan_activities
from leadbus.connector.delivering.adding import Adding
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.converting import Converting
from leadbus.connector.delivering.creating import Creating
from leadbus.connector.delivering.joining import Joining, waiting
from leadbus.connector.delivering.plan_notes import owed_notes, unwanted_notes
from leadbus.connector.delivering.profiles import held_back
from leadbus.connector.delivering.resolving import Resolving
from leadbus.connector.delivering.scores import left, to_write
from leadbus.connector.delivering.updating import Updating
from leadbus.connector.delivering.work import Work


class WorkOff:
    """One connection's way of working off, for as long as its settings stay what they are."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._resolving = Resolving(context)
        self._converting = Converting(context)
        self._creating = Creating(context, self._resolving)
        self._updating = Updating(context)
        self._adding = Adding(context)
        self._joining = Joining(context)

    async def run(self, works: Sequence[Work]) -> None:
        """Carries the pieces as far as they go; no email may occur twice among them.

        Raises:
            Fenced: the lease has ended; another pod may be at work.
            LeadbusError: a whole call failed; what was achieved before is on the pieces.
        """
        for work in works:
            self._leave_out(work)
        busy = [w for w in works if not w.idle]
        await self._resolving.run(busy)
        await self._converting.run([w for w in busy if w.person])
        await self._creating.run([w for w in busy if _needs_record(w)])
        await self._updating.run([w for w in busy if w.person and not w.created and not w.written.spent])
        complete = [w for w in busy if w.has_record and w.delivery.may_create and w.is_shown]
        await self._adding.run(complete)
        await self._joining.run(busy)

    def _leave_out(self, work: Work) -> None:
        """What the settings do not want written, or not yet, costs no call."""
        delivery, connection, moment = work.delivery, self._context.connection, now()
        work.held = held_back(delivery, connection)
        delivery.hold(work.held)
        score_field, score = connection.settings.score_field, delivery.score
        if self._context.writes_scores and to_write(score, score_field, moment) is not None:
            return
        if not (delivery.is_due or self._context.writes_scores):
            work.idle = True  # the settings want none of it
            return
        if not plan.asks_nothing(delivery, connection, self._context.fields):
            return
        notes = owed_notes(delivery).keys() - unwanted_notes(delivery, connection)
        if not notes and plan_activities.can_wait(delivery, connection, moment):
            work.idle, work.written = True, plan.record_part(delivery, set())
            work.written.score = left(score, score_field)
            work.written.noted = unwanted_notes(delivery, connection)
            work.written.activities = plan_activities.unwanted(delivery, connection)
            work.written.memberships = waiting(delivery)
            work.later = plan_activities.waits_until(delivery, connection, moment)


def _needs_record(work: Work) -> bool:
    return work.delivery.may_create and not work.has_record and not work.written.spent
