"""How long anybody had to wait: the longest stall of each service, in seconds, as its users see it."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from sandbox.crms.tables import Tables
from sandbox.judge.expectation import expect
from sandbox.upstream.account import Answered

_BETWEEN_LOOKS = 0.25

Offsets = Mapping[TopicPartition, int]


def without_answer(requests: Iterable[tuple[float, float]]) -> float:
    """Of requests, by when each was sent and answered: the longest time in which one waited and none was
    answered."""
    ordered = sorted(requests, key=lambda request: request[1])
    # For each: when the first of those was sent that had no answer before it.
    since = reversed(list(accumulate((sent for sent, _ in reversed(ordered)), min)))
    longest, last_answer = 0.0, float("-inf")
    for (_, answered), waiting_since in zip(ordered, since, strict=True):
        longest = max(longest, answered - max(last_answer, waiting_since))
        last_answer = answered
    return longest


def of_ingest(items: Iterable[Answered]) -> float:
    """The longest time without an accepted request."""
    moments = {(item.sent_at, item.answered_at) for item in items}
    return without_answer((sent, answered) for sent, answered in moments if sent and answered)


def of_crms(items: Iterable[Answered], crms: Mapping[str, Tables]) -> dict[str, float]:
    """By tenant: the longest time from the answer to a lead until its person was in the CRM."""
    sent = expect(items)
    return {
        tenant: max(
            (
                record.created - person.handed[1]
                for person in sent.people[tenant].values()
                for record in tables.by_email.get(person.email, [])[:1]
                if person.handed and record.ours and record.created >= person.handed[0]
            ),
            default=0.0,
        )
        for tenant, tables in crms.items()
    }


class Backlog:
    """One consumer group's: for each partition, since when records wait there."""

    def __init__(self) -> None:
        self._seen: dict[TopicPartition, deque[tuple[int, float]]] = {}
        self.longest = 0.0

    def look(self, now: float, ends: Offsets, applied: Offsets) -> None:
        """ends: where partitions end; applied: up to where the group has come, from 0."""
        for partition, end in ends.items():
            seen = self._seen.setdefault(partition, deque())
            if end > (seen[-1][0] if seen else applied.get(partition, 0)):
                seen.append((end, now))
            if seen:  # the first that waits has done so since it was seen
                self.longest = max(self.longest, now - seen[0][1])
            while seen and seen[0][0] <= applied.get(partition, 0):
                seen.popleft()


class Watch:
    """Looks at groups four times a second while inside `async with`; stalls: the longest wait of each."""

    def __init__(self, bootstrap_servers: str, groups: Iterable[str]) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
        self._backlogs = {group: Backlog() for group in groups}
        self._task: asyncio.Task[None] | None = None

    @property
    def stalls(self) -> dict[str, float]:
        """Seconds, by group."""
        return {group: backlog.longest for group, backlog in self._backlogs.items()}

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._consumer.start()
        self._task = asyncio.create_task(self._look_again_and_again())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()
        await self._admin.close()

    async def _look_again_and_again(self) -> None:
        while True:
            for group, backlog in self._backlogs.items():
                # While a group's members come and go, its coordinator may answer that it is busy.
                with suppress(KafkaError):
                    await self._look(group, backlog)
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def _look(self, group: str, backlog: Backlog) -> None:
        found = await self._admin.list_consumer_group_offsets(group)
        applied = {partition: told.offset for partition, told in found.items()}
        ends: Offsets = await self._consumer.end_offsets(list(applied)) if applied else {}
        backlog.look(time.monotonic(), ends, applied)
