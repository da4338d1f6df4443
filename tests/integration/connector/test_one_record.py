"""One person, one record: under crashes at the worst moments, two pods, and records deleted in the CRM."""

import asyncio
import json
import sys
import time
from pathlib import Path

from leadbus.connector.link import LinkState
from leadbus.ids import prospect_id
from leadbus.topics import CRM_DELIVERIES
from sandbox.sugar import desk

OFTEN = {"lead": {"every_seconds": 1}, "opportunity": {"every_seconds": 1}}
ANN, BOB = "ann@example.com", "bob@example.com"
CRASHING = Path(__file__).with_name("crashing.py")


async def link_of(bench, email, tenant=None):
    prospect = prospect_id(tenant or bench.tenant, email=email)
    (link,) = [row async for row in bench.database["connector-sugar.links"].find({"prospect_id": prospect})]
    return link


async def crash(bench, mongodb, points):
    """Works in a process of its own until each CRM has got to its point, and is killed then."""
    arguments = (mongodb.url, bench.database.name, json.dumps(points))
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(CRASHING), *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30):
            for _ in points:
                assert await child.stdout.readline() == b"here\n"
    finally:
        child.kill()
        await child.wait()
    # As if the dead pod's lease had run out.
    await bench.database["connector-sugar.leases"].delete_many({})


async def test_what_a_killed_pod_had_in_hand_becomes_one_record_and_is_told(
    bench, mongodb, leads, notes, did, until
):
    """Killed at three moments at once: in each of three CRMs at another."""
    moments = {"before create": (0, "in_doubt"), "after create": (1, "in_doubt"), "settle": (1, "linked")}
    crms = {}
    for moment in moments:
        tenant = f"{bench.tenant}-{moment.split()[0]}"
        crms[moment] = (await bench.crm(), tenant)
        await bench.connect(crms[moment][0], tenant=tenant)
        await bench.feed(bench.qualified(ANN, did("Prices"), tenant=tenant))
    await crash(bench, mongodb, {crm.url: moment for moment, (crm, _) in crms.items()})
    for moment, (crm, tenant) in crms.items():
        assert (len(leads(crm)), (await link_of(bench, ANN, tenant))["state"]) == moments[moment]
    await bench.pod()
    for crm, tenant in crms.values():
        await until(lambda tenant=tenant: bench.outcomes(tenant))
        await bench.settled(ANN, tenant=tenant)
        assert [lead["email"] for lead in leads(crm)] == [ANN]
        assert len(notes(crm)) == 1
        assert bench.outcomes(tenant) == ["created"]


async def test_two_pods_at_work_on_many_people_make_one_record_each(bench, crm, leads, until):
    await bench.connect(crm)
    await bench.connect(crm, f"{bench.tenant}-other")
    people = [f"person{n}@example.com" for n in range(40)]
    one, two = await bench.pod(), await bench.pod()
    await bench.feed(*(bench.distributed(person, person) for person in people))
    await one.stop()
    two.workers.settings_changed("any")  # looks at the leases now instead of within seconds
    await until(lambda: len(bench.outcomes()) >= 80, within=20)
    assert sorted(lead["email"] for lead in leads(crm)) == sorted(people)


async def test_the_lease_decides_who_works_and_is_handed_on_at_once_by_a_pod_that_stops(
    bench, crm, leads, until
):
    connection = await bench.connect(crm)
    first, second = await bench.pod(), await bench.pod()
    owner = bench.database["connector-sugar.leases"]
    await until(lambda: owner.find_one({"_id": connection.organisation_id}))
    held = (await owner.find_one())["owner"]
    stays, leaves = (first, second) if held == second.owner else (second, first)
    began = time.monotonic()
    await leaves.stop()
    stays.workers.settings_changed(connection.organisation_id)
    await until(lambda: owner.find_one({"owner": stays.owner}))
    assert (await owner.find_one())["owner"] == stays.owner
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    assert time.monotonic() - began < 10
    assert len(leads(crm)) == 1


class Waiting:
    """An adapter whose look-up by email answers late, as of a pod that stood still meanwhile."""

    def __init__(self, adapter):
        self._adapter, self.asked, self.go_on = adapter, asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def find_by_email(self, emails):
        found = await self._adapter.find_by_email(emails)
        self.asked.set()
        await self.go_on.wait()
        return found


async def test_a_pod_that_lost_its_lease_writes_no_more(bench, crm, leads, until):
    await bench.connect(crm)
    opened = []
    stuck = await bench.pod(wrap=lambda adapter: opened.append(Waiting(adapter)) or opened[-1])
    await bench.feed(bench.distributed(ANN))
    await until(lambda: opened and opened[0].asked.is_set())
    for worker in stuck.workers._workers.values():
        worker.holds_until = time.monotonic()
    opened[0].go_on.set()
    pause = time.monotonic() + 0.5
    await until(lambda: time.monotonic() > pause)
    assert leads(crm) == []
    assert crm.calls["set_entries"] == 0
    assert (await bench.desk.connections.all())[0].health.reason == ""
    for worker in stuck.workers._workers.values():
        worker.holds_until = time.monotonic() + 5
    await until(lambda: bench.outcomes() == ["created"])


async def test_a_crm_that_hangs_does_not_keep_a_pod_from_stopping(bench, crm, until):
    await bench.connect(crm, schedules=OFTEN)
    pod = await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    hang = crm.faults.add("hang")
    await until(lambda: hang.struck)
    began = time.monotonic()
    await pod.stop()
    assert time.monotonic() - began < 20
    assert await bench.database["connector-sugar.leases"].count_documents({}) == 0


async def test_listening_ends_though_its_cancellation_is_lost(bench):
    """As Python 3.11's `wait_for` loses one that comes together with an answer."""
    pod = await bench.pod()
    listening = [task for task in pod.workers._tasks if task.get_name().endswith("due")]
    assert len(listening) == 2
    pod.workers._stopping = True
    done, _ = await asyncio.wait(listening, timeout=10)
    assert len(done) == 2


async def test_a_deleted_record_is_matched_again_by_email(bench, crm, leads, notes, did, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    (lead,) = leads(crm)
    desk.change(crm.store, "Leads", lead["id"], {"deleted": "1"})
    merged = desk.create(crm.store, "Leads", {"last_name": "Merged", "email1": ANN})
    await bench.feed(bench.activities(ANN, did("Prices")))
    await until(lambda: bench.outcomes() == ["created", "matched"])
    assert [note["parent_id"] for note in notes(crm)] == [merged]
    (_, report) = bench.told(CRM_DELIVERIES)
    assert report.record.id == merged
    assert [origin.distribution_id for origin in report.origins] == ["d1"]


async def test_only_a_new_distribution_makes_a_deleted_record_anew(bench, crm, leads, notes, did, until):
    await bench.connect(crm, score_field="lead_score_c")
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    (lead,) = leads(crm)
    desk.change(crm.store, "Leads", lead["id"], {"deleted": "1"})
    await bench.feed(bench.activities(ANN, did("Prices")))
    await until(lambda: bench.outcomes() == ["created", "unlinked"])
    await bench.settled(ANN)
    await bench.feed(bench.scored(ANN, 99, 5), bench.activities(ANN, did("Jobs"), version=6))
    assert not (await bench.delivery(ANN)).is_due
    assert (leads(crm), notes(crm)) == ([], [])
    assert (await link_of(bench, ANN))["state"] == LinkState.UNLINKED

    await bench.feed(bench.distributed(ANN, "d2"))
    await until(lambda: bench.outcomes() == ["created", "unlinked", "created"])
    (again,) = leads(crm)
    assert again["id"] != lead["id"]
    await until(lambda: [note["name"] for note in notes(crm)] == ["Viewed a web page: Jobs"])
    assert [o.distribution_id for o in bench.told(CRM_DELIVERIES)[-1].origins] == ["d1", "d2"]


async def test_a_tenants_record_that_another_tenant_saw_deleted_is_made_under_a_third_id(
    bench, crm, leads, until
):
    """Both count their records on their own: the second tenant's second id is taken, by a deleted record."""
    other = f"{bench.tenant}-two"
    await bench.connect(crm)
    await bench.connect(crm, tenant=other)
    await bench.pod()
    await bench.feed(bench.distributed(ANN, tenant=other))
    await until(lambda: bench.outcomes(other) == ["created"])
    ids = []
    for distribution in ("d1", "d2"):
        await bench.feed(bench.distributed(ANN, distribution))
        await until(lambda wanted=distribution: len(bench.outcomes()) == int(wanted[1]))
        (lead,) = leads(crm)
        ids.append(lead["id"])
        desk.change(crm.store, "Leads", lead["id"], {"deleted": "1"})
        await bench.settled(ANN)
    await bench.feed(bench.distributed(ANN, "d9", tenant=other))
    await until(lambda: len(bench.outcomes(other)) > 1)
    (third,) = leads(crm)
    assert third["id"] not in ids


async def test_a_record_that_is_another_persons_by_now_is_not_taken_for_the_one_it_was_made_for(
    bench, crm, leads, until
):
    """Its id was derived from the address that it was made with, and that is somebody else's again."""
    other = f"{bench.tenant}-two"
    await bench.connect(crm)
    await bench.connect(crm, tenant=other)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    crm.store.execute(
        "UPDATE email_addresses SET email_address = ?, email_address_caps = ?", (BOB, BOB.upper())
    )
    await bench.feed(bench.distributed(ANN, tenant=other))
    await until(lambda: bench.outcomes(other) == ["created"])
    assert sorted(lead["email"] for lead in leads(crm)) == [ANN, BOB]
