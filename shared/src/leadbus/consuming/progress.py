"""How far a member is, told to Kafka and the metrics. Lag alone is told by it, so no batch waits for it."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from leadbus.consuming.ledger import Partition
from leadbus.telemetry import Gauge, Level, names

log = logging.getLogger(__name__)

MEASURE_SECONDS = 1.0
TELL_SECONDS = 2.0


class Progress:
    """Of one member. offsets: what is committed. name: a partition's, on the wire."""

    def __init__(
        self,
        lag: Gauge,
        offsets: Callable[[], Mapping[Partition, int]],
        name: Callable[[Partition], TopicPartition],
    ) -> None:
        self._lag = lag
        self._offsets = offsets
        self._name = name
        self._measuring: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._told: Mapping[Partition, int] = {}

    def start(self, consumer: AIOKafkaConsumer) -> None:
        """Measures from now on."""
        self._measuring = asyncio.create_task(self._measure(consumer), name="measuring lag")

    def stop(self) -> None:
        """Measures no more."""
        if self._measuring is not None:
            self._measuring.cancel()

    def begin(self) -> None:
        """The partitions are others now."""
        self._lag.clear()
        self._told = {}

    def tell(self, consumer: AIOKafkaConsumer) -> None:
        """Has Kafka told, beside whatever goes on."""
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(consumer), name="progress")

    async def told(self) -> None:
        """Waits until Kafka knows, or cannot be told."""
        if self._telling is not None:
            await asyncio.wait([self._telling])

    async def _tell(self, consumer: AIOKafkaConsumer) -> None:
        while (offsets := self._offsets()) != self._told:
            moved = [
                partition for partition, offset in offsets.items() if self._told.get(partition) != offset
            ]
            ours = consumer.assignment()
            news = {
                name: offsets[partition] for partition in moved if (name := self._name(partition)) in ours
            }
            try:
                await asyncio.wait_for(consumer.commit(news), TELL_SECONDS)
            except (KafkaError, RuntimeError, TimeoutError) as error:
                log.debug("Kafka did not take the offsets (%s).", type(error).__name__)
                return
            self._told = offsets

    async def _measure(self, consumer: AIOKafkaConsumer) -> None:
        """Also while a batch is held up: what is fetched ahead meanwhile says how far the log has grown."""
        while True:
            await asyncio.sleep(MEASURE_SECONDS)
            self._lag.replace(self._levels(consumer))

    def _levels(self, consumer: AIOKafkaConsumer) -> list[Level]:
        ours = consumer.assignment()
        levels: list[Level] = []
        for partition, offset in self._offsets().items():
            name = self._name(partition)
            end = consumer.highwater(name) if name in ours else None
            if end is not None:
                labels = {names.DESTINATION: partition[0], names.PARTITION: str(partition[1])}
                levels.append((max(0, end - offset), labels))
        return levels
