"""A CRM that pushes only where it is asked to: asked again in time, and what it missed is read."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadbus.connector.api.progress import progress_of
from leadbus.connector.contract import Watch
from leadbus.connector.pulling import watching
from leadbus.connector.stores.watches import Watched
from leadbus.errors import RateLimited, Rejected

HOOK = "https://ingest.example/hooks/one/token"
WEEK = timedelta(days=7)
DAILY = {"every_seconds": 86_400}
KINDS = ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list", "comparison")
SCHEDULES = dict.fromkeys(KINDS) | {"lead": DAILY, "list": DAILY}


@dataclass
class Pushes:
    """How the CRM answers. watched: every address it was asked to push to."""

    watched: list[str] = field(default_factory=list)
    life: timedelta = WEEK
    gap: bool = False
    fails: Exception | None = None

    async def watch(self, url: str) -> Watch:
        self.watched.append(url)
        if self.fails is not None:
            raise self.fails
        return Watch(datetime.now(UTC) + self.life, self.gap)


def settings_of(reading: Any, push_to: str | None) -> Any:
    """Of a connection whose CRM is asked to push there."""
    kind = type(reading.connection.settings)
    pushed = type("Pushed", (kind,), {"push_to": property(lambda _: push_to)})
    return pushed(connection_id="one", tenant_id="acme", access={}, schedules=SCHEDULES)


@pytest.fixture
async def pushes() -> Pushes:
    return Pushes()


@pytest.fixture
async def pushed(reading: Any, pushes: Pushes) -> Any:
    """Read once, and watched ever since."""
    reading.crm.watch = pushes.watch
    reading.crm.capabilities = replace(reading.crm.capabilities, watches=True)
    reading.connection = replace(reading.connection, settings=settings_of(reading, HOOK))
    reading.crm.person("lead", "l1", "ann@example.com")
    await reading.turns()
    assert pushes.watched == [HOOK]
    reading.crm.asked.clear()
    return reading


def caught_up(reading: Any) -> list[str]:
    """Kinds whose changes were read since last asked."""
    kinds = [kind for kind, since, _ in reading.crm.asked if since is not None]
    reading.crm.asked.clear()
    return kinds


async def test_it_is_asked_at_each_beginning_and_no_more_than_daily(pushed: Any, pushes: Pushes) -> None:
    pulling = pushed.pulling()
    await pulling.turn()
    await pulling.turn()
    assert pushes.watched == [HOOK, HOOK]
    assert caught_up(pushed) == []  # nothing was missed meanwhile
    kept = await pushed.shop.watches.of("one")
    assert kept.until - datetime.now(UTC) > WEEK - timedelta(minutes=1)
    assert HOOK not in str(kept)
    since = await pushed.shop.watches.last_heard("one")
    assert since is not None  # from then on, silence tells something
    await pushed.pulling().turn()
    assert await pushed.shop.watches.last_heard("one") == since


async def test_it_is_asked_again_when_half_of_what_it_agreed_to_is_over(
    pushed: Any, pushes: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "TRY_AGAIN", timedelta())
    pushes.life = timedelta(seconds=1)
    pulling = pushed.pulling()
    await pulling.turn()
    await asyncio.sleep(0.1)
    await pulling.turn()
    assert len(pushes.watched) == 2
    await asyncio.sleep(0.5)
    pushes.life = WEEK
    await pulling.turn()
    assert len(pushes.watched) == 3


async def test_it_is_asked_again_after_a_day_however_long_it_agreed_to(
    pushed: Any, pushes: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "TRY_AGAIN", timedelta())
    monkeypatch.setattr(watching, "RENEW_EVERY", timedelta(seconds=0.3))
    pulling = pushed.pulling()
    await pulling.turn()
    await pulling.turn()
    assert len(pushes.watched) == 2
    await asyncio.sleep(0.35)
    await pulling.turn()
    assert len(pushes.watched) == 3


async def test_changes_are_read_at_once_after_a_gap(pushed: Any, pushes: Pushes) -> None:
    pushed.crm.person("lead", "l2", "bob@example.com")
    pushes.gap = True
    news = await pushed.turns()
    assert [event.record.id for event in news] == ["l2"]
    assert caught_up(pushed) == ["lead"]


async def test_changes_are_read_after_it_ran_out_and_after_the_connection_was_off(
    pushed: Any, pushes: Pushes
) -> None:
    kept = await pushed.shop.watches.of("one")
    await pushed.shop.watches.save(replace(kept, until=datetime.now(UTC) - timedelta(seconds=1)))
    await pushed.turns()
    assert caught_up(pushed) == ["lead"]
    pushed.connection = replace(pushed.connection, revision=3)
    await pushed.turns()
    assert caught_up(pushed) == ["lead"]
    await pushed.turns()
    assert caught_up(pushed) == []


async def test_a_refusal_is_told_and_tried_again_while_reading_goes_on(
    pushed: Any, pushes: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "TRY_AGAIN", timedelta())
    pushes.fails = Rejected("Zoho pushes to https addresses only.")
    pushed.crm.person("lead", "l2", "bob@example.com")
    await pushed.shop.asked.kinds("one", ["lead"], full=False)
    pulling = pushed.pulling()
    await pulling.turn()
    assert [event.record.id for event in pushed.news()] == ["l2"]

    async def told() -> set[str]:
        return {progress.error for progress in await progress_of(pushed.connection, pushed.shop)}

    (warning,) = await told()
    assert warning.startswith("The CRM does not push changes to Leadbus")
    assert warning.endswith("https addresses only.")
    pushes.fails = None
    await pulling.turn()
    assert await told() == {""}


async def test_a_crm_that_wants_to_be_left_in_peace_is(pushed: Any, pushes: Pushes) -> None:
    pushes.fails = RateLimited("Too many calls.", 60)
    with pytest.raises(RateLimited):
        await pushed.pulling().turn()
    assert pushed.crm.asked == []


async def test_nobody_is_asked_without_an_address_or_where_a_person_enters_it(
    pushed: Any, pushes: Pushes
) -> None:
    pushed.crm.capabilities = replace(pushed.crm.capabilities, watches=False)
    await pushed.turns()
    pushed.crm.capabilities = replace(pushed.crm.capabilities, watches=True)
    pushed.connection = replace(pushed.connection, settings=settings_of(pushed, None))
    await pushed.shop.watches.save(Watched("one", warning="of former times"))
    await pushed.turns()
    assert len(pushes.watched) == 1
    assert {progress.error for progress in await progress_of(pushed.connection, pushed.shop)} == {""}
