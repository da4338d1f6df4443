"""Somebody edits a record in the CRM while Leadbus is about to write to it: both families tell versions."""

from collections.abc import AsyncIterator

import pytest
from dynamics_harness.crm import DynamicsUnderTest

from leadbus.messages import Message
from leadbus.testing.facts import activity
from leadbus.testing.house import House
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

IF_EMPTY = {"of": "lead", "field": "phone", "crm_field": "telephone1", "rule": "only_if_empty"}


@pytest.fixture(params=["9.2", "2015 Update 1"], ids=["web_api", "soap"])
async def scene(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Scene]:
    scene = Scene(house, DynamicsUnderTest(request.param))
    await scene.start()
    yield scene
    await scene.stop()


async def held_up(scene: Scene, *facts: Message) -> None:
    """Returns when Leadbus's write has reached the CRM, which does not carry it out until it behaves."""
    before = scene.crm.writes
    scene.crm.misbehave("hang", of="writes", times=1)
    await scene.tell(*facts)
    await until(lambda: scene.crm.writes > before, "a write")


async def test_what_somebody_enters_meanwhile_is_not_written_over(scene: Scene) -> None:
    await scene.connect(marketing_automation={"field_updates": True}, fields=[IF_EMPTY])
    ada = scene.somebody()
    key = scene.crm.put("lead", email=ada.email, last_name="Lovelace")
    await held_up(scene, ada.qualified(activity(), phone="1"))
    scene.crm.change("lead", key, phone="2")
    scene.crm.behave()
    await scene.settled(ada)
    assert scene.one("lead", ada)["phone"] == "2"
    assert len(scene.subjects(key)) == 1
    assert await scene.errors() == []


async def test_an_edit_of_something_else_stays_and_ours_is_written_after_all(scene: Scene) -> None:
    await scene.connect(marketing_automation={"field_updates": True})
    ada = scene.somebody()
    key = scene.crm.put("lead", email=ada.email, last_name="Lovelace", title="Clerk", phone="0")
    await held_up(scene, ada.qualified(activity(), phone="1"))
    scene.crm.change("lead", key, title="Countess")
    scene.crm.behave()
    await scene.settled(ada)
    row = scene.one("lead", ada)
    assert (row["phone"], row["title"]) == ("1", "Countess")
    assert await scene.errors() == []
