"""How many calls at once one CRM organisation bears, and who goes first when it is busy.

All connections of an organisation share one budget; it counts verbs by the calls that each may make at
once, because an adapter spreads the rows of one verb over its sessions.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from enum import IntEnum
from itertools import count
from typing import Literal

from leadbus.connector.capabilities import PEOPLE, Capabilities, Kind
from leadbus.connector.contract import (
    Account,
    Adapter,
    Created,
    FieldInfo,
    Finding,
    NewAccount,
    NewActivity,
    NewPerson,
    Outcome,
    Page,
    Person,
    PersonChange,
    Row,
)
from leadbus.errors import Fenced
from leadbus.messages import Record


class Urgency(IntEnum):
    """Who goes first: deliveries, then pulls."""

    DELIVERING = 0
    PULLING = 1


class Budget:
    """slots: calls at once.

    Where there are several, nothing takes all of them, so that a large batch need not wait for a pull's page
    to end; and pulls leave one free for a lead that comes meanwhile.
    """

    def __init__(self, slots: int) -> None:
        self.slots = max(1, slots)
        self._free = self.slots
        self._waiting: list[tuple[Urgency, int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    @asynccontextmanager
    async def take(self, calls: int, urgency: Urgency) -> AsyncIterator[None]:
        """Room for so many calls, as many as there can be."""
        calls = min(max(1, calls), max(1, self.slots - 1))
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), calls, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(calls)
            self._admit()  # who comes after one that gave up may need less
            raise
        try:
            yield
        finally:
            self._give_back(calls)

    def _give_back(self, calls: int) -> None:
        self._free += calls
        self._admit()

    def _admit(self) -> None:
        """Strictly in order, so that what needs much room is not passed over for ever."""
        while self._waiting:
            urgency, _, calls, turn = self._waiting[0]
            spare = 1 if urgency is Urgency.PULLING and self.slots > 1 else 0
            if turn.cancelled():
                heapq.heappop(self._waiting)
            elif calls + spare <= self._free:
                heapq.heappop(self._waiting)
                self._free -= calls
                turn.set_result(None)
            else:
                return


class Budgeted:
    """An adapter that makes its calls within the organisation's budget; implements `Adapter`.

    enter: the way in, taken for each call. holds_lease: whether this pod still works the organisation; asked
    once there is room, as waiting for it may have taken longer than a lease lasts.
    """

    def __init__(
        self,
        adapter: Adapter,
        budget: Budget,
        urgency: Urgency,
        *,
        enter: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        holds_lease: Callable[[], bool] = lambda: True,
    ) -> None:
        self._adapter = adapter
        self._budget = budget
        self._urgency = urgency
        self._enter = enter
        self._holds_lease = holds_lease
        self.capabilities: Capabilities = adapter.capabilities

    @asynccontextmanager
    async def _room(self, calls: int = 1) -> AsyncIterator[None]:
        """Raises Fenced if another pod may work this organisation by now."""
        calls = min(calls, self.capabilities.calls_per_verb or calls)
        async with self._enter(), self._budget.take(calls, self._urgency):
            if not self._holds_lease():
                raise Fenced("Another pod may work this CRM organisation by now.")
            yield

    def _pages(self, rows: int) -> int:
        return -(-rows // self.capabilities.rows_per_read)

    def _writes(self, rows: int) -> int:
        return -(-rows // self.capabilities.fewest_rows_per_write)

    async def sign_in(self) -> list[Finding]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.sign_in()

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.rights()

    async def teams(self) -> list[str]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.teams()

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.describe(kind)

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. Every kind of person is a module of its own."""
        async with self._room(self._pages(len(emails)) * len(PEOPLE)):
            return await self._adapter.find_by_email(emails)

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        async with self._room(self._pages(len(names))):
            return await self._adapter.find_accounts(names)

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`."""
        async with self._room(self._pages(len(records)) + len({r.module for r in records}) - 1):
            return await self._adapter.read(records)

    async def changed(self, kind: Kind, since: datetime | None, page: str | None) -> Page[Row]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.changed(kind, since, page)

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`."""
        async with self._room():
            return await self._adapter.members(list_id, page)

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """See `Adapter`. Rows are spread over several calls, as writing is what takes long."""
        async with self._room(self._writes(len(people))):
            return await self._adapter.create(people)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        async with self._room(self._writes(len(changes))):
            return await self._adapter.update(changes)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """See `Adapter`."""
        async with self._room(self._writes(len(accounts))):
            return await self._adapter.create_accounts(accounts)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Outcome]:
        """See `Adapter`."""
        async with self._room(self._writes(len(activities))):
            return await self._adapter.add_activities(activities)

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """See `Adapter`."""
        return self._adapter.interpret(body, content_type)

    def url_of(self, record: Record) -> str:
        """See `Adapter`."""
        return self._adapter.url_of(record)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._adapter.close()
