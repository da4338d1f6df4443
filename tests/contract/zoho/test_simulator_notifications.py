"""Notification channels: opened, kept, changed, run out; and the callbacks they bring."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.zoho import Zoho

CHANNEL = "1000000068001"


def after(**how: float) -> str:
    return (datetime.now(UTC) + timedelta(**how)).isoformat(timespec="seconds")


def wish(**how: Any) -> dict[str, Any]:
    usual = {
        "channel_id": CHANNEL,
        "events": ["Leads.all"],
        "channel_expiry": after(days=6),
        "token": "verify",
        "notify_url": "https://hooks.example.test/zoho",
        "notify_on_related_action": False,
    }
    return {"watch": [{name: value for name, value in (usual | how).items() if value is not None}]}


async def outcome(api: Any, method: str, body: Any, version: str = "v8") -> tuple[int, dict[str, Any]]:
    answer = await api.ask(method, f"/crm/{version}/actions/watch", body)
    [row] = answer.json()["watch"]
    return answer.status_code, row


async def listed(api: Any, query: str = "") -> list[dict[str, Any]]:
    answer = await api.ask("GET", f"/actions/watch{query}")
    return [] if answer.status_code == 204 else answer.json()["watch"]


@pytest.fixture
async def opened(api: Any, receiver: Any) -> dict[str, Any]:
    """A channel to the receiver on all modules that matter."""
    url = f"{receiver.url}/hooks/7?tenant=7&kind=crm"
    events = [f"{module}.all" for module in ("Leads", "Contacts", "Tasks")]
    body = wish(events=events, notify_url=url, return_affected_field_values=True)
    status, row = await outcome(api, "POST", body)
    assert status == 201, row
    return row


async def test_a_channel_lives_as_long_as_it_says_but_no_longer_than_a_week(api: Any) -> None:
    async def seconds(expiry: str | None, version: str = "v8") -> float:
        _, row = await outcome(api, "POST", wish(channel_expiry=expiry), version)
        until = datetime.fromisoformat(row["details"]["events"][0]["channel_expiry"])
        return (until - datetime.now(UTC)).total_seconds()

    hour, day = 3_600, 86_400
    assert await seconds(after(days=6)) == pytest.approx(6 * day, abs=5)
    for fallen_back in (after(days=8), None, after(days=-1)):
        assert await seconds(fallen_back) == pytest.approx(hour, abs=5)
    assert await seconds(after(days=6), "v3") == pytest.approx(hour, abs=5)
    assert await seconds(after(hours=20), "v3") == pytest.approx(20 * hour, abs=5)


@pytest.mark.parametrize(
    ("how", "code", "path"),
    [
        ({"channel_id": None}, "MANDATORY_NOT_FOUND", "channel_id"),
        ({"channel_id": "abc"}, "INVALID_DATA", "channel_id"),
        ({"events": None}, "MANDATORY_NOT_FOUND", "events"),
        ({"events": ["Leads.all", "Nothing.all"]}, "INVALID_DATA", "events[1]"),
        ({"events": ["Leads.convert"]}, "INVALID_DATA", "events[0]"),
        ({"notify_url": None}, "MANDATORY_NOT_FOUND", "notify_url"),
        ({"notify_url": "ftp://x.test"}, "INVALID_DATA", "notify_url"),
        ({"token": "x" * 51}, "INVALID_DATA", "token"),
        ({"channel_expiry": "tomorrow"}, "INVALID_DATA", "channel_expiry"),
        ({"notification_condition": [{"module": "Leads"}]}, "INVALID_DATA", "notification_condition"),
    ],
)
async def test_what_cannot_be_a_channel_is_refused(
    api: Any, how: dict[str, Any], code: str, path: str
) -> None:
    status, row = await outcome(api, "POST", wish(**how))
    assert (status, row["code"], row["details"]["json_path"]) == (400, code, f"$.watch[0].{path}")
    assert await listed(api) == []


async def test_good_and_bad_channels_in_one_call_have_outcomes_of_their_own(api: Any) -> None:
    body = {"watch": [*wish()["watch"], *wish(channel_id="2", token="x" * 51)["watch"]]}
    answer = await api.ask("POST", "/actions/watch", body)
    assert (answer.status_code, [row["code"] for row in answer.json()["watch"]]) == (
        207,
        ["SUCCESS", "INVALID_DATA"],
    )


async def test_replacing_loses_what_is_not_said_and_changing_keeps_it(api: Any) -> None:
    await outcome(api, "POST", wish(events=["Leads.all", "Contacts.create"]))
    status, row = await outcome(
        api, "PATCH", {"watch": [{"channel_id": CHANNEL, "events": ["Deals.edit"], "token": "new"}]}
    )
    assert (status, row["message"]) == (200, "Successfully updated the subscribe details")
    kept = {one["resource_name"]: one for one in await listed(api)}
    assert kept.keys() == {"Leads", "Contacts", "Deals"}
    assert {one["token"] for one in kept.values()} == {"new"}
    assert kept["Deals"]["notify_url"] == "https://hooks.example.test/zoho"
    await outcome(api, "PUT", wish(events=["Leads.edit"], token=None))
    [left] = await listed(api)
    assert (left["events"], left["token"]) == (["Leads.edit"], None)


async def test_single_events_are_given_up_only_when_said_so(api: Any) -> None:
    await outcome(api, "POST", wish(events=["Leads.all", "Contacts.create"]))
    given_up = {"channel_id": CHANNEL, "events": ["Leads.delete", "Contacts.create"], "_delete_events": True}
    _, row = await outcome(api, "PATCH", {"watch": [given_up]})
    assert row["message"] == "Successfully removed the subscribe details"
    [left] = await listed(api)
    assert left["events"] == ["Leads.create", "Leads.edit"]


async def test_a_closed_channel_is_gone(api: Any) -> None:
    await outcome(api, "POST", wish(events=["Leads.all", "Contacts.all"]))
    answer = await api.do("DELETE", f"/actions/watch?channel_ids={CHANNEL}")
    assert [row["details"]["channel_id"] for row in answer["watch"]] == [CHANNEL, CHANNEL]
    assert await listed(api) == []
    again = await api.ask("DELETE", f"/actions/watch?channel_ids={CHANNEL}")
    assert (again.status_code, again.json()["watch"][0]["code"]) == (400, "NOT_SUBSCRIBED")


async def test_lists_are_of_one_channel_or_module_if_asked(api: Any) -> None:
    await outcome(api, "POST", wish(events=["Leads.all", "Contacts.all"]))
    await outcome(api, "POST", wish(channel_id="2", events=["Leads.create"]))
    assert len(await listed(api)) == 3
    assert [one["channel_id"] for one in await listed(api, "?channel_id=2")] == ["2"]
    assert [one["channel_id"] for one in await listed(api, "?module=Leads")] == [CHANNEL, "2"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_channel_that_has_run_out_cannot_be_renewed(crm: Zoho, api: Any, method: str) -> None:
    await outcome(api, "POST", wish())
    assert (await outcome(api, method, wish()))[0] == 200
    crm.desk.expire_channels()
    assert await listed(api) == []
    status, row = await outcome(api, method, wish())
    assert (status, row["code"]) == (400, "NOT_SUBSCRIBED")
    assert (await outcome(api, "POST", wish()))[0] == 201


async def test_own_writes_and_those_by_hand_are_told_of(
    crm: Zoho, api: Any, opened: Any, receiver: Any
) -> None:
    body = {"data": [{"Last_Name": "Kot"}, {"Last_Name": "Lis"}]}
    rows = (await api.do("POST", "/Leads", body))["data"]
    ids = [row["details"]["id"] for row in rows]
    [(line, told)] = await receiver.expect(1)
    assert line == ["POST", "/hooks/7?tenant=7&kind=crm"]
    assert (told["module"], told["operation"], told["ids"]) == ("Leads", "insert", ids)
    assert told["query_params"] == {"tenant": "7", "kind": "crm"}
    assert (told["channel_id"], told["token"]) == (CHANNEL, "verify")
    crm.desk.change("Leads", ids[0], {"Phone": "+48 600", "City": "Gdynia"})
    _, (_, changed) = await receiver.expect(2)
    assert changed["operation"] == "update"
    assert changed["affected_fields"] == [{ids[0]: ["Phone", "City"]}]
    values = {"Phone": "+48 600", "City": "Gdynia"}
    assert changed["affected_values"] == [{"record_id": ids[0], "values": values}]
    crm.desk.delete("Leads", ids[1])
    *_, (_, deleted) = await receiver.expect(3)
    assert (deleted["operation"], deleted["ids"], deleted["affected_fields"]) == ("delete", [ids[1]], [])


async def test_a_conversion_is_told_of_as_a_new_contact(crm: Zoho, opened: Any, receiver: Any) -> None:
    lead = crm.desk.create("Leads", {"Last_Name": "Kot"})
    contact = crm.desk.convert(lead)
    bodies = [body for _, body in await receiver.expect(2)]
    told = sorted((body["module"], body["operation"], *body["ids"]) for body in bodies)
    assert told == [("Contacts", "insert", contact), ("Leads", "insert", lead)]


async def test_only_wished_events_and_fields_are_told_of(crm: Zoho, api: Any, receiver: Any) -> None:
    condition = {
        "type": "field_selection",
        "module": {"api_name": "Leads"},
        "field_selection": {"group_operator": "or", "group": [{"field": {"api_name": "Email"}}]},
    }
    url = f"{receiver.url}/only"
    await outcome(
        api, "POST", wish(events=["Leads.edit"], notify_url=url, notification_condition=[condition])
    )
    lead = crm.desk.create("Leads", {"Last_Name": "Kot"})
    crm.desk.change("Leads", lead, {"Phone": "1"})
    crm.desk.change("Leads", lead, {"Email": "kot@example.test"})
    [(_, told)] = await receiver.expect(1)
    assert told["affected_fields"] == [{lead: ["Email"]}]
    assert "affected_values" not in told


async def test_a_changed_company_floods_only_who_wishes_so(crm: Zoho, api: Any, receiver: Any) -> None:
    account = crm.desk.create("Accounts", {"Account_Name": "Kot SA"})
    contact = crm.desk.create("Contacts", {"Last_Name": "Kot", "Account_Name": account})
    for number, related in (("1", False), ("2", None)):
        body = wish(
            channel_id=number,
            events=["Contacts.all"],
            notify_url=f"{receiver.url}/{number}",
            notify_on_related_action=related,
        )
        await outcome(api, "POST", body)
    crm.desk.change("Accounts", account, {"Phone": "1"})
    [(line, told)] = await receiver.expect(1)
    assert (line[1], told["operation"], told["ids"]) == ("/2", "update", [contact])


async def test_a_callback_is_sent_once_and_can_be_lost(crm: Zoho, opened: Any, receiver: Any) -> None:
    receiver.status = 500
    one = crm.desk.create("Leads", {"Last_Name": "One"})
    await receiver.expect(1)
    crm.desk.drop_callbacks()
    crm.desk.create("Leads", {"Last_Name": "Dropped"})
    crm.desk.drop_callbacks(dropped=False)
    two = crm.desk.create("Leads", {"Last_Name": "Two"})
    bodies = await receiver.expect(2)
    assert [body["ids"] for _, body in bodies] == [[one], [two]]
    crm.desk.expire_channels()
    crm.desk.create("Leads", {"Last_Name": "Unheard"})
    await asyncio.sleep(0.05)
    assert crm.callbacks.sent == len(receiver.bodies) == 2


async def test_a_receiver_that_is_not_there_harms_nobody(crm: Zoho, api: Any) -> None:
    await outcome(api, "POST", wish(notify_url="http://127.0.0.1:9/nobody"))
    crm.desk.create("Leads", {"Last_Name": "Kot"})
    async with asyncio.timeout(30):
        while not crm.callbacks.sent:
            await api.do("GET", "/org")
    assert (await api.do("GET", "/Leads?fields=Last_Name"))["info"]["count"] == 1


async def test_what_a_refused_call_undid_is_not_told_of(
    crm: Zoho, opened: Any, receiver: Any, api: Any
) -> None:
    await api.refused("POST", "/Leads", {"data": "nothing"})
    answer = await api.ask("POST", "/Leads", {"data": [{"Phone": "1"}]})
    assert answer.status_code == 400
    lead = crm.desk.create("Leads", {"Last_Name": "Kot"})
    [(_, told)] = await receiver.expect(1)
    assert told["ids"] == [lead]
