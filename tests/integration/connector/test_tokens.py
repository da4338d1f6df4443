"""Renewable tokens outlive a restart, are unreadable at rest, and never serve other credentials."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

from connector_sugar.settings import SugarConnection
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.stores.tokens import Tokens
from leadbus.security.secrets import SecretBox

KEY, OTHER_KEY = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def connection(name="one", **access):
    settings = SugarConnection.model_validate(
        {
            "connection_id": name,
            "tenant_id": "acme",
            "access": {"url": "https://crm.example.com", "user": "u", "password": "p"} | access,
        }
    )
    health = Health(HealthState.WELL, "", datetime.now(UTC))
    return Connection(settings, settings.organisation_id, on=True, revision=1, health=health)


def tokens(bench, key=KEY):
    return Tokens(bench.client, bench.database.name, "connector-any", SecretBox(key))


async def test_a_token_outlives_a_restart_and_the_latest_one_counts(bench):
    keeper = tokens(bench).of(connection())
    assert await keeper.get() is None
    await keeper.put("first token")
    await keeper.put("second token")
    assert await tokens(bench).of(replace(connection(), revision=7)).get() == "second token"


async def test_connections_that_sign_in_alike_find_what_another_kept_and_no_others_do(bench):
    await tokens(bench).of(connection()).put("token")
    assert await tokens(bench).of(connection("two")).get() == "token"
    await tokens(bench).of(connection("two", platform="own")).put("of the other platform")
    assert await tokens(bench).of(connection()).get() == "token"


async def test_a_token_serves_only_the_access_it_was_got_with(bench):
    await tokens(bench).of(connection()).put("token")
    for access in ({"password": "new"}, {"user": "other"}, {"platform": "own"}):
        assert await tokens(bench).of(connection(**access)).get() is None


async def test_a_token_is_unreadable_at_rest_and_lost_with_its_key(bench):
    await tokens(bench).of(connection()).put("plain token")
    rows = [row async for row in bench.database["connector-any.tokens"].find()]
    assert len(rows) == 1
    assert "plain token" not in repr(rows)
    assert await tokens(bench, OTHER_KEY).of(connection()).get() is None


async def test_a_test_signs_in_anew_and_leaves_its_token_to_the_work(bench):
    await tokens(bench).of(connection()).put("of the work")
    keeper = tokens(bench).anew(connection())
    assert keeper.anew
    assert not tokens(bench).of(connection()).anew
    await keeper.put("of the test")
    assert await tokens(bench).of(connection()).get() == "of the test"
