"""What a verb takes: as many calls as it sends at once, so that others go beside it, and credits by rows."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast, get_args

import pytest

from leadbus.connector.budget import Budget, Urgency
from leadbus.connector.budgeted import Budgeted
from leadbus.connector.capabilities import Capabilities, Verb
from leadbus.connector.contract import Adapter, NewActivity, NewPerson, PersonChange
from leadbus.connector.credits import CreditLedger
from leadbus.errors import RateLimited
from leadbus.messages import Record

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


class Metered:
    """Answers nothing to every verb; each costs a hundred credits a row."""

    capabilities = replace(CAPABILITIES, credits=dict.fromkeys(get_args(Verb), lambda rows: rows * 100))

    def __getattr__(self, verb: str) -> Any:
        async def answer(*_: Any) -> list[Any]:
            return []

        return answer


ROWS = [Record(module="Leads", id="1"), Record(module="Leads", id="2")]
PEOPLE = [NewPerson("1", "lead", "", {}, ""), NewPerson("2", "lead", "", {}, "")]
NOTES = [NewActivity(row.id, row, "note", "") for row in ROWS]
CALLS: dict[str, tuple[tuple[Any, ...], int]] = {
    "sign_in": ((), 1),
    "rights": ((), 1),
    "teams": ((), 1),
    "limits": ((), 1),
    "describe": (("lead",), 1),
    "watch": (("https://ingest.example/hooks/one",), 1),
    "find_by_email": ((ROWS,), 2),
    "find_accounts": ((ROWS,), 2),
    "read": ((ROWS,), 2),
    "create": ((PEOPLE,), 2),
    "convert": ((ROWS,), 2),
    "create_accounts": ((ROWS,), 2),
    "update": (([PersonChange(row) for row in ROWS],), 2),
    "add_activities": ((NOTES,), 2),
    "activities_of": ((ROWS,), 2),
    "changed": (("lead", None, None), 1),
    "members": (("list", None), 1),
}
ALWAYS = {"sign_in", "rights", "teams", "limits", "describe", "watch"}
FOR_NEW_LEADS = {"find_by_email", "find_accounts", "read", "create", "convert", "create_accounts"}


async def spent(verb: str, urgency: Urgency, left: int) -> int | None:
    """Credits that a verb took of 1,000 of which so many are left; None = it was refused."""
    now = datetime.now(UTC)
    ledger = CreditLedger(1_000, {now: 1_000 - left})
    budgeted = Budgeted(cast(Adapter, Metered()), Budget(8), urgency, ledger=ledger)
    try:
        await getattr(budgeted, verb)(*CALLS[verb][0])
    except RateLimited:
        return None
    return left - (ledger.left(now) or 0)


@pytest.mark.parametrize("verb", CALLS)
async def test_a_verb_costs_credits_by_its_rows(verb: str) -> None:
    assert await spent(verb, Urgency.DELIVERING, 1_000) == CALLS[verb][1] * 100


@pytest.mark.parametrize("verb", CALLS)
async def test_what_is_kept_for_new_leads_is_for_them_and_for_what_tells_what_is_left(verb: str) -> None:
    may = {urgency: await spent(verb, urgency, 200) is not None for urgency in Urgency}
    assert may[Urgency.DELIVERING] is (verb in ALWAYS | FOR_NEW_LEADS or CALLS[verb][1] == 1)
    assert may[Urgency.PULLING] is (verb in ALWAYS)


async def test_a_crm_whose_calls_cost_nothing_is_never_held_back() -> None:
    budgeted = Budgeted(cast(Adapter, Metered()), Budget(8), Urgency.PULLING)
    assert await budgeted.read(ROWS * 1_000) == []
