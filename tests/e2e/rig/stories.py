"""What is told aside: a crash at the worst moment, and servers gone for half a minute."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from typing import Any

from leadbus.testing.waiting import PATIENCE, until
from rig.children import Child
from rig.installation import Installation
from rig.tenant import Tenant
from sandbox.servers import Kafka, MongoDB

OVER_THE_THRESHOLD = ("telequalification", "form_submission", "web_view")
AWAY = 30.0
APART = 6.0
"""Seconds by which MongoDB's absence begins and ends later than Kafka's."""
MOST_LINES = 40
"""Of log per service, for both outages and what comes after."""
MOST_GROWTH = 30.0
"""Megabytes."""
SLOWEST = 18.0
"""Seconds in which ingest says no: its own patience is 10, MongoDB's client's is 5."""


async def killed_before_publishing(apart: Installation) -> None:
    """Scoring is killed when its transaction is committed and Kafka has not taken what follows from it."""
    assert apart.mongodb.pid is not None
    tenant = await apart.tenant()
    people = tenant.people(12)
    await tenant.post("events", [tenant.event(people[0])])  # ingest knows the key from here on
    await apart.until_drained()
    os.kill(apart.mongodb.pid, signal.SIGSTOP)
    try:
        # Accepted and polled, but not applied: MongoDB does not answer.
        await tenant.post("events", [tenant.event(p, type) for p in people for type in OVER_THE_THRESHOLD])
        await asyncio.sleep(1)
        await apart.kafka.kill()
    finally:
        os.kill(apart.mongodb.pid, signal.SIGCONT)

    async def committed() -> bool:
        qualified = {"tenant_id": tenant.name, "qualified": {"$ne": []}}
        return bool(await apart.db["scoring.prospects"].count_documents(qualified))

    await until(committed, "the transaction")
    for child in apart.members["scoring"]:
        child.kill()
    await apart.kafka.start()
    assert not await qualifications(apart, tenant)
    for child in apart.members["scoring"]:
        child.spawn()
    await apart.until_drained()
    await tenant.judge()
    assert set((await qualifications(apart, tenant)).values()) == {1}


async def qualifications(apart: Installation, tenant: Tenant) -> Counter[str]:
    """How often each qualification of the tenant was published."""
    values = [json.loads(record.value) for record in await apart.records("leads.qualified")]
    return Counter(value["event_id"] for value in values if value["tenant_id"] == tenant.name)


async def servers_gone(apart: Installation) -> None:
    """Kafka goes, then MongoDB; Kafka comes back, then MongoDB; upstream posts all the time."""
    tenant = await apart.tenant()
    upstream = Upstream(tenant, apart.ingest.url)
    posting = asyncio.create_task(upstream.run())
    leaving = [apart.members[service].pop() for service in ("scoring", "connector-sugar")]
    try:
        await asyncio.sleep(3)
        before = apart.ingest.resident_megabytes()
        lines = {child: len(child.log.read_text().splitlines()) for child in apart.all}
        async with asyncio.TaskGroup() as group:
            group.create_task(away(apart.kafka, 0))
            group.create_task(away(apart.mongodb, APART))
            group.create_task(stays_alive(apart, AWAY + APART))
            for child in leaving:
                group.create_task(stops_meanwhile(child))
        await asyncio.sleep(1)
        assert apart.ingest.resident_megabytes() < before + MOST_GROWTH
        upstream.ending = True
        await asyncio.wait_for(posting, PATIENCE)
    finally:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    assert set(upstream.statuses) == {202, 503}
    assert upstream.slowest < SLOWEST
    await apart.until_drained()
    await tenant.judge()
    for child in apart.all:
        written = child.log.read_text().splitlines()[lines[child] :]
        assert len(written) < MOST_LINES, "\n".join(written)
        assert not [line for line in written if "Traceback" in line]
    for child in apart.all:
        assert await child.stop() == 0


class Upstream:
    """Posts a little, all the time; what is not accepted is sent again with the same ids, as asked."""

    def __init__(self, tenant: Tenant, url: str) -> None:
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.ending = False
        self._tenant = tenant
        self._url = url

    async def run(self) -> None:
        people = self._tenant.people(30)
        while not self.ending:
            await self._until_accepted("events", [self._tenant.event(person) for person in people[:20]])
            await self._until_accepted("distributions", [self._tenant.distribution(people[-1])])
            people = [*people[1:], people[0]]
            await asyncio.sleep(0.1)

    async def _until_accepted(self, input: str, items: list[dict[str, Any]]) -> None:
        while not await self._is_accepted(input, items):  # noqa: ASYNC110 - time is what is awaited
            await asyncio.sleep(0.5)
        for item in items:
            self._tenant.note(input, item)

    async def _is_accepted(self, input: str, items: list[dict[str, Any]]) -> bool:
        began = time.monotonic()
        async with self._tenant.client(self._url) as client:
            answer = await client.post(f"/v1/{input}", json=items)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        return answer.status_code == 202


async def away(server: Kafka | MongoDB, after: float) -> None:
    await asyncio.sleep(after)
    await server.kill()
    await asyncio.sleep(AWAY)
    await server.start()


async def stays_alive(installation: Installation, seconds: float) -> None:
    """Every service goes on answering that it lives; ingest says that it cannot work."""
    unready: set[str] = set()
    ending = time.monotonic() + seconds
    while time.monotonic() < ending:
        for child in installation.all:
            assert await child.status("/healthz/live") == 200, child.tail()
            if await child.status("/healthz/ready") == 503:
                unready.add(child.service)
        await asyncio.sleep(0.5)
    assert "ingest" in unready


async def stops_meanwhile(child: Child) -> None:
    """A member that is asked to stop while everything it works with is gone stops all the same."""
    await asyncio.sleep(AWAY / 2)
    assert await child.stop(within=20) == 0
