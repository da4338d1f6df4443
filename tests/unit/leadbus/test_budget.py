"""An organisation's budget of calls: never exceeded, deliveries before pulls, nobody passed over."""

import asyncio
from typing import Any, cast

import pytest

from leadbus.connector.budget import Budget, Urgency
from leadbus.connector.budgeted import Budgeted
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.contract import Adapter
from leadbus.errors import Fenced

DELIVERING, PULLING = Urgency.DELIVERING, Urgency.PULLING


class Holder:
    """Takes room, says so, and keeps it until told."""

    def __init__(self, budget: Budget, calls: int, urgency: Urgency = DELIVERING) -> None:
        self.has_room = False
        self._done = asyncio.Event()
        self.task = asyncio.create_task(self._hold(budget, calls, urgency))

    async def _hold(self, budget: Budget, calls: int, urgency: Urgency) -> None:
        async with budget.take(calls, urgency):
            self.has_room = True
            await self._done.wait()

    async def end(self) -> None:
        self._done.set()
        await asyncio.wait([self.task])


async def holding(*holders: Holder) -> list[bool]:
    for _ in range(5):
        await asyncio.sleep(0)
    return [holder.has_room for holder in holders]


async def test_calls_at_once_stay_within_the_budget_and_wait_their_turn() -> None:
    budget = Budget(8)
    first, second, third = Holder(budget, 5), Holder(budget, 5), Holder(budget, 1)
    assert await holding(first, second, third) == [True, False, False]  # the small one does not slip past
    await first.end()
    assert await holding(second, third) == [True, True]
    await asyncio.gather(second.end(), third.end())


async def test_more_calls_than_there_is_room_for_take_what_there_is_and_leave_one_place() -> None:
    budget = Budget(8)
    large, small = Holder(budget, 400), Holder(budget, 1)
    assert await holding(large, small) == [True, True]
    await asyncio.gather(large.end(), small.end())
    only = Budget(1)
    first, second = Holder(only, 400), Holder(only, 1)
    assert await holding(first, second) == [True, False]
    await first.end()
    assert await holding(second) == [True]
    await second.end()


async def test_pulls_leave_room_for_a_lead_and_wait_behind_deliveries() -> None:
    budget = Budget(3)
    pulls = [Holder(budget, 1, PULLING) for _ in range(3)]
    assert await holding(*pulls) == [True, True, False]
    lead = Holder(budget, 1)
    assert await holding(lead) == [True]
    waiting = Holder(budget, 1)
    await pulls[0].end()
    assert await holding(pulls[2], waiting) == [False, True]
    await asyncio.gather(lead.end(), waiting.end(), pulls[1].end())
    assert await holding(pulls[2]) == [True]
    await pulls[2].end()


async def test_whoever_gives_up_waiting_or_fails_leaves_its_room_to_others() -> None:
    budget = Budget(2)
    first, gave_up = Holder(budget, 1), Holder(budget, 1)
    third = Holder(budget, 1)
    assert await holding(first, gave_up, third) == [True, True, False]
    third.task.cancel()
    fourth = Holder(budget, 1)
    gave_up.task.cancel()
    assert await holding(fourth) == [True]
    await asyncio.gather(first.end(), fourth.end())
    last = Holder(budget, 1)
    assert await holding(last) == [True]
    await last.end()


async def test_who_comes_after_one_that_gave_up_need_not_wait_for_somebody_to_end() -> None:
    budget = Budget(3)
    first, large, small = Holder(budget, 2), Holder(budget, 2), Holder(budget, 1)
    assert await holding(first, large, small) == [True, False, False]
    large.task.cancel()
    assert await holding(small) == [True]
    await asyncio.gather(first.end(), small.end())


async def test_nothing_is_written_if_the_lease_ran_out_while_waiting_for_room() -> None:
    written: list[object] = []

    class Crm:
        capabilities = Capabilities(
            crm="any",
            modules={},
            fields={},
            required={},
            new_lead_status="",
            rows_per_write=1,
            rows_per_read=1,
            concurrent_calls=1,
            own_ids=True,
        )

        async def update(self, changes: Any) -> None:
            written.append(changes)

    budget, holds_lease = Budget(1), True
    crm = Budgeted(cast(Adapter, Crm()), budget, DELIVERING, holds_lease=lambda: holds_lease)
    slow = Holder(budget, 1)
    assert await holding(slow) == [True]
    late = asyncio.create_task(crm.update([]))
    await asyncio.sleep(0)
    holds_lease = False
    await slow.end()
    with pytest.raises(Fenced):
        await late
    assert written == []
    holds_lease = True
    await crm.update([])  # the room was given back
    assert written == [[]]


async def test_new_leads_go_before_other_deliveries_and_these_before_pulls() -> None:
    budget = Budget(1)
    busy = Holder(budget, 1)
    pull, update, lead = (Holder(budget, 1, u) for u in (PULLING, DELIVERING, Urgency.NEW_LEADS))
    assert await holding(busy, pull, update, lead) == [True, False, False, False]
    await busy.end()
    assert await holding(pull, update, lead) == [False, False, True]
    await lead.end()
    assert await holding(pull, update) == [False, True]
    await update.end()
    assert await holding(pull) == [True]
    await pull.end()


async def test_a_budget_that_grows_lets_more_in_at_once() -> None:
    budget = Budget(2)
    first, second, third = (Holder(budget, 1) for _ in range(3))
    assert await holding(first, second, third) == [True, True, False]
    budget.resize(3)
    assert await holding(third) == [True]
    await asyncio.gather(first.end(), second.end(), third.end())


async def test_a_budget_that_shrinks_waits_for_what_is_under_way_and_holds_up_nobody_for_ever() -> None:
    budget = Budget(8)
    first, second, large = Holder(budget, 3), Holder(budget, 4), Holder(budget, 6)
    assert await holding(first, second, large) == [True, True, False]
    budget.resize(2)
    small = Holder(budget, 1)
    await first.end()
    assert await holding(large, small) == [False, False]
    await second.end()
    assert await holding(large, small) == [True, True]  # the large one has become as large as can be
    late = Holder(budget, 1)
    assert await holding(late) == [False]
    await asyncio.gather(large.end(), small.end())
    assert await holding(late) == [True]
    await late.end()
