"""Whom somebody has erased while a worker had them in hand: what it has noted of them since goes, too."""

from collections.abc import Iterable, Sequence

from pymongo.asynchronous.database import AsyncDatabase

from leadbus.connector.delivering.work import Work
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.holdings import ConnectorHoldings
from leadbus.erasing.holdings import Person, erase_found
from leadbus.erasing.tombstones import Tombstones
from leadbus.messages import Record
from leadbus.storage.mongo import Document


class Sparing:
    """Looks once for a whole batch. A person that became known anew since keeps what is owed to it."""

    def __init__(self, database: AsyncDatabase[Document], service: str, connections: Connections) -> None:
        self._database = database
        self._tombstones = Tombstones(database, service)
        self._holdings = ConnectorHoldings(database, service, connections)

    async def left(self, works: Sequence[Work]) -> list[Work]:
        """Those that are still owed. Times are the broker's on both sides: no clock of ours decides."""
        self._tombstones.forget()  # another pod's consumer may have erased somebody
        erased = await self._tombstones.of({_person(work) for work in works})
        if not erased:
            return list(works)
        gone = [work for work in works if work.delivery.first_said <= erased.get(_person(work), -1)]
        for work in gone:
            await erase_found(self._database, await self._holdings.noted(_person(work), _records(work)))
        return [work for work in works if work not in gone]


def _person(work: Work) -> Person:
    return Person(work.delivery.tenant_id, work.delivery.prospect_id)


def _records(work: Work) -> Iterable[Record]:
    """Also those that the worker alone knows of by now."""
    if work.link is not None:
        yield from (work.link.record, *work.link.earlier)
    if work.person is not None:
        yield work.person.record
