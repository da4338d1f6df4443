"""Topics deleted and made anew, and what becomes of a batch just then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient

from leadbus.provisioning import provision
from leadbus.topics import Topic
from sandbox.servers import Kafka


async def made_anew(kafka: Kafka, topic: Topic, prefix: str) -> None:
    """Deletes the topic, and makes it anew once it is gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([prefix + topic.name])
        async with asyncio.timeout(60):
            while prefix + topic.name in await admin.list_topics():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await admin.close()
    await provision(kafka.bootstrap_servers, [topic], prefix=prefix)


class Wire:
    """Between a producer and its broker. Once told to, it holds a batch until the next one comes, and sends
    it to a topic that is not there: so the broker refuses one and takes the other, as when a topic is made
    anew between the two.
    """

    def __init__(self, kafka: Kafka, topic: str) -> None:
        host, _, port = kafka.bootstrap_servers.rpartition(":")
        self._broker = host, int(port)
        self._topic = topic.encode()
        self.parts_two = False
        self.holds = asyncio.Event()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        broker, ask = await asyncio.open_connection(*self._broker)
        ours, its = self.port.to_bytes(4), self._broker[1].to_bytes(4)
        held = b""

        async def answers() -> None:
            async for frame in _frames(broker):
                answer.write(frame.replace(its, ours))  # or its clients would go past us

        with suppress(ConnectionError):
            async with asyncio.TaskGroup() as group:
                answering = group.create_task(answers())
                async for frame in _frames(client):
                    if self.parts_two and _is_batch(frame):
                        if not held:
                            held = frame.replace(self._topic, self._topic[::-1])
                            self.holds.set()
                            continue
                        ask.write(held)
                        self.parts_two = False
                    ask.write(frame)
                answering.cancel()
        ask.close()
        answer.close()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What Kafka's protocol sends: a length of four bytes, and so many more."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            length = await reader.readexactly(4)
            yield length + await reader.readexactly(int.from_bytes(length))


def _is_batch(request: bytes) -> bool:
    """Whether it is a Produce request: the first of all kinds."""
    return request[4:6] == b"\0\0"
