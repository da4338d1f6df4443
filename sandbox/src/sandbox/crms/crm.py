"""What the sample asks of every CRM: to run, to let Leadbus in, and to be worked in by hand."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from sandbox.crms.tables import Kind, Record, Tables
from sandbox.servers import ServerError
from sandbox.servers.process import Process

LEAD_SOURCE = "Leadbus"
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody whom a CRM knows before Leadbus does. number: of this record among the person's.

    closed: a lead that nobody works on any more.
    """

    kind: Kind
    email: str
    number: int = 0
    closed: bool = False


class Crm(ABC):
    """One organisation's CRM as a process of its own.

    connector: the service that serves it. told: finds the sentence in which that says how it speaks with it.
    pushes: whether it tells of changes, to a hook of the connection.
    statuses: that a salesperson gives to leads. stages: that opportunities are in, with an amount.
    """

    connector: ClassVar[str]
    told: ClassVar[re.Pattern[str]]
    pushes: ClassVar[bool] = False
    statuses: ClassVar[tuple[str, ...]]
    stages: ClassVar[tuple[tuple[str, str], ...]]

    def __init__(self, name: str, title: str, port: int, folder: Path, command: Sequence[str]) -> None:
        self.name, self.title = name, title
        self.url = f"http://127.0.0.1:{port}"
        database = ["--database", str((folder / f"{name}.sqlite").resolve())]
        started = [*command, "--port", str(port), *database]
        self.process = Process(f"The CRM {name}", started, folder / f"{name}.log")
        # Uvicorn hangs up on whoever is silent for five seconds.
        limits = httpx.Limits(keepalive_expiry=3.0)
        self._client = httpx.AsyncClient(
            base_url=f"{self.url}/_sandbox", timeout=60, trust_env=False, limits=limits
        )

    @property
    def page(self) -> str:
        """Where a person sees its leads."""
        return f"{self.url}/_sandbox/records?module=Leads"

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

    @abstractmethod
    async def prepare(self, password: str) -> None:
        """What its administrator does once, before anybody connects to it; doing it again changes nothing."""

    @abstractmethod
    async def settings(self, password: str) -> dict[str, Any]:
        """What its owner enters for a new connection to it, access included."""

    @abstractmethod
    async def tables(self) -> Tables:
        """What is in it now. Raises ServerError."""

    @abstractmethod
    async def enter(self, customers: Iterable[Customer]) -> set[str]:
        """Enters people as somebody typed them in long ago, unless they are there; the ids of the records."""

    @abstractmethod
    async def set_status(self, lead: Record, status: str) -> None:
        """An edit in the lead's form."""

    @abstractmethod
    async def sell(self, to: Record, name: str, stage: str, amount: str) -> None:
        """A new opportunity with the person; a lead is converted for it."""

    async def do(self, what: str, **facts: Any) -> Any:
        """What a person does by hand; see the simulator's `backdoor`."""
        return await self._ask("POST", what, json=facts)

    async def rows(self, module: str) -> list[dict[str, Any]]:
        """All rows of a table, deleted ones too, as the CRM has them stored."""
        found: list[dict[str, Any]] = await self._ask("GET", "records", params={"module": module})
        return found

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


class Organisation(ABC):
    """A tenant's CRM as the cast names it. title: what kind of CRM it is, for people."""

    tenant: str
    title: str

    @abstractmethod
    def crm(self, folder: Path, port: int) -> Crm:
        """Its process, not started. folder: of its data and log."""
