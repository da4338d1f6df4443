"""Leadbus as anybody asks it, over HTTP: keys, connections, and what its services answer."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.cast import Connection
from sandbox.crms.crm import Crm
from sandbox.servers import ServerError


class Api:
    """urls: where each service is. token: the operator's."""

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        self.urls = dict(urls)
        self._token = token
        self._client = httpx.AsyncClient(timeout=90, trust_env=False)

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

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
        # Ingest tells its own address, which goes with its pod: CRMs reach it where everybody does.
        return self.urls["ingest"] + urlsplit(created["url"]).path

    async def ask(self, service: str, method: str, path: str, key: str = "", **request: Any) -> Any:
        """What it answers. key: an API key; empty = as the operator. Raises ServerError."""
        headers = {"Authorization": f"Bearer {key or self._token}"}
        answer = await self._client.request(method, self.urls[service] + path, headers=headers, **request)
        if answer.is_error:
            raise ServerError(
                f"{service} answered {answer.status_code} to {method} {path}: {answer.text[:500]}"
            )
        return answer.json()

    async def is_ready(self, service: str) -> bool:
        """Whether it takes requests."""
        try:
            return (await self._client.get(f"{self.urls[service]}/healthz/ready")).is_success
        except httpx.TransportError:
            return False
