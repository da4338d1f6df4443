"""The CRMs as processes of their own, and what people do in them by hand."""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.cast import API_USER, LEAD_SOURCE
from sandbox.servers import ServerError
from sandbox.servers.process import Process

MODULES = ("Leads", "Contacts", "Notes", "Opportunities")
_READY_SECONDS = 30.0

Row = dict[str, Any]


class Crm:
    """One organisation's SugarCRM. api_user: the id of Leadbus's user, once `prepare` has returned."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        self.api_user = ""
        command = [sys.executable, "-m", "sandbox.sugar", "--port", str(port)]
        database = ["--database", str((folder / f"{name}.sqlite").resolve())]
        self.process = Process(f"The CRM {name}", [*command, *database], folder / f"{name}.log")
        self._client = httpx.AsyncClient(base_url=f"{self.url}/_sandbox", timeout=60, trust_env=False)

    async def start(self) -> None:
        """Returns when it answers. Raises ServerError."""
        await self.process.start()
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not await self._answers():
                    self.process.check()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ServerError(f"The CRM {self.name} does not answer. {self.process.tail()}") from None

    async def stop(self) -> None:
        """Ends it; its data stay."""
        await self._client.aclose()
        await self.process.stop()

    async def prepare(self, password: str) -> None:
        """What its administrator does once: a user for Leadbus, and the lead source."""
        users = {row["user_name"]: row["id"] for row in await self.records("Users")}
        if API_USER not in users:
            md5 = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
            user = {"user_name": API_USER, "user_hash": md5, "last_name": "Leadbus", "status": "Active"}
            await self.do("option", module="Leads", field="lead_source", name=LEAD_SOURCE)
            users[API_USER] = await self.create("Users", user | {"is_admin": "1"})
        self.api_user = users[API_USER]

    async def records(self, module: str) -> list[Row]:
        """All rows, as the CRM has them stored."""
        rows: list[Row] = await self._ask("GET", "records", params={"module": module})
        return rows

    async def everything(self) -> dict[str, list[Row]]:
        """The rows of all modules that matter, by module. Raises ServerError."""
        return {module: await self.records(module) for module in MODULES}

    async def create(self, module: str, fields: Mapping[str, str]) -> str:
        """The new record's id."""
        answer: dict[str, str] = await self.do("create", module=module, fields=dict(fields))
        return answer["id"]

    async def do(self, what: str, **facts: Any) -> Any:
        """What a person does by hand; see `sandbox.sugar.backdoor`."""
        return await self._ask("POST", what, json=facts)

    async def _ask(self, method: str, page: str, **request: Any) -> Any:
        try:
            answer = await self._client.request(method, f"/{page}", **request)
        except httpx.TransportError as error:
            raise ServerError(f"The CRM {self.name} is gone ({type(error).__name__}).") from None
        if answer.is_error:
            raise ServerError(f"The CRM {self.name} answered {page} with {answer.status_code}: {answer.text}")
        return answer.json()

    async def _answers(self) -> bool:
        try:
            return (await self._client.get("/calls")).is_success
        except httpx.TransportError:
            return False
