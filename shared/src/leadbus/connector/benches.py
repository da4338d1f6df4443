"""The benches of one organisation: one for each of its connections that is on and not refused."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pymongo.errors import PyMongoError

from leadbus.connector.allowance import Allowance
from leadbus.connector.bench import Bench, Turns, Way
from leadbus.connector.budget import Urgency
from leadbus.connector.budgeted import Budgeted
from leadbus.connector.campaigning.campaigning import Campaigning
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.delivering.catching_up import CatchingUp
from leadbus.connector.delivering.context import Context
from leadbus.connector.delivering.workoff import WorkOff
from leadbus.connector.door import Doors, refused_to_another
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.pulling import Pulling
from leadbus.connector.settings.lists import pushes
from leadbus.connector.workshop import Workshop
from leadbus.errors import LeadbusError

BeginTurns = Callable[[Bench, Way, Turns], asyncio.Task[None]]


class Benches:
    """See the module. A bench lives as long as its connection's settings; the allowance is shared by all."""

    def __init__(
        self, organisation_id: str, shop: Workshop, holds_lease: Callable[[], bool], begin_turns: BeginTurns
    ) -> None:
        self.by_connection: dict[str, Bench] = {}
        self.allowance: Allowance | None = None
        self._organisation_id = organisation_id
        self._shop = shop
        self._holds_lease = holds_lease
        self._begin_turns = begin_turns
        self._campaigns = asyncio.Lock()
        self._doors = Doors()

    async def open_now(self) -> list[Bench]:
        """Those to be worked now: opens and closes benches as settings and health have changed."""
        open_now: list[Bench] = []
        connections = await self._shop.connections.of_organisation(self._organisation_id)
        for connection in connections:
            bench = self.by_connection.get(connection.id)
            works = connection.on and connection.health.state is not HealthState.REFUSED
            refused = refused_to_another(connection, connections) if works else None
            if refused is not None:
                works = False
                await self._shop.connections.report_health(connection, refused)
            if bench is not None and not (works and bench.connection.revision == connection.revision):
                if bench.batches:  # its end comes back here
                    continue
                await self.by_connection.pop(connection.id).close()
                bench = None
            if works:
                bench = bench or await self._open(connection)
            if bench is not None:
                open_now.append(bench)
        return open_now

    def ring(self) -> None:
        """Something is due of campaigns."""
        for bench in self.by_connection.values():
            if bench.campaigns is not None:
                bench.campaigns.ring()

    async def close(self) -> None:
        """Ends pulls and sessions, and keeps what was spent, unless another pod may keep it by now."""
        await asyncio.gather(*(bench.close() for bench in self.by_connection.values()))
        if self.allowance is not None and self._holds_lease():
            await self.allowance.save(at_once=True)

    async def _open(self, connection: Connection) -> Bench | None:
        """None if its address may not be called, or not now; its health says so."""
        try:
            connection.require_readable()
            adapter = await self._shop.adapter_for(connection)
        except LeadbusError as error:
            if connection.health.reason != str(error):
                health = Health(HealthState.TROUBLE, str(error), datetime.now(UTC))
                await self._shop.connections.report_health(connection, health)
            return None
        if self.allowance is None:
            try:
                self.allowance = await Allowance.of(
                    self._organisation_id, adapter.capabilities, self._shop.credits
                )
            except PyMongoError:
                await adapter.close()
                raise
        allowance, door = self.allowance, self._doors.of(connection)

        def budgeted(urgency: Urgency, *, proves: bool = True) -> Budgeted:
            return Budgeted(
                adapter,
                allowance.budget,
                urgency,
                ledger=allowance.ledger,
                enter=lambda: door.through(connection.id, proves=proves),
                holds_lease=self._holds_lease,
            )

        context = Context(
            connection=connection,
            adapter=budgeted(Urgency.DELIVERING),
            links=self._shop.links,
            mirror=self._shop.pulling.mirror,
            deliveries=self._shop.deliveries,
            asked=self._shop.pulling.asked,
            campaigns=self._shop.pulling.campaigns,
            members=self._shop.pulling.members,
            fields=FieldMap.of(connection.settings, adapter.capabilities),
            holds_lease=self._holds_lease,
        )
        asking = budgeted(Urgency.PULLING, proves=False)  # an adapter may know without a call
        scores = replace(context, adapter=budgeted(Urgency.SCORES), writes_scores=True)
        bench = Bench(connection, adapter, WorkOff(context), WorkOff(scores), lambda: allowance.ask(asking))
        self.by_connection[connection.id] = bench
        pulling = Pulling(connection, budgeted(Urgency.PULLING), self._shop.pulling)
        bench.tasks.append(self._begin_turns(bench, bench.pulling, pulling))
        catching_up = CatchingUp(connection, self._shop.connections, self._shop.deliveries)
        bench.tasks.append(self._begin_turns(bench, Way(), catching_up))
        tells = connection.settings.campaigns != "none" and adapter.capabilities.campaigns
        if tells or pushes(connection.settings.lists):
            bench.campaigns = Campaigning(
                connection, context.adapter, context.campaigns, context.deliveries, self._campaigns
            )
            bench.tasks.append(self._begin_turns(bench, bench.campaigning, bench.campaigns))
        return bench
