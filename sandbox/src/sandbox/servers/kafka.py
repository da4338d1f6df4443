"""Apache Kafka, one node: named by KAFKA_BOOTSTRAP_SERVERS, in a container, or from its published jars."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sandbox.servers import java, kraft
from sandbox.servers.container import Container
from sandbox.servers.process import Process, free_port
from sandbox.servers.server import Server


class Kafka(Server):
    """A Kafka that answers its admin client, with the consumer groups' coordinator ready."""

    name = "Kafka"
    variable = "KAFKA_BOOTSTRAP_SERVERS"
    embedded = f"Apache Kafka {kraft.VERSION} from its published jars, with its data in {{data}}"
    image = f"apache/kafka:{kraft.VERSION}"

    _rehearsing: Path | None = None

    @property
    def bootstrap_servers(self) -> str:
        """`host:port`, for every Kafka client."""
        return self.address

    @classmethod
    async def rehearse(cls) -> None:
        """Start and stop a broker, once per user (6-10 s): from then on brokers start in half the time.

        For who starts many, as the tests do.

        Raises:
            ServerError: the broker cannot be had, ended, or does not answer in time.
        """
        with java.made_once(kraft.rehearsal()) as filling:
            if filling is not None:
                broker = cls(filling / "data", environ={})
                broker._rehearsing = filling
                async with broker:
                    pass
                await asyncio.to_thread(shutil.rmtree, broker.data)

    async def _process(self) -> Process:
        self.port = self.port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        classes = await java.jars(kraft.PROGRAM, self.progress)
        # By its port: a second server on these data is refused, and must not change how the first starts.
        settings = self.data / f"server-{self.port}.properties"
        await asyncio.to_thread(self._prepare, classes, settings, self.port)
        flags = kraft.flags(self._rehearsing)
        command = java.command(classes, "kafka.Kafka", str(settings), heap_megabytes=768, flags=flags)
        grace = 60.0 if self._rehearsing else 10.0
        return Process(self.name, command, self.data / "kafka.log", grace=grace)

    def _prepare(self, classes: Path, settings: Path, port: int) -> None:
        logs = self.data / "logs"
        kraft.format_once(logs, classes)
        ours = kraft.properties(
            listen="127.0.0.1", advertised=self.address, broker=port, controller=free_port()
        )
        kraft.write(ours | {"log.dirs": str(logs)}, settings)

    def _container(self) -> Container:
        self.port = self.port or free_port()
        container = Container(self.image, inner_port=9092, port=self.port)
        self.address = f"{container.host}:{self.port}"
        settings = kraft.properties(listen="0.0.0.0", advertised=self.address, broker=9092, controller=9093)  # noqa: S104 - inside the container
        container.configure(kraft.as_environment(settings))
        return container

    async def _ready(self) -> bool:
        with _aiokafka_silenced():
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=5000)
            try:
                await admin.start()
                cluster = await admin.describe_cluster()
                # The first question about a group makes Kafka create the topic of the groups' offsets;
                # asked here, no service has to wait for it with warnings in its log.
                await admin.find_coordinator("leadbus-sandbox-readiness")
            except (KafkaError, OSError):
                return False
            finally:
                await admin.close()
            return bool(cluster["brokers"])


@contextmanager
def _aiokafka_silenced() -> Iterator[None]:
    """While a broker starts, each refused connection would be an error in the person's terminal."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
