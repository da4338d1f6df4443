"""`leadbus run ingest` and `leadbus keys`, as an operator uses them."""

import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import Edge, Environ

LEADBUS = [sys.executable, "-c", "from leadbus.cli import main; main()"]


async def leadbus(*arguments: str, **environ: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *LEADBUS,
        *arguments,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_keys_are_made_listed_and_revoked(edge: "Edge", tenant: str) -> None:
    as_operator = {"LEADBUS_INGEST_URL": edge.service.url, "LEADBUS_OPERATOR_TOKEN": "an operator's token"}
    code, key, said = await leadbus(
        "keys", "create", tenant, "--scope", "ingest", "--name", "shop", **as_operator
    )
    assert (code, key[:3]) == (0, "lb_")
    assert key.strip() not in said
    async with edge.client(key.strip()) as client:
        posted = await client.post("/v1/events", json={"type": "web_view", "visitor_id": "v"})
    assert posted.status_code == 202
    key_id = key.split("_")[1]
    code, listed, _ = await leadbus("keys", "list", tenant, COLUMNS="200", **as_operator)
    assert (code, key_id in listed, "shop" in listed, key.strip() in listed) == (0, True, True, False)
    assert (await leadbus("keys", "revoke", key_id, **as_operator))[0] == 0


async def test_a_refusal_is_one_sentence_and_exit_code_1(edge: "Edge", tenant: str) -> None:
    environ = {"LEADBUS_INGEST_URL": edge.service.url, "LEADBUS_OPERATOR_TOKEN": "wrong"}
    code, _, said = await leadbus("keys", "create", tenant, **environ)
    assert code == 1
    assert "not known" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "environ", "named"),
    [(["nonsense"], {}, "nonsense"), (["ingest"], {"INGEST_PORT": "x"}, "INGEST_PORT"), ([], {}, "--list")],
)
async def test_a_wrong_configuration_is_a_sentence_and_exit_code_2(
    arguments: list[str], environ: dict[str, str], named: str
) -> None:
    code, _, said = await leadbus("run", *arguments, **environ)
    assert code == 2
    assert named in said
    assert "Traceback" not in said


async def test_a_service_runs_until_sigterm(ingest_environ: "Environ") -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *LEADBUS,
        "run",
        "ingest",
        env={**os.environ, **ingest_environ(INGEST_PORT=str(port))},
        stderr=asyncio.subprocess.PIPE,
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(200):
            try:
                if (await client.get("/healthz/ready")).status_code == 200:
                    break
            except httpx.ConnectError:
                pass
            await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, logs = await process.communicate()
    assert process.returncode == 0, logs.decode()
    assert b'"message": "ingest has stopped"' in logs


async def test_addresses_are_authorised_listed_and_withdrawn(edge: "Edge", tenant: str) -> None:
    as_operator = {"LEADBUS_INGEST_URL": edge.service.url, "LEADBUS_OPERATOR_TOKEN": "an operator's token"}
    _, nobody, _ = await leadbus("addresses", "list", tenant, **as_operator)
    await leadbus("addresses", "authorise", tenant, "2001:DB8::/32", **as_operator)
    async with edge.client(await edge.key(tenant)) as client:
        refused = await client.post("/v1/events", json={"type": "web_view", "visitor_id": "v"})
        named = refused.json()["detail"].partition("Authorise it with: leadbus ")[2].split(" ")
        code, said, _ = await leadbus(*named, **as_operator)
        posted = await client.post("/v1/events", json={"type": "web_view", "visitor_id": "v"})
    _, left, _ = await leadbus("addresses", "withdraw", tenant, "2001:db8::/32", **as_operator)
    wrong, _, why = await leadbus("addresses", "authorise", tenant, "../x", **as_operator)
    assert "from everywhere" in nobody
    assert (refused.status_code, code, posted.status_code) == (403, 0, 202)
    assert said.splitlines()[1:] == ["2001:db8::/32", "127.0.0.1"]
    assert left.splitlines()[1:] == ["127.0.0.1"]
    assert (wrong, "203.0.113.0/24" in why) == (1, True)


async def test_the_url_of_a_hook_is_printed_ready_to_be_entered(edge: "Edge", tenant: str) -> None:
    as_operator = {"LEADBUS_INGEST_URL": edge.service.url, "LEADBUS_OPERATOR_TOKEN": "an operator's token"}
    code, url, said = await leadbus(
        "keys", "create", tenant, "--scope", "hook", "--connection", "acme-crm", **as_operator
    )
    async with httpx.AsyncClient() as crm:
        pushed = await crm.post(url.strip(), content=b"{}")
    _, listed, _ = await leadbus("keys", "list", tenant, COLUMNS="200", **as_operator)
    assert (code, pushed.status_code) == (0, 202)
    assert url.strip().rsplit("/", 1)[1] not in said + listed
    assert "acme-crm" in listed


async def test_own_fields_are_set_listed_and_taken_away(edge: "Edge", tenant: str) -> None:
    as_operator = {
        "LEADBUS_INGEST_URL": edge.service.url,
        "LEADBUS_OPERATOR_TOKEN": "an operator's token",
        "COLUMNS": "200",
    }
    _, nothing, _ = await leadbus("fields", "list", tenant, **as_operator)
    words = ("segment=Kind of customer", "budget:number")
    code, said, _ = await leadbus("fields", "set", tenant, *words, **as_operator)
    wrong, _, why = await leadbus("fields", "set", tenant, "x:colour", **as_operator)
    _, left, _ = await leadbus("fields", "set", tenant, "--remove", "segment", **as_operator)
    assert "under any name" in nothing
    assert (code, "custom.segment" in said, "Kind of customer" in said, "number" in said) == (
        0,
        True,
        True,
        True,
    )
    assert (wrong, "There is no type colour" in why) == (1, True)
    assert ("custom.segment" in left, "custom.budget" in left) == (False, True)
