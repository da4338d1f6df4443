"""A member killed at the worst moments, as a real process by a real SIGKILL."""

import asyncio
import sys
from pathlib import Path

from leadbus.topics import LEADS_SCORED

CRASHING = Path(__file__).with_name("crashing.py")


async def crash(bench, point):
    """Runs a member in a process of its own and kills it at `point`."""
    arguments = (bench.kafka.bootstrap_servers, bench.mongodb.url, bench.prefix, point)
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CRASHING), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30):
            assert await child.stdout.readline() == b"here\n"
    finally:
        child.kill()
        await child.wait()


async def test_what_a_killed_member_owed_is_published_and_what_it_had_begun_is_done_once(
    kafka, own_mongodb, install
):
    """All at once, because the group waits ten seconds for a member that vanished."""
    people = [f"p{n}" for n in range(100)]
    names = [f"{p}:0" for p in people]

    async def killed_before_publishing(bench) -> None:
        await bench.publish(*map(bench.event, people))
        await crash(bench, "publish")
        first = await bench.counts()
        assert first  # the transaction is there
        assert await bench.emitted() == []
        async with bench.running() as member:
            await bench.until_counted(names, within=30)
            await bench.until_emitted(names)
            assert {r.message.event_id for r in member.handler.seen} == set(names) - set(first)
        emitted = [(r.key, r.value) for r in await bench.log_of(LEADS_SCORED.name)]
        expected = [bench.scored(name, "acme", name.split(":")[0]) for name in names]
        assert sorted(emitted) == sorted((r.key, r.value) for r in expected)

    async def killed_before_committing(bench) -> None:
        # MongoDB keeps the transaction of a vanished client, and with it the partition's row, this long.
        await bench.client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 4})
        await bench.publish(*map(bench.event, people))
        await crash(bench, "commit")
        assert await bench.counts() == {}
        async with bench.running():
            await bench.until_counted(names, within=30)
            await bench.until_emitted(names)
        assert await bench.emitted() == sorted(names)

    async def killed_with_a_batch_written_and_the_next_one_computed(bench) -> None:
        await bench.publish(*(bench.event(person, n) for n in range(5) for person in people[:10]))
        await crash(bench, "beside")
        assert len(once(await bench.people())) == 10  # the first batch, and nothing of the second
        async with bench.running(bench.member(kind=bench.keeping)):
            await bench.until_emitted(
                [f"{person}:{n}" for n in range(5) for person in people[:10]], within=30
            )
        assert await bench.people() == {person: [f"{person}:{n}" for n in range(5)] for person in people[:10]}

    async with (
        install(kafka, own_mongodb) as one,
        install(kafka, own_mongodb) as other,
        install(kafka, own_mongodb) as third,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(killed_before_publishing(one))
        group.create_task(killed_before_committing(other))
        group.create_task(killed_with_a_batch_written_and_the_next_one_computed(third))


def once(people):
    """All event ids."""
    return [name for names in people.values() for name in names]
