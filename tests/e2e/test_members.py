"""A second owner: it slept longer than its lease and its session, and wakes up as if nothing had happened."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rig.children import Child
from rig.installation import Installation
from rig.tenant import Tenant

from leadbus.testing.waiting import until
from sandbox.servers import MongoDB
from sandbox.sugar import desk

SLEEP = 17.0
"""Seconds: longer than a lease (15) and than a session in the group (10)."""
FORM = ("telequalification", "form_submission", "web_view")


async def test_an_owner_that_wakes_up_after_others_took_over_writes_and_counts_nothing_twice(
    ours: Installation,
) -> None:
    tenant = await ours.tenant()
    people = tenant.people(30)
    worker = await until(lambda: worker_of(ours, tenant), "a worker")
    # The worker falls asleep while the CRM carries out its creates, and with it a member of scoring.
    hanging = tenant.crm.faults.add("hang", operation="set_entries", module="Leads")
    await tenant.post("distributions", [tenant.distribution(person) for person in people[:10]])
    await until(lambda: hanging.struck, "a create")
    asleep = [worker, ours.scoring]
    with frozen(ours.mongodb):
        # In hand when it falls asleep: polled, and waiting for what MongoDB has of these people.
        await tenant.post("events", [tenant.event(person) for person in people for _ in range(5)])
        await asyncio.sleep(0.5)
        for child in asleep:
            child.freeze()
    posting = asyncio.create_task(tenant.traffic(people, 300, 30, 0.2))
    try:
        tenant.crm.faults.clear()
        await asyncio.sleep(SLEEP)
        others = [child for child in ours.members["connector-sugar"] if child is not worker]
        await until(lambda: worker_of(ours, tenant) in others, "another worker")
        # There is work for both when the sleepers wake up.
        await tenant.post("events", [tenant.event(person, type) for person in people for type in FORM])
    finally:
        before = len(ours.scoring.lines())
        for child in asleep:
            child.thaw()
    await posting
    await ours.until_drained()
    await tenant.judge()
    assert len(desk.records(tenant.crm.store, "Leads")) == len(people)
    assert all(child.runs for child in ours.all)
    if ours.mongodb.pid is not None:
        said = [line["message"] for line in ours.scoring.lines()[before:]]
        assert any("Another owner" in message for message in said), "it had nothing in hand"


@contextmanager
def frozen(server: MongoDB) -> Iterator[None]:
    """Does not answer meanwhile; goes on where it was. One in a container is left alone."""
    if server.pid is None:
        yield
        return
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def worker_of(ours: Installation, tenant: Tenant) -> Child | None:
    """The connector that was the last to say that it works the tenant's organisation."""
    said = [
        (line["time"], child.port, child)
        for child in ours.members["connector-sugar"]
        for line in child.lines()
        if line["message"] == f"working organisation {tenant.organisation}"
    ]
    return max(said)[-1] if said else None
