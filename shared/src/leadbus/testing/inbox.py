"""Everything that connectors publish, by anybody, as it comes in."""

import asyncio
from contextlib import suppress
from typing import TypeVar

from aiokafka import AIOKafkaConsumer

from leadbus.messages import Message
from leadbus.topics import BY_NAME, LEADS_ANSWERED, TOPICS

Told = TypeVar("Told", bound=Message)

LISTENED = (*(topic for topic in TOPICS if topic.name.startswith("crm.")), LEADS_ANSWERED)


class Inbox:
    """One consumer for all cases; a tenant of one's own tells them apart."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self.seen: list[Message] = []
        self._prefix = prefix
        self._consumer = AIOKafkaConsumer(
            *(prefix + topic.name for topic in LISTENED),
            bootstrap_servers=bootstrap_servers,
            auto_offset_reset="earliest",
        )
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns once it listens."""
        await self._consumer.start()
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Ends it; what came in stays."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self._consumer.stop()

    def of(self, kind: type[Told], tenant: str) -> list[Told]:
        """Messages of one kind about one tenant, in the order they came in."""
        return [m for m in self.seen if isinstance(m, kind) and m.tenant_id == tenant]

    async def _listen(self) -> None:
        async for record in self._consumer:
            if record.value is not None:
                topic = BY_NAME[record.topic.removeprefix(self._prefix)]
                self.seen.append(topic.message.model_validate_json(record.value))
