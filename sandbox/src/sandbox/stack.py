"""Everything of one stack, started side by side: servers, CRMs, and Leadbus as one child process."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sandbox.cast import ORGANISATIONS
from sandbox.mail import MailServer
from sandbox.place import Place
from sandbox.servers import ServerError, World
from sandbox.services import NAMES, Services

SAMPLED = "0.05"
"""Of ordinary requests; those of distributions and forms are always followed."""


class Stack:
    """`async with` starts it and ends it again; inside, everything takes requests."""

    def __init__(self, place: Place, progress: Callable[[str], None]) -> None:
        self._ports = place.ports()
        self._place = place
        self._progress = progress
        self.world = World(place.folder, ports=self._ports, progress=progress)
        folder = place.folder / "crm"
        self.crms = {o.tenant: o.crm(folder, self._ports[f"crm-{o.tenant}"]) for o in ORGANISATIONS}
        self.mail = MailServer(port=self._ports["mail"], smtp_port=self._ports["smtp"])
        self.services: Services | None = None
        # Where servers are shared with others, everything of ours has a name of its own.
        own = f"sandbox-{place.own_name()}"
        self.topic_prefix = f"{own}." if os.environ.get("KAFKA_BOOTSTRAP_SERVERS") else ""
        self._database = own if os.environ.get("MONGODB_URL") else "leadbus"

    @property
    def running(self) -> Services:
        """The services; only inside `async with`."""
        if self.services is None:
            raise ServerError("The services are not started.")
        return self.services

    @property
    def bootstrap_servers(self) -> str:
        """Of Kafka."""
        return self.world.kafka.bootstrap_servers

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.TaskGroup() as group:
                world = group.create_task(self.world.start())
                group.create_task(self.mail.start())
                for crm in self.crms.values():
                    group.create_task(crm.start())
                group.create_task(self._start_services(world))
        except BaseExceptionGroup as failures:
            await self._stop()
            raise failures.exceptions[0] from None
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def check(self) -> None:
        """Raises ServerError if Leadbus or a CRM has ended by itself."""
        for process in (self.running.process, *(crm.process for crm in self.crms.values())):
            process.check()

    async def _start_services(self, world: asyncio.Task[None]) -> None:
        """Beside the servers, as soon as it is known where those will be."""
        while not (self.world.kafka.address and self.world.mongodb.address):
            if world.done():
                return
            await asyncio.sleep(0.01)
        self.services = Services(
            self._place.folder / "leadbus", self._ports, self._environment(), self._place.operator_token()
        )
        await self.services.start()
        await world
        self._progress("Kafka and MongoDB are ready; waiting for Leadbus")
        await self.services.until_ready()

    async def _stop(self) -> None:
        """Leadbus first, so that it can still write down where it is."""
        if self.services:
            await self.services.stop()
        await asyncio.gather(*(crm.stop() for crm in self.crms.values()), self.world.stop(), self.mail.stop())

    def _environment(self) -> dict[str, str]:
        """Without the variables that we were given ourselves: children inherit those."""
        told = {
            "KAFKA_BOOTSTRAP_SERVERS": self.world.kafka.bootstrap_servers,
            "MONGODB_URL": self.world.mongodb.url,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": SAMPLED,
            "OTEL_BSP_SCHEDULE_DELAY": "1000",
        }
        told = {name: value for name, value in told.items() if not os.environ.get(name)}
        return told | {
            "MONGODB_DATABASE": self._database,
            "LEADBUS_TOPIC_PREFIX": self.topic_prefix,
            "LEADBUS_SECRET_KEY_FILE": str(self._place.secret_key()),
            "LEADBUS_ALLOW_INTERNAL_ADDRESSES": "127.0.0.1",
            **self.mail.environment,
            **self.world.zipkin.environment,
        }

    def shell_variables(self) -> dict[str, str]:
        """What the `leadbus` command needs to find this stack."""
        urls = self.running.urls
        token = _shown(self._place.operator_token())
        return {"LEADBUS_OPERATOR_TOKEN": f"$(cat {token})"} | {
            f"LEADBUS_{name.upper().replace('-', '_')}_URL": urls[name] for name in NAMES
        }


def _shown(path: Path) -> str:
    """Relative where that is shorter."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
