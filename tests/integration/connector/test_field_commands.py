"""Fields by the `leadbus` command, over the services that own them: connector and ingest."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

import connector_sugar.service
import ingest.service
from leadbus.cli.main import app
from leadbus.storage.mongo import connect
from sandbox.sugar import SugarCRM, desk

OPERATOR, AWAY = "an operator's token", "http://127.0.0.1:1"
NAME = "acme-sugar"
ODD = '[/b] [none] "&é'
DEPARTMENT = "[{of: lead, field: custom.departmnt, crm_field: department}]"
Command = Callable[..., Awaitable[tuple[int, str]]]


@dataclass
class Installed:
    """A CRM, and the command; `post` hands a lead to ingest."""

    crm: SugarCRM
    command: Command
    post: Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
async def installed(
    kafka: Any, mongodb: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installed]:
    name = f"fields-{uuid4().hex[:8]}"
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": name,
        "LEADBUS_TOPIC_PREFIX": f"{name}.",
        "LEADBUS_SECRET_KEY": "A" * 43 + "=",
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
        "CONNECTOR_SUGAR_PORT": "0",
        "INGEST_PORT": "0",
    }
    crm, client = SugarCRM(), connect(mongodb.url, app_name=name)
    services = [connector_sugar.service.build(environ), ingest.service.build(environ)]
    await asyncio.gather(crm.start(), *(service.start() for service in services))
    desk.register_platform(crm.store, "leadbus")
    for source in ("Leadbus", ODD):
        desk.add_option(crm.store, "Leads", "lead_source", source)
    known = {
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "LEADBUS_CONNECTOR_SUGAR_URL": services[0].url,
        "LEADBUS_INGEST_URL": services[1].url,
        **dict.fromkeys(("LEADBUS_CONNECTOR_ZOHO_URL", "LEADBUS_CONNECTOR_DYNAMICS_URL"), AWAY),
        "COLUMNS": "400",
    }

    async def command(*arguments: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, app(), list(arguments), env=known)
        return result.exit_code, result.output + str(result.exception or "")

    async def post(**custom: str) -> httpx.Response:
        lead = {"email": "ann@example.com", "fields": {"custom": custom}}
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        async with httpx.AsyncClient(base_url=services[1].url, headers=headers) as client:
            return await client.post("/v1/prospects", params={"tenant_id": "acme"}, json=lead)

    file = tmp_path_factory.mktemp("fields") / "acme.yaml"
    access = {"url": crm.url, "user": "admin", "password": "admin"}
    schedules = {"lead": {"every_seconds": 86_400}}
    settings = {"crm": "sugar", "connection_id": NAME, "tenant_id": "acme", "access": access}
    file.write_text(json.dumps(settings | {"schedules": schedules}))
    code, said = await command("connections", "apply", str(file))
    assert code == 0, said
    yield Installed(crm, command, post)
    await asyncio.gather(*(service.stop() for service in services))
    await crm.stop()
    await client.drop_database(name)
    await client.close()


async def test_lists_of_the_crm_are_shown_to_choose_from(installed: Installed) -> None:
    fair = desk.create(installed.crm.store, "ProspectLists", {"name": f"Fair {ODD}"})
    code, said = await installed.command("connections", "set", NAME, "lists=[{list: Gala, keep: once}]")
    assert code == 0, said
    code, said = await installed.command("connections", "lists", NAME)
    (row,) = [line for line in said.splitlines() if fair in line]
    assert (code, f"Fair {ODD}" in row, " sync " in row) == (0, True, True), said
    assert "has no list Gala" in said


async def test_a_tenants_fields_are_filled_from_the_crm_and_then_hold(installed: Installed) -> None:
    code, said = await installed.command("connections", "fields", NAME)
    assert (code, "department" in said, ODD in said) == (0, True, True), said
    assert (await installed.post(departmnt="gold")).status_code == 202
    code, said = await installed.command("fields", "fill", "acme", "--connection", NAME)
    assert (code, "custom.department" in said, "custom.phone_work" in said) == (0, True, False), said
    refused = await installed.post(departmnt="gold")
    assert (refused.status_code, "did you mean department?" in refused.text) == (422, True)
    assert (await installed.post(department="gold")).status_code == 202
    code, again = await installed.command("fields", "fill", "acme", "--connection", NAME)
    assert (code, "0 fields were added" in again) == (0, True)
    await installed.command("connections", "set", NAME, f"fields={DEPARTMENT}")
    code, said = await installed.command("connections", "test", NAME)
    assert (code, "custom.department may be meant" in said) == (0, True), said


async def test_a_dry_run_is_shown_as_a_table_with_reasons(installed: Installed) -> None:
    desk.create(
        installed.crm.store, "Leads", {"last_name": "Lee", "email1": "lee@example.com", "phone_work": "1"}
    )
    told = (
        "connections",
        "dry-run",
        NAME,
        "--email",
        "lee@example.com",
        "--field",
        "phone=2",
        "--field",
        f"city={ODD}",
        "--field",
        "annual_revenue=5",
    )
    code, said = await installed.command(*told)
    assert (code, "no fields of a person: annual_revenue" in said) == (1, True), said
    code, said = await installed.command(*told[:-2])
    assert (code, ODD in said) == (0, True), said
    assert "was found by email" in said
    assert "field updates are off" in said
    code, said = await installed.command(
        "connections", "dry-run", NAME, "--email", "x@example.com", "--marketing"
    )
    assert (code, "A new lead would be created." in said, "lead source: Leadbus" in said) == (
        0,
        True,
        True,
    ), said
    code, said = await installed.command(
        "connections", "dry-run", NAME, "--email", "x@example.com", "--field", "fone=2"
    )
    assert (code, "did you mean phone?" in said) == (1, True), said
    code, said = await installed.command("connections", "dry-run", NAME)
    assert (code, "by prospect_id or by email" in said) == (1, True), said


async def test_a_changed_mapping_offers_to_read_the_new_field(installed: Installed, until: Any) -> None:
    await installed.command("connections", "set", NAME, "fields=[]")
    code, said = await installed.command("connections", "on", NAME)
    assert code == 0, said

    async def read() -> bool:
        _, said = await installed.command("connections", "progress", NAME)
        return "current" in said and "first sync" not in said

    await until(read)
    code, said = await installed.command("connections", "sync", NAME, "--new-fields")
    assert (code, "no new ones" in said) == (0, True), said
    code, said = await installed.command("connections", "set", NAME, f"fields={DEPARTMENT}")
    assert (code, f"connections sync {NAME} --new-fields" in said) == (0, True), said
    _, said = await installed.command("connections", "progress", NAME)
    assert "custom.departmnt was mapped since" in said
    code, said = await installed.command("connections", "sync", NAME, "--new-fields")
    assert (code, "Reading new fields" in said) == (0, True), said

    async def done() -> bool:
        return "mapped since" not in (await installed.command("connections", "progress", NAME))[1]

    await until(done)
