"""The simulator of a Zoho CRM."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.simulator import Simulator, running

CALL_MS, ROW_MS = 100.0, 1.0
"""What a call takes at least, and what each row in it adds."""
ORGANISATION = "20000000001"
USER = "api@example.test"


class Zoho(Simulator):
    """See the module."""

    tables = ("Leads", "Notes", "Parent_Id")

    async def access(self) -> dict[str, Any]:
        """By a self client, with a grant token that serves once."""
        return {
            "user": USER,
            "organisation": ORGANISATION,
            "data_centre": self.url,
            "client_id": "1000.LEADBUS",
            "client_secret": "secret",
            "grant_token": (await self._ask("POST", "grant", json={}))["code"],
        }

    async def credits(self) -> int:
        """Credits used so far."""
        return int((await self._ask("GET", "counters"))["credits_used"])


@asynccontextmanager
async def zoho(folder: Path) -> AsyncIterator[Zoho]:
    """A new one."""
    costs = ("--call-seconds", f"{CALL_MS / 1000:g}", "--row-seconds", f"{ROW_MS / 1000:g}")
    async with running(Zoho, "sandbox.zoho", folder, *costs) as crm:
        yield crm
