"""In front of scoring's handler: what was said before its person was erased stays out, and what services say
of erasures is noted."""

from collections.abc import Collection, Hashable, Sequence

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.consuming.records import Effects, Keeper, Received
from leadbus.erasing.tombstones import Tombstones
from leadbus.messages import ProspectForgotten
from scoring.erasures import Confirmed, MongoErasures, time_of


class ConfirmingHandler:
    """Wraps a `leadbus.consuming.records.Keeper`, and is one."""

    def __init__(self, inner: Keeper, tombstones: Tombstones, erasures: MongoErasures) -> None:
        self._inner = inner
        self._tombstones = tombstones
        self._erasures = erasures

    def forget(
        self, partitions: Collection[int] | None = None, keys: Collection[Hashable] | None = None
    ) -> None:
        """See `leadbus.consuming.records.Keeper`."""
        self._tombstones.forget()
        self._inner.forget(partitions, keys)

    def knows(self, topic: str, value: bytes) -> bool:
        """See `leadbus.consuming.records.Keeper`."""
        return self._inner.knows(topic, value)

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `leadbus.consuming.Handler`."""
        said = [
            (message.erasure_id, message.tenant_id, Confirmed(message.prospect_id, message.service, at))
            for received in batch
            if isinstance(message := received.message, ProspectForgotten)
            for at in [time_of(received.at)]
        ]
        if said:
            batch = [received for received in batch if not isinstance(received.message, ProspectForgotten)]
        effects = await self._inner.handle(await self._tombstones.without_older(batch))
        if not said:
            return effects
        write = effects.write

        async def both(session: AsyncClientSession) -> None:
            await write(session)
            await self._erasures.confirm(said, session)

        return Effects(both, effects.publish)
