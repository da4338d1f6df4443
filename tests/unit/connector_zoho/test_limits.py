"""How many calls at once, and what an edition bears."""

import asyncio

import pytest

from connector_zoho.limiter import RECOVERY_SECONDS, Limiter
from connector_zoho.organisations import Organisation, Organisations
from leadbus.connector.contract import Limits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def _most_at_once(limiter, tasks):
    busy = most = 0

    async def work():
        nonlocal busy, most
        async with limiter.slot():
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0)
            busy -= 1

    await asyncio.gather(*(work() for _ in range(tasks)))
    return most


async def test_no_more_calls_at_once_than_there_are_slots():
    assert await _most_at_once(Limiter(3), 20) == 3


async def test_after_a_429_there_are_half_as_many_and_they_come_back_one_by_one():
    clock = Clock()
    limiter = Limiter(8, clock)
    limiter.slow_down(began=0.0)
    clock.now = 1.0
    limiter.slow_down(began=0.0 - 1.0)  # sent before we knew
    assert await _most_at_once(limiter, 20) == 4
    clock.now = RECOVERY_SECONDS * 2
    assert await _most_at_once(limiter, 20) == 6
    limiter.slow_down(began=clock.now)
    assert limiter.allowed == 3
    clock.now += RECOVERY_SECONDS * 8
    assert limiter.allowed == 8


async def test_one_call_is_always_let_in():
    clock = Clock()
    limiter = Limiter(2, clock)
    for _ in range(5):
        limiter.slow_down(began=clock.now)
        clock.now += 0.1
    assert await _most_at_once(limiter, 5) == 1


async def test_who_gives_up_waiting_leaves_no_slot_behind():
    limiter = Limiter(1)
    async with limiter.slot():
        waiting = [asyncio.create_task(_most_at_once(limiter, 1)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # at the moment at which it was let in
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[2] == 1
    assert await _most_at_once(limiter, 3) == 1


def facts(paid_type, users=5, **license_):
    details = {"paid": True, "paid_type": paid_type, "users_license_purchased": users} | license_
    row = {"zgid": "20000000001", "time_zone": "Europe/Warsaw", "iso_code": "PLN", "license_details": details}
    return Organisation.of(row, {"id": "1", "email": "Ada@Example.Test"})


@pytest.mark.parametrize(
    ("paid_type", "users", "calls", "credits"),
    [
        ("free", 3, 5, 5_000),
        ("standard", 10, 10, 52_500),
        ("standard", 1_000, 10, 100_000),
        ("professional", 10, 10, 55_000),
        ("enterprise", 5, 10, 55_000),
        ("Zoho One", 5, 10, 55_000),
        ("ultimate", 100_000, 10, 200_050_000),
        ("one of tomorrow", 5, 5, None),
    ],
)
def test_the_edition_says_credits_and_calls_of_which_ten_at_most(paid_type, users, calls, credits):
    assert facts(paid_type, users).limits(7) == Limits(calls, credits, 7)


def test_a_trial_has_its_edition_and_what_is_missing_is_the_smallest():
    assert facts("free", trial_type="enterprise").edition == "enterprise"
    bare = Organisation.of({"zgid": "1"}, {})
    assert bare.limits(None) == Limits(5, 5_000, None)
    assert facts("enterprise").user_email == "ada@example.test"


def test_all_who_call_an_organisation_share_its_slots_until_the_last_leaves():
    organisations = Organisations()
    one, other = organisations.join("a"), organisations.join("a")
    assert one is other
    assert organisations.join("b") is not one
    organisations.leave("a")
    assert organisations.join("a") is one
    organisations.leave("a")
    organisations.leave("a")
    assert organisations.join("a") is not one
