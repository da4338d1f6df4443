"""The consumer's side: `prospects.erased` is carried out in the batch's transaction, and confirmed."""

from collections.abc import Sequence

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Effects, Handler, Received
from leadbus.erasing.holdings import Holdings, Person, erase
from leadbus.erasing.tombstones import Tombstones, person_of, said_at
from leadbus.ids import derived_id
from leadbus.messages import ProspectErased, ProspectForgotten
from leadbus.publishing import Outgoing
from leadbus.storage.mongo import Document
from leadbus.topics import PROSPECTS_FORGOTTEN


class ErasingHandler:
    """Wraps a service's handler, which may meet a `ProspectErased` in a batch, before all else: it knows
    nothing of the person then, whatever MongoDB still holds. What was said before is not handed on at all.

    Not for a handler that keeps its state: what it keeps would have to go too.
    """

    def __init__(
        self,
        inner: Handler,
        *,
        service: str,
        database: AsyncDatabase[Document],
        tombstones: Tombstones,
        holdings: Holdings,
    ) -> None:
        self._inner = inner
        self._service = service
        self._database = database
        self._tombstones = tombstones
        self._holdings = holdings

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `leadbus.consuming.Handler`."""
        self._tombstones.forget()  # partitions move, and nothing says so here
        left = await self._tombstones.without_older(batch)
        # One that is older than another is not carried out again, but confirmed all the same.
        asked = [message for r in batch if isinstance(message := r.message, ProspectErased)]
        if not asked:
            return await self._inner.handle(left)
        erased = {
            person: r for r in left if isinstance(r.message, ProspectErased) and (person := person_of(r))
        }
        effects = await self._inner.handle(_following(left, erased))
        write = effects.write

        async def both(session: AsyncClientSession) -> None:
            for person in erased:
                await erase(self._database, self._holdings, person, session)
            await write(session)
            await self._tombstones.bury({person: r.at for person, r in erased.items()}, session)

        return Effects(both, [*effects.publish, *(confirmed(each, self._service) for each in asked)])


def confirmed(asked: ProspectErased, service: str) -> Outgoing:
    """That the service holds nothing of the prospect any more."""
    return Outgoing.of(
        PROSPECTS_FORGOTTEN,
        ProspectForgotten(
            event_id=derived_id("forgotten", service, asked.event_id),
            tenant_id=asked.tenant_id,
            prospect_id=asked.prospect_id,
            occurred_at=asked.occurred_at,
            erasure_id=asked.erasure_id,
            service=service,
        ),
    )


def _following(batch: Sequence[Received], erased: dict[Person, Received]) -> list[Received]:
    """Of those who are erased, the last `ProspectErased`, and then what is later than that."""

    def stays(received: Received) -> bool:
        person = person_of(received)
        erasing = erased.get(person) if person else None
        return erasing is None or (said_at(received) > erasing.at and received is not erasing)

    return [*erased.values(), *filter(stays, batch)]
