"""Notices within a minute who has cooled, without looking at everybody: by `Prospect.cools_at`."""

import asyncio
import time
from collections.abc import Callable, Collection

from leadbus.consuming.records import Effects
from scoring.connections import Connections
from scoring.prospect import Key
from scoring.reviewing import reviewed
from scoring.rounds import Owner, Rounds
from scoring.rules_store import RulesStore
from scoring.store import ProspectStore

LOOK_EVERY = 20.0
"""Seconds."""


class Cooler(Rounds):
    """Looks at the prospects of owned partitions whose time to cool may have come. A `Part`."""

    def __init__(
        self,
        owner: Owner,
        prospects: ProspectStore,
        rules: RulesStore,
        connections: Connections,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__("cooler", self.look, lambda: asyncio.sleep(LOOK_EVERY))
        self._owner = owner
        self._prospects = prospects
        self._rules = rules
        self._connections = connections
        self._now = now

    async def look(self) -> None:
        """Once over all owned partitions.

        Raises:
            Fenced: a partition moved on; PyMongoError: MongoDB is away.
        """
        at = int(self._now() * 1000)
        partitions = self._owner.partitions
        # Whoever has been looked at is due later than now, or not at all.
        while due := await self._prospects.due(partitions, at):
            await self._owner.transact(partitions, lambda: self._review(due))

    async def _review(self, keys: Collection[Key]) -> Effects:
        rules = await self._rules.of({key.tenant_id for key in keys})
        known = await self._prospects.load(keys)
        return reviewed(self._prospects, known.values(), rules, self._connections, int(self._now() * 1000))
