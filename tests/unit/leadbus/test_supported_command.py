"""Before a connection is set up the command shows which products it may lead to."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from typer.testing import CliRunner

from leadbus.cli.main import app
from leadbus.runner import build, installed
from leadbus.server import HttpServer

TOKEN = "an operator's token"
ENVIRON = {
    "LEADBUS_SECRET_KEY": "A" * 43 + "=",
    "LEADBUS_OPERATOR_TOKEN": TOKEN,
    "OTEL_SDK_DISABLED": "true",
}
AWAY = "http://127.0.0.1:1"


@pytest.fixture
async def addresses() -> AsyncIterator[dict[str, str]]:
    """Of all connectors; nobody answers but Dynamics's API."""
    (service,) = build(["connector-dynamics"], ENVIRON)
    server = HttpServer(service.api, "127.0.0.1", 0)
    await server.start()
    names = [name.upper().replace("-", "_") for name in installed() if name.startswith("connector-")]
    found = {f"LEADBUS_{name}_URL": AWAY for name in names}
    yield found | {"LEADBUS_CONNECTOR_DYNAMICS_URL": server.url, "COLUMNS": "200"}
    await server.stop()


async def said(environ: dict[str, str], *words: str) -> str:
    given = environ | {"LEADBUS_OPERATOR_TOKEN": TOKEN}
    result = await asyncio.to_thread(CliRunner().invoke, app(), ["connections", *words], env=given)
    return result.output + str(result.exception or "")


@pytest.mark.parametrize("words", [["supported"], ["settings", "dynamics"]])
async def test_supported_products_and_those_mistaken_for_them_are_shown(
    addresses: dict[str, str], words: list[str]
) -> None:
    shown = await said(addresses, *words)
    assert "crm: dynamics" in shown
    assert "  Microsoft Dynamics CRM 2011, 2013, 2015 and 2016" in shown
    assert "  Dynamics 365 Sales" in shown
    assert "Not supported: Microsoft Dynamics AX 2012." in shown
    assert "Not supported: Dynamics 365 Business Central" in shown


async def test_a_part_of_the_settings_is_shown_alone(addresses: dict[str, str]) -> None:
    shown = await said(addresses, "settings", "dynamics", "--path", "access")
    assert "access.client_secret" in shown
    assert "AX 2012" not in shown


async def test_that_no_connector_answers_is_said(addresses: dict[str, str]) -> None:
    nobody = {name: AWAY for name in addresses if name.endswith("_URL")}
    assert "does not answer" in await said(nobody, "supported")
