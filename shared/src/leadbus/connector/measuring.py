"""How the connections that this pod works fare, as levels for the metrics: read now and then, not kept up."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from leadbus.connector.connection import Connection
from leadbus.connector.worker import OrganisationWorker
from leadbus.connector.workshop import Workshop
from leadbus.telemetry import Level, names
from leadbus.telemetry.metric import Metric

EVERY_SECONDS = 10.0
_MEASURED = (
    names.CONNECTION_STATE,
    names.OLDEST_UNDELIVERED,
    names.DELIVERIES_WAITING,
    names.CREDITS_LEFT,
    names.CREDITS_ALLOWED,
    names.PUSH_AGE,
    names.PULL_AGE,
)

Reading = tuple[Metric, float, Mapping[str, str]]


class Measuring:
    """See the module. What went to another pod is told by that one."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def measure(self, workers: Mapping[str, OrganisationWorker]) -> None:
        """workers: by organisation. Raises PyMongoError; then all levels stay as they were."""
        levels: dict[Metric, list[Level]] = defaultdict(list)
        for organisation, worker in list(workers.items()):
            for connection in await self._shop.connections.of_organisation(organisation):
                async for metric, value, labels in self._of(connection, worker):
                    levels[metric].append((value, {names.CONNECTION: connection.id, **labels}))
        for metric in _MEASURED:
            self._shop.telemetry.gauge(metric).replace(levels[metric])

    async def _of(self, connection: Connection, worker: OrganisationWorker) -> AsyncIterator[Reading]:
        state = connection.health.state.value if connection.on else "off"
        yield names.CONNECTION_STATE, 1, {names.STATE: state}
        if not connection.on:
            return
        now = datetime.now(UTC)
        oldest = await self._shop.deliveries.oldest(connection.id)
        yield names.OLDEST_UNDELIVERED, _seconds(oldest or now, now), {}
        for outcome, count in (await self._shop.deliveries.waiting(connection.id)).items():
            yield names.DELIVERIES_WAITING, count, {names.OUTCOME: outcome}
        left, allowed = worker.credits()
        if left is not None and allowed is not None:
            yield names.CREDITS_LEFT, left, {}
            yield names.CREDITS_ALLOWED, allowed, {}
        heard = await self._shop.pulling.watches.last_heard(connection.id)
        if heard is not None:
            yield names.PUSH_AGE, _seconds(heard, now), {}
        for kind, pull in (await self._shop.pulling.pulls.of_connection(connection.id)).items():
            if pull.last_run_at is not None:
                yield names.PULL_AGE, _seconds(pull.last_run_at, now), {names.KIND: kind}


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
