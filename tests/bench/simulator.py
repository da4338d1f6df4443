"""The simulator of a SugarCRM as a process of its own, with a cost per call and per written row."""

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from sandbox.servers.process import Process, free_port

LEAD_SOURCE = "Leadbus"
USER = PASSWORD = "admin"
PLATFORM = "leadbus"
CALL_MS, ROW_MS = 50.0, 10.0
"""What a call takes at least, and what each row it writes adds; calls of one session run one at a time."""
_LOADED_AT_ONCE = 5_000


class Simulator:
    """Its url, and what an administrator and a judge do there. pid: of the process."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    async def calls(self) -> int:
        """HTTP calls answered so far, of all kinds."""
        return sum((await self.calls_by_operation()).values())

    async def calls_by_operation(self) -> dict[str, int]:
        """The same by operation."""
        counted: dict[str, int] = await self._ask("GET", "calls")
        return counted

    async def records(self, module: str) -> list[dict[str, Any]]:
        """Every row, as stored."""
        rows: list[dict[str, Any]] = await self._ask("GET", "records", params={"module": module})
        return rows

    async def load(self, module: str, rows: Iterable[Mapping[str, str]]) -> None:
        """Creates rows, fast."""
        waiting = iter(rows)
        while batch := list(itertools.islice(waiting, _LOADED_AT_ONCE)):
            await self._ask("POST", "desk/load", json={"module": module, "rows": batch})

    async def slow(self, seconds: float) -> None:
        """Every call takes so long; 0 = as before."""
        await self._ask("DELETE", "faults")
        if seconds:
            await self._ask("POST", "faults", json={"kind": "slow", "seconds": seconds})

    async def settle_in(self, *, modern: bool) -> None:
        """What its administrator does before a connection is made."""
        option = {"field": "lead_source", "name": LEAD_SOURCE}
        for module in ("Leads", "Contacts"):
            await self._ask("POST", "option", json=option | {"module": module})
        if modern:
            await self._ask("POST", "desk/register_platform", json={"name": PLATFORM})

    async def _ask(self, method: str, page: str, **request: Any) -> Any:
        answer = await self._client.request(method, f"/_sandbox/{page}", **request)
        answer.raise_for_status()
        return answer.json()


@asynccontextmanager
async def simulator(
    folder: Path, speaks: str, *, call_ms: float = CALL_MS, row_ms: float = ROW_MS
) -> AsyncIterator[Simulator]:
    """A new one. speaks: see `python -m sandbox.sugar --help`."""
    port = free_port()
    costs = ["--cost-per-call-ms", f"{call_ms:g}", "--cost-per-row-ms", f"{row_ms:g}"]
    command = [sys.executable, "-m", "sandbox.sugar", "--port", str(port), "--speaks", speaks, *costs]
    process = Process("The CRM", command, folder / f"crm-{port}.log")
    url = f"http://127.0.0.1:{port}"
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=url, timeout=300, trust_env=False) as client:
            crm = Simulator(url, client)
            async with asyncio.timeout(30):
                while not await _answers(crm):
                    process.check()
                    await asyncio.sleep(0.05)
            await crm.settle_in(modern=speaks.startswith("sugar-"))
            yield crm
    finally:
        await process.stop()


async def _answers(crm: Simulator) -> bool:
    try:
        await crm.calls()
    except httpx.TransportError:
        return False
    return True
