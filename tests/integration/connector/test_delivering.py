"""What a connection owes its CRM arrives there, once, and leaves alone what is not ours."""

import asyncio

from leadbus.messages import Origin
from leadbus.topics import CRM_DELIVERIES
from sandbox.sugar import desk

ANN = "ann.o'neil+x@example.com"


async def test_a_distribution_becomes_one_lead_with_all_that_is_known(bench, crm, leads, until):
    await bench.connect(crm, score_field="lead_score_c")
    await bench.pod()
    fields = {
        "first_name": "Ännchen",
        "last_name": "O'Neil 中",
        "company": "ACME & Co",
        "phone": "+49 1",
        "city": "Köln",
    }
    await bench.feed(bench.distributed(ANN, **fields), bench.scored(ANN, 7, 1))
    await until(lambda: bench.outcomes() == ["created"])
    (lead,) = leads(crm)
    assert lead["email"] == ANN
    assert (lead["first_name"], lead["last_name"], lead["account_name"]) == (
        "Ännchen",
        "O'Neil 中",
        "ACME & Co",
    )
    assert (lead["phone_work"], lead["primary_address_city"]) == ("+49 1", "Köln")
    assert (lead["lead_source"], lead["status"], str(lead["lead_score_c"])) == ("Leadbus", "New", "7")
    (report,) = bench.told(CRM_DELIVERIES)
    assert report.record.id == lead["id"]
    assert report.origins == [Origin(supplier_id="globex", distribution_id="d1")]


async def test_a_new_person_becomes_a_contact_where_the_connection_says_so(bench, crm, leads, until):
    await bench.connect(crm, record_as="contact")
    await bench.pod()
    await bench.feed(bench.distributed(ANN, first_name="Ann"))
    await until(lambda: bench.outcomes() == ["created"])
    assert leads(crm) == []
    (contact,) = desk.records(crm.store, "Contacts")
    assert (contact["email"], contact["first_name"], contact["last_name"]) == (ANN, "Ann", "Unknown")


async def test_a_record_of_theirs_keeps_every_field_and_is_given_notes_and_the_score(
    bench, crm, leads, notes, did, until
):
    theirs = {"first_name": "Anna", "last_name": "N", "lead_source": "Cold Call", "status": "Assigned"}
    key = desk.create(crm.store, "Leads", theirs | {"email1": "Ann.O'Neil+X@Example.com"})
    await bench.connect(crm, score_field="lead_score_c")
    await bench.pod()
    await bench.feed(bench.qualified(ANN, did("Prices"), score=64, first_name="Ann", company="Other"))
    await until(lambda: bench.outcomes() == ["matched"])
    (lead,) = leads(crm)
    assert lead["id"] == key
    assert {name: lead[name] for name in theirs} == theirs
    assert not lead["account_name"]
    await until(lambda: str(leads(crm)[0]["lead_score_c"]) == "64")
    (note,) = notes(crm)
    assert (note["parent_id"], note["name"]) == (key, "Viewed a web page: Prices")


async def test_a_record_is_found_by_its_secondary_email_too(bench, crm, leads, until):
    fields = {"last_name": "N", "email1": "private@example.com", "email2": "ANN@example.com"}
    key = desk.create(crm.store, "Leads", fields)
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.distributed("ann@example.com"))
    await until(lambda: bench.outcomes() == ["matched"])
    assert [lead["id"] for lead in leads(crm)] == [key]
    assert bench.told(CRM_DELIVERIES)[0].record.id == key


async def test_fields_of_their_record_change_where_the_profile_allows_it(bench, crm, leads, until):
    for person in ("ann", "bob"):
        fields = {"first_name": "Old", "last_name": "N", "email1": f"{person}@example.com"}
        desk.create(crm.store, "Leads", fields)
    await bench.connect(crm, marketing_automation={"field_updates": True})
    await bench.pod()
    await bench.feed(bench.qualified("ann@example.com", first_name="New"))
    await bench.feed(bench.distributed("bob@example.com", first_name="New"))
    await until(lambda: bench.outcomes() == ["matched", "matched"])
    names = {lead["email"]: (lead["first_name"], lead["last_name"]) for lead in leads(crm)}
    assert names == {"ann@example.com": ("New", "N"), "bob@example.com": ("Old", "N")}
    await bench.feed(bench.activities("ann@example.com", first_name="Newer"))
    await until(lambda: bench.outcomes() == ["matched", "matched", "updated"])
    assert {lead["first_name"] for lead in leads(crm)} == {"Newer", "Old"}


async def test_of_several_records_with_one_email_the_oldest_open_one_is_taken(bench, crm, notes, did, until):
    closed = {"last_name": "Closed", "email1": "ann@example.com", "status": "Dead"}
    desk.create(crm.store, "Leads", closed | {"date_entered": "2020-01-01 00:00:00"})
    wanted = desk.create(crm.store, "Leads", {"last_name": "Open", "email1": "ann@example.com"})
    crm.store.execute("UPDATE leads SET date_entered = '2021-01-01 00:00:00' WHERE id = ?", (wanted,))
    desk.create(crm.store, "Leads", {"last_name": "Younger", "email1": "ann@example.com"})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.qualified("ann@example.com", did("Prices")))
    await until(lambda: bench.outcomes() == ["matched"])
    assert [note["parent_id"] for note in notes(crm)] == [wanted]


async def test_two_suppliers_connections_make_one_record_of_one_person(bench, crm, leads, until):
    for supplier in ("globex", "initech"):
        await bench.connect(crm, f"{bench.tenant}-{supplier}", supplier_id=supplier)
    await bench.feed(
        bench.distributed("ann@example.com", "g1", "globex"),
        bench.distributed("ann@example.com", "i1", "initech"),
    )
    await bench.pod()
    await until(lambda: len(bench.outcomes()) == 2)
    assert len(leads(crm)) == 1
    reports = {report.connection_id.split("-")[-1]: report for report in bench.told(CRM_DELIVERIES)}
    assert {name: [o.distribution_id for o in r.origins] for name, r in reports.items()} == {
        "globex": ["g1"],
        "initech": ["i1"],
    }
    assert {report.record.id for report in reports.values()} == {leads(crm)[0]["id"]}


async def test_two_tenants_of_one_organisation_share_the_record_of_one_person(bench, crm, leads, until):
    other = f"{bench.tenant}-two"
    await bench.connect(crm)
    await bench.connect(crm, tenant=other)
    await bench.feed(bench.distributed("ann@example.com"), bench.distributed("ann@example.com", tenant=other))
    await bench.pod()
    await until(lambda: bench.outcomes() and bench.outcomes(other))
    assert len(leads(crm)) == 1
    assert sorted(bench.outcomes() + bench.outcomes(other)) == ["created", "matched"]


async def test_activities_wait_for_the_right_to_a_record(bench, crm, leads, notes, did, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.activities("ann@example.com", did("First", minute=1), version=1))
    assert not (await bench.delivery("ann@example.com")).is_due
    await bench.feed(bench.qualified("ann@example.com", did("Second", minute=2), version=2))
    await until(lambda: bench.outcomes() == ["created"])
    (lead,) = leads(crm)
    assert [n["name"] for n in notes(crm)] == ["Viewed a web page: First", "Viewed a web page: Second"]
    assert {note["parent_id"] for note in notes(crm)} == {lead["id"]}
    assert bench.told(CRM_DELIVERIES)[0].activities == 2


async def test_the_same_activity_told_again_is_one_note(bench, crm, notes, did, until):
    await bench.connect(crm)
    await bench.pod()
    seen = did("Prices")
    await bench.feed(bench.qualified("ann@example.com", seen, seen))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.feed(bench.activities("ann@example.com", seen, did("Jobs")))
    await until(lambda: bench.outcomes() == ["created", "updated"])
    assert [n["name"] for n in notes(crm)] == ["Viewed a web page: Jobs", "Viewed a web page: Prices"]


async def test_more_activities_than_wait_one_by_one_end_in_a_summary(bench, crm, notes, did):
    await bench.connect(crm)
    many = [did(f"Page {n}", minute=n, event_id=f"{n}") for n in range(503)]
    await bench.feed(bench.qualified("ann@example.com", *many))
    await bench.pod()
    await bench.settled("ann@example.com", within=20)
    names = [note["name"] for note in notes(crm)]
    assert len(names) == len(set(names)) == 501
    (summary,) = [name for name in names if not name.startswith("Viewed a web page: Page ")]
    assert summary.startswith("3 earlier activities: from 20")
    assert "Viewed a web page: Page 2" not in names
    assert "Viewed a web page: Page 3" in names


class Slow:
    """An adapter whose second call for activities takes as long as the test wants."""

    def __init__(self, adapter, goes_on):
        self._adapter, self._goes_on, self._calls = adapter, goes_on, 0

    def __getattr__(self, name):
        return getattr(self._adapter, name)

    async def add_activities(self, rows):
        self._calls += 1
        if self._calls > 1:
            await self._goes_on.wait()
        return await self._adapter.add_activities(rows)


async def test_hundreds_of_activities_do_not_hold_up_a_new_lead(bench, crm, leads, notes, did, until):
    """They are written in parts, and between them and beside them there is room for who is new."""
    goes_on = asyncio.Event()
    await bench.connect(crm)
    await bench.feed(bench.qualified("ann@example.com", *(did(f"{n}") for n in range(450))))
    await bench.pod(wrap=lambda adapter: Slow(adapter, goes_on))
    await until(lambda: notes(crm))
    await bench.feed(bench.qualified("bob@example.com"))
    await until(lambda: len(leads(crm)) == len(bench.outcomes()) == 2)
    assert len(notes(crm)) < 450
    goes_on.set()
    await bench.settled("ann@example.com", "bob@example.com")
    who = [report.outcome for report in bench.told(CRM_DELIVERIES)]
    assert who.index("created", 1) < len(who) - 1
    assert len(notes(crm)) == 450


async def test_only_the_chosen_types_of_activities_are_written(bench, crm, notes, did, until):
    await bench.connect(crm, event_types=["form_submission"])
    await bench.pod()
    await bench.feed(bench.qualified("ann@example.com", did("Prices"), did("Demo", "form_submission")))
    await until(lambda: bench.outcomes() == ["created"])
    assert [note["name"] for note in notes(crm)] == ["Submitted a form: Demo"]
    await bench.settled("ann@example.com")
    assert not (await bench.delivery("ann@example.com")).activities


async def test_a_score_without_a_field_to_hold_it_is_no_news(bench, crm, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.qualified("ann@example.com"))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.feed(bench.scored("ann@example.com", 70, 2))
    await bench.settled("ann@example.com")
    await bench.feed(bench.distributed("ann@example.com"))
    await until(lambda: len(bench.outcomes()) > 1)
    assert bench.outcomes() == ["created", "updated"]


async def test_a_connection_that_is_off_collects_and_delivers_once_it_is_on(bench, crm, leads, until):
    connection = await bench.connect(crm, on=False)
    pod = await bench.pod()
    await bench.feed(bench.distributed("ann@example.com"), bench.qualified("bob@example.com"))
    assert leads(crm) == []
    await pod.commands.turn(connection, on=True)
    await until(lambda: bench.outcomes() == ["created", "created"])
    assert {lead["email"] for lead in leads(crm)} == {"ann@example.com", "bob@example.com"}
