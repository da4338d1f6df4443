"""What people change in the CRM comes back once, with what it goes back to; what we wrote does not."""

import pytest

from leadbus.errors import Transient
from leadbus.ids import prospect_id
from leadbus.messages import Origin
from leadbus.topics import CRM_LEAD_STATUS, CRM_OPPORTUNITIES
from sandbox.sugar import desk

ANN = "ann@example.com"
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def one_lead(bench, crm, leads, until, **how):
    await bench.connect(crm, **how)
    await bench.pod()
    await bench.feed(bench.distributed(ANN), traceparent=TRACE)
    await until(lambda: bench.outcomes() == ["created"])
    return leads(crm)[0]


async def test_a_changed_status_comes_back_once_with_what_it_goes_back_to(
    bench, crm, leads, notes, did, until
):
    often = {"lead": {"every_seconds": 1}}
    lead = await one_lead(bench, crm, leads, until, score_field="lead_score_c", schedules=often)
    await bench.pull()
    assert bench.told(CRM_LEAD_STATUS) == []  # the first status was ours
    desk.change(crm.store, "Leads", lead["id"], {"status": "In Process"})
    await until(lambda: bench.told(CRM_LEAD_STATUS))  # on schedule
    await bench.feed(bench.activities(ANN, did("Prices"), score=70))
    await until(lambda: notes(crm))
    await bench.settled(ANN)
    await bench.pull()
    (event,) = bench.told(CRM_LEAD_STATUS)
    assert (event.status, event.previous_status) == ("In Process", "New")
    assert event.origins == [Origin(supplier_id="globex", distribution_id="d1")]
    assert event.lead_trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert (event.prospect_id, event.email) == (prospect_id(bench.tenant, email=ANN), ANN)
    assert event.record.id == lead["id"]


async def test_the_status_of_a_record_that_was_there_is_no_news(bench, crm, until):
    key = desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN, "status": "Assigned"})
    suppliers = ("globex", "initech")
    both = {supplier: f"{bench.tenant}-{supplier}" for supplier in suppliers}
    for supplier, name in both.items():
        await bench.connect(crm, name, supplier_id=supplier)
    await bench.pod()
    for count, supplier in enumerate(suppliers, start=1):
        await bench.feed(bench.distributed(ANN, f"of {supplier}", supplier))
        await until(lambda count=count: len(bench.outcomes()) == count)
    await bench.pull(*both.values())
    desk.change(crm.store, "Leads", key, {"status": "In Process"})
    await bench.pull(*both.values())
    await until(lambda: len(bench.told(CRM_LEAD_STATUS)) == 2)
    assert {event.status for event in bench.told(CRM_LEAD_STATUS)} == {"In Process"}
    heard = {e.connection_id: [o.distribution_id for o in e.origins] for e in bench.told(CRM_LEAD_STATUS)}
    assert heard == {both["globex"]: ["of globex"], both["initech"]: ["of initech"]}


async def test_what_a_salesperson_types_as_an_email_stops_no_pull(bench, crm, leads, until):
    lead = await one_lead(bench, crm, leads, until)
    crm.store.execute("UPDATE email_addresses SET email_address = 'none given'")
    desk.change(crm.store, "Leads", lead["id"], {"status": "Dead"})
    await bench.pull()
    await until(lambda: bench.told(CRM_LEAD_STATUS))
    (event,) = bench.told(CRM_LEAD_STATUS)
    assert (event.status, event.email) == ("Dead", None)


class Refusing:
    """Kafka does not acknowledge."""

    async def publish(self, records):
        return [Transient("not acknowledged") for _ in records]


async def test_what_kafka_does_not_acknowledge_is_pulled_again(bench, crm, leads, until):
    lead = await one_lead(bench, crm, leads, until)
    await bench.pull()
    desk.change(crm.store, "Leads", lead["id"], {"status": "In Process"})
    cursor = {"_id": f"{bench.tenant}-sugar/lead"}
    pulls = bench.database["connector-sugar.pulls"]
    before = await pulls.find_one(cursor)
    with pytest.raises(Transient):
        await bench.pull(publisher=Refusing())
    after = await pulls.find_one(cursor)
    assert (after["since"], "Kafka" in after["error"]) == (before["since"], True)
    for _ in range(2):
        await bench.pull()
    await until(lambda: bench.told(CRM_LEAD_STATUS))
    assert [event.status for event in bench.told(CRM_LEAD_STATUS)] == ["In Process"]


async def test_an_opportunity_with_a_contact_of_ours_comes_back_once_per_change(bench, crm, leads, until):
    await one_lead(bench, crm, leads, until)
    desk.opportunity(crm.store, "stranger@example.com", "Not ours", "Prospecting", "5")
    made = desk.opportunity(crm.store, ANN, "Big deal", "Prospecting", "1234.50", date_closed="2027-03-01")
    for _ in range(2):
        await bench.pull()
    desk.change(crm.store, "Opportunities", made["opportunity"], {"sales_stage": "Closed Won"})
    for _ in range(2):
        await bench.pull()
    await until(lambda: len(bench.told(CRM_OPPORTUNITIES)) == 2)
    first, second = bench.told(CRM_OPPORTUNITIES)
    assert (first.stage, second.stage) == ("Prospecting", "Closed Won")
    assert {(e.name, e.amount, str(e.close_date)) for e in (first, second)} == {
        ("Big deal", "1234.5", "2027-03-01")
    }
    assert {(e.email, e.record.id) for e in (first, second)} == {(ANN, made["opportunity"])}
    assert first.origins == [Origin(supplier_id="globex", distribution_id="d1")]
    assert first.lead_trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert [event.status for event in bench.told(CRM_LEAD_STATUS)] == ["Converted"]


async def test_a_pull_of_many_pages_ends_and_tells_each_change_once(bench, crm, until):
    """All within one second, which is as fine as the CRM's times are."""
    await bench.connect(crm)
    people = [f"person{n}@example.com" for n in range(401)]
    for person in people:
        desk.create(crm.store, "Leads", {"last_name": "N", "email1": person, "status": "New"})
    await bench.pod()
    await bench.feed(*(bench.distributed(person, person) for person in people))
    await until(lambda: len(bench.outcomes()) == 401, 20)
    crm.store.execute("UPDATE leads SET status = 'Assigned', date_modified = ?", (crm.store.now(),))
    for _ in range(2):
        await bench.pull()
    await until(lambda: len(bench.told(CRM_LEAD_STATUS)) >= 401)
    told = [event.email for event in bench.told(CRM_LEAD_STATUS)]
    assert sorted(told) == sorted(people)
