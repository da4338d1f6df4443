"""Web Logic Hooks: what happens in the CRM is posted a little later, once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.sugar import SugarCRM, desk


@pytest.fixture
async def hook(site: SugarCRM, rest: Any, receiver: Any) -> AsyncIterator[Any]:
    """Registers hooks on a module, for the time of a test."""
    made: list[str] = []

    async def register(module: str, event: str) -> None:
        fields = {"name": "acme", "webhook_target_module": module, "request_method": "POST"}
        fields |= {"url": f"{receiver.url}/sugar/7", "trigger_event": event}
        made.append((await rest.do("POST", "/WebLogicHooks", fields))["id"])

    yield register
    await rest.login()
    for key in made:
        await rest.do("DELETE", f"/WebLogicHooks/{key}")


async def test_a_changed_record_is_posted_with_what_changed(
    site: SugarCRM, rest: Any, legacy: Any, hook: Any, receiver: Any
) -> None:
    lead = await rest.do("POST", "/Leads", {"last_name": "Kot"})
    await hook("Leads", "after_save")
    await rest.do("PUT", f"/Leads/{lead['id']}", {"phone_work": "+48 600"})
    [(line, body)] = await receiver.expect(1)
    assert line == ["POST", "/sugar/7"]
    assert (body["isUpdate"], body["bean"], body["event"]) == (True, "Lead", "after_save")
    change = {"field_name": "phone_work", "data_type": "phone", "before": "", "after": "+48 600"}
    assert body["dataChanges"] == {"phone_work": change}
    assert (body["data"]["id"], body["data"]["deleted"]) == (lead["id"], False)
    # By whatever way it came.
    desk.create(site.store, "Leads", {"last_name": "Hand"})
    await legacy.do("set_entry", "Leads", {"last_name": "Legacy"})
    bodies = await receiver.expect(3)
    assert [body["data"]["last_name"] for _, body in bodies[1:]] == ["Hand", "Legacy"]
    assert bodies[1][1]["isUpdate"] is False


async def test_deletions_and_relationships_have_events_of_their_own(
    site: SugarCRM, rest: Any, hook: Any, receiver: Any
) -> None:
    for event in ("after_delete", "after_relationship_add", "after_relationship_delete"):
        await hook("Leads", event)
    lead = desk.create(site.store, "Leads", {"last_name": "A"})
    target_list = desk.create(site.store, "ProspectLists", {"name": "N"})
    path = f"/Leads/{lead}/link/prospect_lists/{target_list}"
    await rest.do("POST", path)
    await rest.do("DELETE", path)
    await rest.do("DELETE", f"/Leads/{lead}")
    bodies = [body for _, body in await receiver.expect(3)]
    assert [body["event"] for body in bodies] == [
        "after_relationship_add",
        "after_relationship_delete",
        "after_delete",
    ]
    assert (bodies[0]["related_module"], bodies[0]["related_id"]) == ("ProspectLists", target_list)
    assert bodies[2]["data"]["deleted"] is True


async def test_a_job_that_fails_is_not_sent_again(
    site: SugarCRM, rest: Any, hook: Any, receiver: Any
) -> None:
    await hook("Accounts", "after_save")
    receiver.status = 500
    await rest.do("POST", "/Accounts", {"name": "One"})
    await receiver.expect(1)
    await rest.do("POST", "/Accounts", {"name": "Two"})
    bodies = await receiver.expect(2)
    assert [body["data"]["name"] for _, body in bodies] == ["One", "Two"]
    assert site.store.value("SELECT count(*) FROM hook_jobs") == 0


async def test_only_an_administrator_has_hooks(site: SugarCRM, rest: Any) -> None:
    desk.add_user(site.store, "clerk", "clerk", last_name="Clerk")
    await rest.login(username="clerk", password="clerk")
    assert await rest.refused("GET", "/WebLogicHooks") == (403, "not_authorized")
    await rest.login()
