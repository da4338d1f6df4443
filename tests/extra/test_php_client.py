"""The simulator serves PHP's SoapClient too, which most integrations with SugarCRM are written with."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from sandbox.sugar import SugarCRM, desk

SCRIPT = Path(__file__).with_name("sugar_client.php")
pytestmark = pytest.mark.skipif(
    shutil.which("php") is None, reason="needs Debian's php-cli and php-soap (.ci/run installs them)"
)


async def test_php_signs_in_creates_a_lead_and_reads_it_back() -> None:
    crm = SugarCRM()
    await crm.start()
    try:
        php = await asyncio.create_subprocess_exec(
            "php",
            str(SCRIPT),
            crm.endpoint_url("v4_1"),
            "zoe@example.com",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(php.communicate(), 30)
        said = json.loads(out)
        (lead,) = desk.records(crm.store, "Leads")
    finally:
        await crm.stop()
    assert (said["id"], said["count"]) == (lead["id"], 1)
    assert lead["last_name"] == "O'Neil & Söhne"
    assert lead["email"] == "zoe@example.com"
    assert said["values"]["last_name"] == "O&#039;Neil & Söhne"
    assert said["fault"] == ["11", "Invalid Session ID"]
