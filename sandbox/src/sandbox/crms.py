"""The CRMs as processes of their own, and what people do in them by hand."""

import asyncio
import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.cast import API_USER, LEAD_SOURCE, PLATFORM, Organisation
from sandbox.servers import ServerError
from sandbox.servers.process import Process

MODULES = ("Leads", "Contacts", "Notes", "Opportunities")
_READY_SECONDS = 30.0
_MADE = {"account": "Accounts", "contact": "Contacts", "opportunity": "Opportunities"}

Row = dict[str, Any]


class Crm:
    """One organisation's SugarCRM.

    api_user: the id of Leadbus's user; team: that of the tenant's team, empty = the CRM has no teams. Both
    are known once `prepare` has returned.
    """

    def __init__(self, organisation: Organisation, folder: Path, port: int) -> None:
        self.organisation = organisation
        self.name = name = organisation.tenant
        self.url = f"http://127.0.0.1:{port}"
        self.api_user = self.team = ""
        command = [sys.executable, "-m", "sandbox.sugar", "--port", str(port)]
        command += ["--speaks", organisation.speaks, *(["--teams"] if organisation.team else [])]
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
        """What its administrator does once: a user for Leadbus, its platform and team, the lead source."""
        users = {row["user_name"]: row["id"] for row in await self.records("Users")}
        if API_USER not in users:
            md5 = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
            user = {"user_name": API_USER, "user_hash": md5, "last_name": "Leadbus", "status": "Active"}
            await self.do("option", module="Leads", field="lead_source", name=LEAD_SOURCE)
            users[API_USER] = await self.create("Users", user | {"is_admin": "1"})
        self.api_user = users[API_USER]
        if self.organisation.modern:
            await self.do("desk/register_platform", name=PLATFORM)
        if self.organisation.team:
            self.team = await self._joined(self.organisation.team)

    async def records(self, module: str) -> list[Row]:
        """All rows, as the CRM has them stored."""
        rows: list[Row] = await self._ask("GET", "records", params={"module": module})
        return rows

    async def everything(self) -> dict[str, list[Row]]:
        """The rows of all modules that matter, by module. Raises ServerError."""
        return {module: await self.records(module) for module in MODULES}

    async def create(self, module: str, fields: Mapping[str, str]) -> str:
        """The new record's id; it belongs to the tenant's team."""
        answer: dict[str, str] = await self.do("create", module=module, fields={**fields, **self._of_team})
        return answer["id"]

    async def change(self, module: str, key: str, fields: Mapping[str, str]) -> None:
        """An edit in the CRM's form."""
        await self.do("change", module=module, id=key, fields=dict(fields))

    async def opportunity(self, email: str, name: str, stage: str, amount: str) -> None:
        """A new opportunity with the person; a lead is converted for it. All of it is the tenant's team's."""
        made: dict[str, str] = await self.do(
            "opportunity", email=email, name=name, stage=stage, amount=amount
        )
        if self.team:
            for kind, module in _MADE.items():
                await self.change(module, made[kind], self._of_team)

    async def do(self, what: str, **facts: Any) -> Any:
        """What a person does by hand; see `sandbox.sugar.backdoor`."""
        return await self._ask("POST", what, json=facts)

    @property
    def _of_team(self) -> dict[str, str]:
        """A team of one is a set of teams under the same id."""
        return {"team_id": self.team, "team_set_id": self.team} if self.team else {}

    async def _joined(self, team: str) -> str:
        """The id of the team, with our user in it."""
        known = {row["name"]: row["id"] for row in await self.records("Teams")}
        if team not in known:
            known[team] = (await self.do("desk/add_team", name=team))["result"]
            await self.do("desk/join_team", team=known[team], user=self.api_user)
        return str(known[team])

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
