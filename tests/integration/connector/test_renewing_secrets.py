"""After a change of keys every stored secret is put under the first one, and the old one may go."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

import connector_sugar.service
from connector_sugar.settings import SugarConnection
from leadbus.cli.main import app
from leadbus.connector.connection import Connection, Health, HealthState, Revision
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.tokens import Tokens
from leadbus.security.secrets import SecretBox
from leadbus.storage.mongo import Client, connect

SERVICE, OPERATOR, AWAY = "connector-sugar", "an operator's token", "http://127.0.0.1:1"
OLD, NEW, LOST = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))


def connection(name: str) -> Connection:
    access = {"url": f"https://{name}.example.com", "user": "u", "password": f"password of {name}"}
    settings = SugarConnection.model_validate({"connection_id": name, "tenant_id": "acme", "access": access})
    health = Health(HealthState.WELL, "", datetime.now(UTC))
    return Connection(settings, settings.organisation_id, on=False, revision=1, health=health)


@dataclass
class Stored:
    """What a connector has stored, as it is read with some key."""

    client: Client
    database: str

    def connections(self, key: str) -> Connections:
        return Connections(self.client, self.database, SERVICE, SugarConnection, SecretBox(key))

    def tokens(self, key: str) -> Tokens:
        return Tokens(self.client, self.database, SERVICE, SecretBox(key))

    async def store(self, key: str, name: str) -> None:
        made = connection(name)
        created = Revision(1, datetime.now(UTC), "operator", "created")
        await self.connections(key).save(made, created)
        await self.tokens(key).of(made).put(f"token of {name}")

    async def password(self, key: str, name: str) -> str:
        found = await self.connections(key).get(name)
        assert found is not None
        password: str = found.settings.access.password.get_secret_value()
        return "" if found.unreadable else password


@pytest.fixture
async def stored(mongodb: Any) -> AsyncIterator[Stored]:
    client, database = connect(mongodb.url, app_name="tests"), f"keys-{uuid4().hex[:8]}"
    yield Stored(client, database)
    await client.drop_database(database)
    await client.close()


async def test_all_is_readable_with_the_new_key_alone_and_nothing_else_has_changed(stored: Stored) -> None:
    for name in ("one", "two"):
        await stored.store(OLD, name)
    before = await stored.client[stored.database][f"{SERVICE}.connections"].find({}, {"secrets": 0}).to_list()
    both = f"{NEW},{OLD}"
    assert (await stored.connections(both).renew_secrets()).documents == 2
    assert (await stored.tokens(both).renew_secrets()).documents == 2
    for name in ("one", "two"):
        assert await stored.password(NEW, name) == f"password of {name}"
        assert await stored.password(OLD, name) == ""
        assert await stored.tokens(NEW).of(connection(name)).get() == f"token of {name}"
    after = await stored.client[stored.database][f"{SERVICE}.connections"].find({}, {"secrets": 0}).to_list()
    assert after == before


async def test_what_no_key_fits_stays_as_it_is_and_is_named(stored: Stored) -> None:
    await stored.store(LOST, "lost")
    await stored.store(OLD, "one")
    renewed = await stored.connections(f"{NEW},{OLD}").renew_secrets()
    assert (renewed.documents, renewed.unreadable) == (1, ("lost",))
    assert await stored.password(LOST, "lost") == "password of lost"


async def test_a_secret_that_is_changed_meanwhile_is_not_set_back(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored.store(OLD, "one")
    renewing = stored.tokens(f"{NEW},{OLD}")
    place = stored.tokens(NEW).of(connection("one"))
    there = asyncio.get_running_loop()
    box = renewing._secrets

    def slowly(token: bytes) -> bytes:
        asyncio.run_coroutine_threadsafe(place.put("a later token"), there)
        return box.encrypt(box.decrypt(token))

    monkeypatch.setattr(box, "renew", slowly)
    await renewing.renew_secrets()
    await asyncio.sleep(0.3)
    await renewing.renew_secrets()
    assert await place.get() == "a later token"


@pytest.fixture
async def serving(stored: Stored, kafka: Any, mongodb: Any) -> AsyncIterator[str]:
    """A connector that has just been restarted with the new key in front."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "MONGODB_URL": mongodb.url,
        "MONGODB_DATABASE": stored.database,
        "LEADBUS_TOPIC_PREFIX": f"{stored.database}.",
        "LEADBUS_SECRET_KEY": f"{NEW},{OLD}",
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "CONNECTOR_SUGAR_PORT": "0",
    }
    await stored.store(OLD, "one")
    service = connector_sugar.service.build(environ)
    await service.start()
    yield service.url
    await service.stop()


async def command(url: str) -> tuple[int, str]:
    known = {
        "LEADBUS_OPERATOR_TOKEN": OPERATOR,
        "LEADBUS_CONNECTOR_SUGAR_URL": url,
        "LEADBUS_CONNECTOR_ZOHO_URL": AWAY,
        "LEADBUS_CONNECTOR_DYNAMICS_URL": AWAY,
    }
    result = await asyncio.to_thread(CliRunner().invoke, app(), ["secrets", "renew"], env=known)
    return result.exit_code, result.output


async def test_one_command_renews_them_and_says_who_could_not_be_asked(stored: Stored, serving: str) -> None:
    code, said = await command(serving)
    assert "connector-sugar: 1 connections and 1 tokens are under the first key." in said
    assert (code, "connector-zoho does not answer" in said) == (1, True)
    assert await stored.password(NEW, "one") == "password of one"
    assert "password of one" not in said


async def test_it_is_the_operators_alone(stored: Stored, serving: str) -> None:
    async with httpx.AsyncClient(base_url=serving) as client:
        nobody = await client.post("/v1/secrets/renew")
        other = await client.post("/v1/secrets/renew", headers={"Authorization": "Bearer lb_x_y"})
    assert (nobody.status_code, other.status_code) == (401, 401)
    assert await stored.password(OLD, "one") == "password of one"
