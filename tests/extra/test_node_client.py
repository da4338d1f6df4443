"""The simulator serves dynamics-web-api too, the client that most programs in JavaScript use."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.certificates import self_signed
from sandbox.dynamics import Dynamics

SCRIPT = Path(__file__).with_name("dynamics_client.js")
NODE = shutil.which("node")
INSTALLED = Path(sys.prefix) / "node"
pytestmark = pytest.mark.skipif(
    NODE is None or not (INSTALLED / "node_modules" / "dynamics-web-api").exists(),
    reason="needs node, and npm's dynamics-web-api in the environment's folder node (.ci/run installs them)",
)
CONTACT = "6b29fc40-ca47-1067-b31d-00dd010662da"


@pytest.fixture
async def crm(tmp_path: Path) -> AsyncIterator[Dynamics]:
    """The client speaks https alone; Node is told of the certificate."""
    crm = Dynamics(certificate=self_signed(tmp_path))
    await crm.start()
    yield crm
    await crm.stop()


async def test_node_writes_reads_pages_and_understands_refusals(crm: Dynamics, tmp_path: Path) -> None:
    chosen = crm.site.settings
    login = f"{crm.url}/{chosen.tenant}/oauth2/v2.0/token"
    node = await asyncio.create_subprocess_exec(
        str(NODE),
        *(str(SCRIPT), str(INSTALLED), crm.url, login, chosen.client_id, chosen.client_secret),
        env={"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(tmp_path / "certificate.pem")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaints = await asyncio.wait_for(node.communicate(), 60)
    assert node.returncode == 0, complaints.decode()
    said = json.loads(out)

    [lead] = crm.records("lead")
    assert said["created"] == lead["id"]
    assert (lead["lastname"], lead["email"]) == ("O'Neil & Söhne", "jane+tag@example.com")
    assert (said["read"]["fullname"], said["read"]["jobtitle"]) == ("Zoë O'Neil & Söhne", "CEO")
    assert said["read"]["leadsourcecode_Formatted"] == "Trade Show"
    assert (lead["jobtitle"], said["stale"]) == ("CTO", False)

    upserted, *others = crm.records("contact")
    assert (upserted["id"], upserted["lastname"], said["kept"]) == (CONTACT, "Doe", None)
    names = [f"Kot {number}" for number in (1, 2, 3, 4)]
    assert [row["lastname"] for row in others] == names
    assert said["batch"][:4] == [row["id"] for row in others]
    assert said["batch"][4]["jobtitle"] == "CTO"
    assert (said["page"], said["all"], said["fetched"]) == ([3, True], names, names)

    assert said["who"] == crm.user_id
    assert said["missing"][:2] == [404, "0x80040217"]
    assert said["tooLong"][:2] == [400, "0x80044331"]
    assert said["tokens"] >= 1
    assert crm.calls["token"] == said["tokens"]
    assert crm.calls["batch"] == 1
