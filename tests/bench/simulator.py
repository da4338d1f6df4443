"""The simulator of a CRM as a process of its own, with a cost per call and per written row."""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx

from sandbox.servers.process import Process, free_port

LEAD_SOURCE = "Leadbus"
_READY_SECONDS = 30.0

Kind = TypeVar("Kind", bound="Simulator")


class Simulator(ABC):
    """Its url, and what an administrator and a judge do there.

    tables: of leads and of notes, and the column of a note that has the id of whatever it is on.
    """

    tables: ClassVar[tuple[str, str, str]]

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self.url = url
        self._client = client

    @abstractmethod
    async def access(self) -> dict[str, Any]:
        """How a connection gets in."""

    async def calls(self) -> int:
        """HTTP calls answered so far, of all kinds."""
        return sum((await self.calls_by_operation()).values())

    async def calls_by_operation(self) -> dict[str, int]:
        """The same by operation."""
        counted: dict[str, int] = await self._ask("GET", "calls")
        return counted

    async def requests(self) -> int:
        """What the CRM holds against its limits so far: calls, or what is in them."""
        return await self.calls()

    async def notes_by_email(self, emails: Collection[str]) -> dict[str, list[int]]:
        """Of these people: how many notes each of their leads has."""
        leads, notes, about = self.tables
        noted = Counter(row[about] for row in await self.records(notes))
        found: dict[str, list[int]] = defaultdict(list)
        for row in await self.records(leads):
            if row["email"] in emails:
                found[row["email"]].append(noted[row["id"]])
        return found

    async def records(self, module: str) -> list[dict[str, Any]]:
        """Every row, as stored."""
        rows: list[dict[str, Any]] = await self._ask("GET", "records", params={"module": module})
        return rows

    async def _ask(self, method: str, page: str, **request: Any) -> Any:
        answer = await self._client.request(method, f"/_sandbox/{page}", **request)
        answer.raise_for_status()
        return answer.json()


@asynccontextmanager
async def running(kind: type[Kind], program: str, folder: Path, *options: str) -> AsyncIterator[Kind]:
    """A new one, ready, ended at the end. program: such as sandbox.sugar."""
    port = free_port()
    command = [sys.executable, "-m", program, "--port", str(port), *options]
    process = Process("The CRM", command, folder / f"crm-{port}.log")
    url = f"http://127.0.0.1:{port}"
    await process.start()
    try:
        async with httpx.AsyncClient(base_url=url, timeout=300, trust_env=False) as client:
            crm = kind(url, client)
            async with asyncio.timeout(_READY_SECONDS):
                while not await _answers(crm):
                    process.check()
                    await asyncio.sleep(0.05)
            yield crm
    finally:
        await process.stop()


async def _answers(crm: Simulator) -> bool:
    try:
        await crm.calls()
    except httpx.TransportError:
        return False
    return True
