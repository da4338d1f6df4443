"""Notification channels against the simulator, and pushes of all sorts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector_zoho.channels import WATCHED, Channels
from connector_zoho.client import ZohoClient
from connector_zoho.settings import ZohoConnection
from leadbus.errors import LeadbusError, Unsupported
from leadbus.messages import Record
from leadbus.testing.waiting import until
from sandbox.zoho import Zoho

SAMPLES = Path(__file__).parents[5] / "shared" / "contracts" / "zoho" / "samples"


@pytest.fixture
def channels(client: ZohoClient, connection: ZohoConnection) -> Channels:
    return Channels(client, connection)


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address that takes pushes, and the bodies that came."""
    bodies: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            bodies.append(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await writer.drain()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/one/secret", bodies


def push(channels: Channels, **told: Any) -> bytes:
    ours = {"module": "Leads", "ids": ["1"], "channel_id": channels.channel_id, "token": channels.token}
    return json.dumps(ours | told).encode()


async def test_a_channel_is_opened_for_a_week_and_renewed_without_a_gap(
    crm: Zoho, channels: Channels
) -> None:
    opened = await channels.watch("https://hooks.example.test/hooks/one/secret")
    assert opened.gap
    assert timedelta(days=6, hours=23) < opened.until - datetime.now(UTC) <= timedelta(days=7)
    renewed = await channels.watch("https://hooks.example.test/hooks/one/other")
    assert not renewed.gap
    assert renewed.until >= opened.until
    assert (crm.calls["POST actions/watch"], crm.calls["PUT actions/watch"]) == (1, 2)


async def test_one_channel_has_all_modules_and_none_of_a_companys_changes(
    client: ZohoClient, channels: Channels
) -> None:
    await channels.watch("https://hooks.example.test/hooks/one/secret")
    answer = await client.call("GET watch", "GET", "/actions/watch")
    listed = answer.body["watch"]
    assert {row["resource_name"] for row in listed} == set(WATCHED)
    assert {row["channel_id"] for row in listed} == {channels.channel_id}
    assert {row["token"] for row in listed} == {channels.token}
    assert {row["notify_url"] for row in listed} == {"https://hooks.example.test/hooks/one/secret"}
    assert {row["notify_on_related_action"] for row in listed} == {False}
    assert sorted(listed[0]["events"]) == ["Leads.create", "Leads.delete", "Leads.edit"]


async def test_a_channel_that_has_run_out_is_opened_again_and_tells_of_the_gap(
    crm: Zoho, channels: Channels
) -> None:
    await channels.watch("https://hooks.example.test/hooks/one/secret")
    crm.desk.expire_channels()
    again = await channels.watch("https://hooks.example.test/hooks/one/secret")
    assert again.gap
    assert again.until > datetime.now(UTC) + timedelta(days=6)
    assert not (await channels.watch("https://hooks.example.test/hooks/one/secret")).gap


async def test_modules_that_are_not_for_our_user_keep_no_other_from_being_pushed(
    crm: Zoho, client: ZohoClient, channels: Channels
) -> None:
    crm.desk.forbid("Deals", ["view"])
    await channels.watch("https://hooks.example.test/hooks/one/secret")
    answer = await client.call("GET watch", "GET", "/actions/watch")
    assert {row["resource_name"] for row in answer.body["watch"]} == {*WATCHED} - {"Deals"}
    for module in WATCHED:
        crm.desk.forbid(module, ["view"])
    with pytest.raises(Unsupported):
        await channels.watch("https://hooks.example.test/hooks/one/secret")


async def test_an_address_that_zoho_refuses_is_an_error_with_a_sentence(channels: Channels) -> None:
    with pytest.raises(LeadbusError) as refused:
        await channels.watch("ftp://hooks.example.test/")
    assert str(refused.value).endswith(".")
    assert "example" not in str(refused.value)


async def test_what_somebody_does_at_the_crm_is_pushed_and_understood(
    crm: Zoho, channels: Channels, hook: tuple[str, list[bytes]]
) -> None:
    url, bodies = hook
    await channels.watch(url)
    lead = crm.desk.create("Leads", {"Last_Name": "A"})
    await until(lambda: len(bodies) == 1, "push 1")
    crm.desk.change("Leads", lead, {"Phone": "1"})
    await until(lambda: len(bodies) == 2, "push 2")
    crm.desk.delete("Leads", lead)
    await until(lambda: len(bodies) == 3, "push 3")
    task = crm.desk.create("Tasks", {"Subject": "Call back"})
    await until(lambda: len(bodies) == 4, "push 4")
    record = Record(module="Leads", id=lead)
    expected = [[record], [record], [record], [Record(module="Tasks", id=task)]]
    assert [channels.interpret(body) for body in bodies] == expected


@pytest.mark.parametrize("name", ["callback-insert", "callback-edit", "callback-delete"])
def test_the_published_callbacks_are_understood(channels: Channels, name: str) -> None:
    path = SAMPLES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    told = json.loads(path.read_text())
    assert channels.interpret(path.read_bytes()) == []  # of another channel
    ours = json.dumps({**told, "channel_id": channels.channel_id, "token": channels.token}).encode()
    assert channels.interpret(ours) == [Record(module=told["module"], id=key) for key in told["ids"]]


@pytest.mark.parametrize(
    "told",
    [
        {"token": "wrong"},
        {"token": None},
        {"token": "ö"},
        {"token": "\ud800"},
        {"channel_id": "1"},
        {"module": "Products"},
        {"module": None},
        {"module": ["Leads"]},
        {"ids": "1"},
        {"ids": None},
        {"ids": []},
        {"ids": ["", "1; drop", None, {"id": "1"}, "١٢"]},
    ],
)
def test_what_is_not_ours_or_names_nothing_is_no_record(channels: Channels, told: dict[str, Any]) -> None:
    assert channels.interpret(push(channels, **told)) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'"x"'])
def test_what_is_no_push_at_all_is_no_record(channels: Channels, body: bytes) -> None:
    assert channels.interpret(body) == []


def test_a_push_names_each_record_once_and_not_too_many(channels: Channels) -> None:
    assert channels.interpret(push(channels, ids=[7, "7", "8"])) == [
        Record(module="Leads", id="7"),
        Record(module="Leads", id="8"),
    ]
    assert len(channels.interpret(push(channels, ids=list(range(5_000))))) == 1_000


def test_each_connection_has_a_channel_of_its_own_that_every_pod_knows(
    client: ZohoClient, connect: Callable[..., ZohoConnection], channels: Channels
) -> None:
    other = Channels(client, connect(connection_id="two"))
    again = Channels(client, connect())
    assert (again.channel_id, again.token) == (channels.channel_id, channels.token)
    assert other.channel_id != channels.channel_id
    assert other.token != channels.token
    assert other.interpret(push(channels)) == []
    assert 0 < int(channels.channel_id) < 2**63
    assert len(channels.token) <= 50
