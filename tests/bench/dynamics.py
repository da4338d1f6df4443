"""The simulators of a Dynamics CRM 2013 on premises, and of a Dynamics 365."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from bench.simulator import Simulator, running
from bench.sugar import CALL_MS, ROW_MS

ORGANISATION = "contoso"
USER, PASSWORD, DOMAIN = "leadbus", "secret", "CONTOSO"
DIRECTORY, CLIENT, SECRET = (
    "22222222-bbbb-4bbb-8bbb-222222222222",
    "11111111-aaaa-4aaa-8aaa-111111111111",
    "secret",
)


class Dynamics(Simulator):
    """One of either kind. version: see `python -m sandbox.dynamics --help`."""

    version: ClassVar[str]
    tables = ("lead", "annotation", "objectid")

    async def requests(self) -> int:
        """See `Simulator`."""
        return int((await self._ask("GET", "counters"))["operations"])


class OnPremises(Dynamics):
    """Lets a Windows user in, and speaks SOAP."""

    version = "2013"

    async def access(self) -> dict[str, Any]:
        """As a Windows user."""
        url = f"{self.url}/{ORGANISATION}/XRMServices/2011/Organization.svc/web"
        return {"url": url, "user": USER, "password": PASSWORD, "domain": DOMAIN}


class Dynamics365(Dynamics):
    """Lets an app registration in, and speaks the Web API; its sign-in service has the same address."""

    version = "9.2"

    async def access(self) -> dict[str, Any]:
        """As an app registration."""
        app = {"tenant": DIRECTORY, "client_id": CLIENT, "client_secret": SECRET}
        return {"url": self.url, "login_url": self.url, **app}


Kind = TypeVar("Kind", bound=Dynamics)


@asynccontextmanager
async def dynamics(kind: type[Kind], folder: Path) -> AsyncIterator[Kind]:
    """A new one, which takes as long as a SugarCRM for a call and a row; calls run side by side."""
    costs = ("--call-seconds", f"{CALL_MS / 1000:g}", "--row-seconds", f"{ROW_MS / 1000:g}")
    async with running(kind, "sandbox.dynamics", folder, "--version", kind.version, *costs) as crm:
        yield crm
