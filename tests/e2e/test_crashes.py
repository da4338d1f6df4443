"""kill -9 at random moments: nothing is lost, counted twice, or written twice."""

import asyncio
import random

from rig.children import Child
from rig.installation import Installation

SEED = 20_261
KILLS = 2
"""Of each service."""
WITHIN = 10.0
"""Seconds over which they are spread, and the traffic too."""


async def test_services_killed_again_and_again_under_traffic_lose_and_double_nothing(
    ours: Installation,
) -> None:
    """With four members of scoring, and then five."""
    tenant, chance = await ours.tenant(), random.Random(SEED)
    people = tenant.people(60)
    clock = asyncio.get_running_loop()
    began = clock.time()

    async def kill(children: list[Child], moments: list[float]) -> None:
        for moment in moments:
            await asyncio.sleep(began + moment - clock.time())
            child = chance.choice(children)
            child.kill()
            child.spawn()

    async def add_the_fifth() -> None:
        await asyncio.sleep(WITHIN / 2)
        await ours.spawn("scoring").until_ready()

    async with asyncio.TaskGroup() as group:
        group.create_task(tenant.traffic(people, 300, 60, WITHIN / 80))
        group.create_task(add_the_fifth())
        for children in list(ours.members.values()):
            moments = sorted(chance.uniform(0.5, WITHIN) for _ in range(KILLS))
            group.create_task(kill(children, moments))
    await ours.until_drained()
    await tenant.judge()
    assert tenant.answers[0]  # ingest was away under traffic
    assert len(tenant.events) == 300
    assert len(tenant.distributions) == 60
    # All five have a share, and each prospect's topics meet on one of them.
    await tenant.post("events", [tenant.event(person) for person in tenant.people(80)])
    await ours.until_drained()
    await tenant.judge()
    assert all([await has_a_share(child) for child in ours.members["scoring"]])


async def has_a_share(child: Child) -> bool:
    lag = [line for line in (await child.metrics()).splitlines() if line.startswith("leadbus_consumer_lag")]
    return any('"marketing.events"' in line for line in lag)
