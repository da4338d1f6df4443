"""What a verb takes of the budget: as many calls as it sends at once, so that others go beside it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from leadbus.connector.budget import Budget, Budgeted, Urgency
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.contract import Adapter

CAPABILITIES = Capabilities(
    crm="any",
    modules={},
    fields={},
    required={},
    new_lead_status="",
    rows_per_write=50,
    rows_per_read=200,
    concurrent_calls=8,
    own_ids=True,
    calls_per_verb=4,
    fewest_rows_per_write=10,
)


@dataclass
class Crm:
    """Holds every verb until told; `under_way` are those that were let in."""

    capabilities: Capabilities = CAPABILITIES
    under_way: list[int] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def create(self, people: Any) -> list[Any]:
        self.under_way.append(len(people))
        await self.done.wait()
        return []


async def under_way(*rows: int) -> list[int]:
    """Verbs with so many rows, asked for in this order: those that go at once, of 8 calls."""
    crm = Crm()
    budgeted = Budgeted(cast(Adapter, crm), Budget(8), Urgency.DELIVERING)
    verbs = [asyncio.create_task(budgeted.create(cast(Any, range(count)))) for count in rows]
    for _ in range(5):
        await asyncio.sleep(0)
    crm.done.set()
    let_in = list(crm.under_way)
    await asyncio.gather(*verbs)
    return let_in


async def test_two_large_verbs_go_side_by_side_and_a_third_waits() -> None:
    assert await under_way(200, 400, 1) == [200, 400]


async def test_a_verb_of_few_rows_takes_no_more_than_its_few_calls() -> None:
    assert await under_way(20, 21, 10, 1, 10) == [20, 21, 10, 1, 10]
    assert await under_way(20, 21, 10, 1, 10, 1) == [20, 21, 10, 1, 10]
