"""A connector as a process of its own, asked over HTTP like by anybody else."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.simulator import LEAD_SOURCE, Simulator
from sandbox.servers.process import Process, free_port

TOKEN = "an operator's token"
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Connector:
    """One that is ready."""

    process: Process
    client: httpx.AsyncClient

    async def connect(self, tenant: str, crm: Simulator, **settings: Any) -> str:
        """A connection that is on; its name. Keywords are settings that differ from the defaults."""
        name = f"{tenant}-crm"
        body = {"tenant_id": tenant, "access": await crm.access(), "lead_source": LEAD_SOURCE} | settings
        await self._ask("PUT", f"connections/{name}", json=body)
        await self.turn(name, "on")
        return name

    async def turn(self, connection: str, way: str) -> None:
        """On or off. Raises RuntimeError if the test before finds something wrong."""
        turned = await self._ask("POST", f"connections/{connection}/{way}")
        if not turned["ok"]:
            wrong = "; ".join(finding["what"] for finding in turned["findings"] if not finding["ok"])
            raise RuntimeError(f"The connection cannot be turned on: {wrong}")

    async def pulls(self, connection: str) -> dict[str, dict[str, Any]]:
        """How reading goes, by kind of record."""
        answer = await self._ask("GET", f"connections/{connection}/pulls")
        return {pull["kind"]: pull for pull in answer["pulls"]}

    async def until_read(self, connection: str) -> None:
        """Returns when everything was read once."""
        while any(p["state"] in ("waiting", "first sync") for p in (await self.pulls(connection)).values()):
            self.process.check()
            await asyncio.sleep(0.1)

    def peak_mib(self) -> float:
        """The most memory the process has held so far (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    async def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self.client.request(method, f"/v1/{path}", **request)
        if answer.is_error:
            raise RuntimeError(f"{method} {path} was answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()


@asynccontextmanager
async def connector(name: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Connector]:
    """A new one, ready, stopped at the end. name: such as connector-sugar."""
    port = free_port()
    own = f"{name.upper().replace('-', '_')}_PORT"
    told = {**environment, "LEADBUS_OPERATOR_TOKEN": TOKEN, own: str(port)}
    program = str(Path(sys.executable).with_name("leadbus"))
    command = [shutil.which("env") or "/usr/bin/env", *(f"{name}={value}" for name, value in told.items())]
    process = Process(name, [*command, program, "run", name], folder / f"connector-{port}.log")
    await process.start()
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=300,
            trust_env=False,
        ) as client:
            await _until_ready(process, client)
            yield Connector(process, client)
    finally:
        await process.stop()


async def _until_ready(process: Process, client: httpx.AsyncClient) -> None:
    until = time.monotonic() + _READY_SECONDS
    while True:
        process.check()
        try:
            if (await client.get("/healthz/ready")).is_success:
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > until:
            raise RuntimeError(f"The connector is not ready. {process.tail()}")
        await asyncio.sleep(0.05)
