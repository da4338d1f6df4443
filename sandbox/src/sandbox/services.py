"""Leadbus itself: `leadbus run --all` as one child process, asked over HTTP like by anybody else."""

import asyncio
import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from sandbox.cast import Connection
from sandbox.crms.crm import Crm
from sandbox.servers import ServerError
from sandbox.servers.process import Process

NAMES = ("ingest", "scoring", "feedback", "connector-sugar", "connector-zoho", "connector-dynamics")
_READY_SECONDS = 90.0


class Services:
    """The process. environment: what it is told beside what we were told ourselves; holds no secret, since
    anybody on the machine may see it; those are in files."""

    def __init__(
        self, folder: Path, ports: Mapping[str, int], environment: Mapping[str, str], operator_token: Path
    ) -> None:
        self.urls = {name: f"http://127.0.0.1:{ports[name]}" for name in NAMES}
        self._token = operator_token
        told = {f"{name.upper().replace('-', '_')}_PORT": str(ports[name]) for name in NAMES}
        told |= {"FEEDBACK_PUBLIC_URL": self.urls["feedback"]}
        told |= {"LEADBUS_OPERATOR_TOKEN_FILE": str(operator_token), **environment}
        assignments = [f"{name}={value}" for name, value in told.items()]
        program = str(Path(sys.executable).with_name("leadbus"))
        command = [shutil.which("env") or "/usr/bin/env", *assignments, program, "run", "--all"]
        self.process = Process("leadbus run --all", command, folder / "leadbus.log", grace=30.0)
        self._client = httpx.AsyncClient(timeout=90, trust_env=False)

    async def start(self) -> None:
        """Returns at once; the services wait for Kafka and MongoDB themselves."""
        await self.process.start()

    async def stop(self) -> None:
        """Ends them in order."""
        await self._client.aclose()
        await self.process.stop()

    async def until_ready(self) -> None:
        """Returns when every service takes requests. Raises ServerError."""
        waiting = list(NAMES)
        until = time.monotonic() + _READY_SECONDS
        while waiting:
            self.process.check()
            if not await self._is_ready(waiting[0]):
                if time.monotonic() > until:
                    raise ServerError(f"{waiting[0]} is not ready. {self.process.tail()}")
                await asyncio.sleep(0.05)
                continue
            waiting.pop(0)

    async def make_key(self, tenant: str) -> str:
        """A new API key for the tenant's upstream."""
        body = {"tenant_id": tenant, "scopes": ["ingest", "read"], "name": "sample traffic"}
        created: dict[str, str] = await self.ask("ingest", "POST", "/v1/api-keys", json=body)
        return created["key"]

    async def connect(self, connection: Connection, crm: Crm, password: str) -> None:
        """Creates the connection if it is not there yet, and turns it on. Raises ServerError."""
        known = {
            c["connection_id"]: c["on"]
            for c in (await self.ask(crm.connector, "GET", "/v1/connections"))["connections"]
        }
        path = f"/v1/connections/{connection.id}"
        if connection.id not in known:
            body = connection.body(await crm.settings(password))
            if crm.pushes:
                body["hook_url"] = await self._make_hook(connection)
            await self.ask(crm.connector, "PUT", path, json=body)
        if not known.get(connection.id):
            turned = await self.ask(crm.connector, "POST", f"{path}/on")
            if not turned["ok"]:
                wrong = "; ".join(f["what"] for f in turned["findings"] if not f["ok"])
                raise ServerError(f"The connection {connection.id} cannot be turned on: {wrong}")

    async def protocol(self, connection: Connection, crm: Crm) -> str:
        """What the connector says that it speaks with the connection's CRM, in its words."""
        path = f"/v1/connections/{connection.id}/test"
        tested = await self.ask(crm.connector, "POST", path, json={"part": "access"})
        sentences = [s for f in tested["findings"] for s in re.split(r"(?<=\.)\s", f["what"])]
        return next(filter(crm.told.search, sentences), sentences[-1])

    async def _make_hook(self, connection: Connection) -> str:
        """A new hook, where the connection's CRM tells of changes."""
        body = {"tenant_id": connection.tenant, "scopes": ["hook"], "connection_id": connection.id}
        created: dict[str, str] = await self.ask("ingest", "POST", "/v1/api-keys", json=body)
        return created["url"]

    async def ask(self, service: str, method: str, path: str, key: str = "", **request: Any) -> Any:
        """What it answers. key: an API key; empty = as the operator. Raises ServerError."""
        headers = {"Authorization": f"Bearer {key or self._token.read_text(encoding='utf-8')}"}
        answer = await self._client.request(method, self.urls[service] + path, headers=headers, **request)
        if answer.is_error:
            raise ServerError(
                f"{service} answered {answer.status_code} to {method} {path}: {answer.text[:500]}"
            )
        return answer.json()

    async def _is_ready(self, service: str) -> bool:
        try:
            return (await self._client.get(f"{self.urls[service]}/healthz/ready")).is_success
        except httpx.TransportError:
            return False
