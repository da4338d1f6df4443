"""What changes in a CRM is told once, to whom it concerns; what we wrote ourselves is not."""

from datetime import timedelta

from leadbus.connector.pulling import intake
from leadbus.connector.stores import mirror
from leadbus.connector.stores.mirror import OPTED_OUT, STATUS
from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    CrmListChanged,
    LeadStatusChanged,
    OpportunityChanged,
    Record,
    SubscriptionChanged,
)

ANN, BEN, CY = "ann@example.com", "ben@example.com", "cy@example.com"


def of(told, kind):
    return [event for event in told if isinstance(event, kind)]


async def test_our_own_write_is_no_news_and_a_later_change_of_theirs_is(reading):
    record = reading.crm.person("lead", "l1", ANN, phone="1", status="New")
    await reading.sync("lead")
    await reading.shop.mirror.intend("one", {record: {"Phone": "2"}})
    reading.crm.person("lead", "l1", ANN, phone="2", status="New")
    assert await reading.sync("lead") == []
    for phone in ("3", "2"):  # back to what we once wrote is their decision
        reading.crm.person("lead", "l1", ANN, phone=phone, status="New")
        (told,) = await reading.sync("lead")
        assert told.fields.phone == phone


async def test_a_record_that_we_created_is_no_news_until_somebody_changes_it(reading):
    record = Record(module="Leads", id="l1")
    await reading.link(record, ANN, made="created")
    await reading.shop.mirror.intend("one", {record: {STATUS: "New", "Phone": "1"}})
    reading.crm.person("lead", "l1", ANN, phone="1", status="New", owner_id="api")
    assert await reading.sync("lead") == []
    reading.crm.person("lead", "l1", ANN, phone="1", status="Assigned")
    told = await reading.sync("lead")
    (status,) = of(told, LeadStatusChanged)
    assert (status.previous_status, status.status) == ("New", "Assigned")
    assert len(of(told, ContactChanged)) == 1


async def test_a_person_is_told_with_the_names_of_what_was_changed_there(reading):
    """What the CRM knew all along is nothing that came back of a lead."""
    there, made, elsewhere = (Record(module="Leads", id=key) for key in ("l1", "l2", "l3"))
    await reading.link(there, ANN)
    await reading.link(made, BEN, made="created")
    await reading.link(elsewhere, CY, made="created", made_by="two")  # another connection, another supplier
    meant = {there: {STATUS: "New"}, made: {STATUS: "New", "Phone": "1", "Company": "B"}}
    await reading.shop.mirror.intend("one", meant | {elsewhere: {STATUS: "New"}})
    reading.crm.person("lead", "l3", CY, phone="3", status="Assigned")
    reading.crm.person("lead", "l1", ANN, phone="1", company="A", status="Assigned")
    reading.crm.person("lead", "l2", BEN, phone="2", company="B", last_name="Bell", status="Assigned")

    async def changed():
        return {
            (event.email, *event.changed_fields): event.fields.flat()
            for event in of(await reading.sync("lead"), ContactChanged)
        }

    assert await changed() == {
        (CY,): {"phone": "3"},
        (ANN,): {"phone": "1", "company": "A"},
        (BEN, "last_name", "phone"): {"phone": "2", "company": "B", "last_name": "Bell"},
    }
    await reading.shop.mirror.intend("one", {there: {"Company": "C"}})
    reading.crm.person("lead", "l1", ANN, phone="2", company="C", status="Assigned")
    assert await changed() == {(ANN, "phone"): {"phone": "2", "company": "C"}}
    reading.crm.person("lead", "l1", ANN, company="C", status="Dead")
    assert await changed() == {(ANN, "phone"): {"company": "C"}}


async def test_an_activity_that_another_connection_to_the_record_has_written_is_no_news(reading):
    """Two suppliers, a connection for each: what one's writes is nothing that came back to the other."""
    lead = reading.crm.person("lead", "l1", ANN)
    await reading.link(lead, ANN, connections={"one", "two"})
    await reading.sync("lead")
    written = reading.crm.put("activity", "a1", type="note", subject="Opened an email", about=("l1",))
    reading.crm.put("activity", "a2", type="call", subject="Rang her", about=("l1",))
    await reading.shop.mirror.intend("two", {written: {}})
    assert [event.record.id for event in await reading.sync("activity")] == ["a2"]


async def test_a_record_that_another_connection_has_made_is_no_news_until_it_changes(reading):
    lead = reading.crm.person("lead", "l1", ANN, status="New")
    await reading.link(lead, ANN, connections={"two"}, made="created")
    assert await reading.sync("lead") == []
    reading.crm.put("lead", "l1", status="Working")
    assert [event.status for event in of(await reading.sync("lead"), ContactChanged)] == ["Working"]


async def test_new_people_bring_their_opt_out_and_only_an_opt_out(reading):
    reading.crm.person("lead", "l1", ANN, opted_out=True)
    reading.crm.person("lead", "l2", BEN, opted_out=False)
    (first,) = of(await reading.sync("lead"), SubscriptionChanged)
    assert (first.email, first.status, first.explicit) == (ANN, "opted_out", False)
    reading.crm.put("lead", "l1", opted_out=False)
    reading.crm.put("lead", "l2", opted_out=True)
    changed = of(await reading.sync("lead"), SubscriptionChanged)
    assert {(event.email, event.status) for event in changed} == {(ANN, "opted_in"), (BEN, "opted_out")}


async def test_an_opt_out_that_we_wrote_is_not_told_back(reading):
    record = reading.crm.person("lead", "l1", ANN, opted_out=False)
    await reading.sync("lead")
    await reading.shop.mirror.intend("one", {record: {OPTED_OUT: "true"}})
    reading.crm.put("lead", "l1", opted_out=True)
    assert await reading.sync("lead") == []


async def test_an_opt_out_that_we_meant_long_ago_hides_none_of_theirs(reading, monkeypatch):
    """Ours was refused, or taken back between two readings; what a person enters later is that person's."""
    record = reading.crm.person("lead", "l1", ANN, opted_out=False)
    await reading.sync("lead")
    await reading.shop.mirror.intend("one", {record: {OPTED_OUT: "true"}})
    monkeypatch.setattr(mirror, "LONGEST_WRITE", timedelta(0))
    monkeypatch.setattr(intake, "LONGEST_WRITE", timedelta(0))
    assert await reading.sync("lead") == []  # the row is read once more, and as it was
    assert (await reading.row("l1")).ours == {}
    reading.crm.put("lead", "l1", opted_out=True)
    (told,) = await reading.sync("lead")
    assert (type(told), told.status) == (SubscriptionChanged, "opted_out")


async def test_what_we_meant_counts_as_ours_however_late_it_is_read(reading, monkeypatch):
    record = reading.crm.person("lead", "l1", ANN, opted_out=False)
    await reading.sync("lead")
    await reading.shop.mirror.intend("one", {record: {OPTED_OUT: "true"}})
    monkeypatch.setattr(mirror, "LONGEST_WRITE", timedelta(0))
    monkeypatch.setattr(intake, "LONGEST_WRITE", timedelta(0))
    reading.crm.put("lead", "l1", opted_out=True)
    assert await reading.sync("lead") == []


async def test_a_person_without_an_email_is_taken_up_when_it_gets_one(reading):
    reading.crm.person("contact", "c1", None, opted_out=True)
    assert await reading.sync("contact") == []
    assert await reading.problems() == {"c1": ("no_email", None)}
    reading.crm.put("contact", "c1", email="none given")
    assert await reading.sync("contact") == []
    assert await reading.problems() == {"c1": ("invalid_email", None)}
    reading.crm.put("contact", "c1", email=ANN)
    told = await reading.sync("contact")
    assert [type(event) for event in told] == [ContactChanged, SubscriptionChanged]
    assert await reading.problems() == {}


async def test_two_records_with_one_email_are_reported_and_one_is_told(reading):
    reading.crm.person("lead", "old", ANN)
    reading.crm.person("lead", "young", ANN)
    told = await reading.sync("lead")
    assert [event.record.id for event in told] == ["old"]
    assert await reading.problems() == {"young": ("several_matches", "old")}
    reading.crm.put("lead", "old", deleted=True)
    told = await reading.sync("lead")
    assert {(event.record.id, event.deleted) for event in told} == {("old", True), ("young", False)}
    assert await reading.problems() == {}


async def test_who_opted_out_in_any_of_several_records_has_opted_out(reading):
    reading.crm.person("lead", "old", ANN, opted_out=False)
    reading.crm.person("lead", "young", ANN, opted_out=True)
    (heard,) = of(await reading.sync("lead"), SubscriptionChanged)
    assert (heard.status, heard.record.id, heard.prospect_id) == (
        "opted_out",
        "young",
        reading.prospect(ANN),
    )
    for phone in "12":
        reading.crm.person("lead", "young", ANN, opted_out=True, phone=phone)
        assert await reading.sync("lead") == []
    reading.crm.put("lead", "old", deleted=True)
    assert of(await reading.sync("lead"), SubscriptionChanged) == []


async def test_an_address_in_any_number_of_records_is_no_more_to_remember(reading, monkeypatch):
    monkeypatch.setattr(mirror, "MOST_TWINS", 6)
    monkeypatch.setattr(mirror, "MOST_OF_ONE_EMAIL", 3)
    for number in range(9):
        reading.crm.person("contact", f"c{number}", "none@example.com")
    reading.crm.person("contact", "c9", ANN)
    await reading.sync("contact")
    found = await reading.shop.mirror.people_by_email("one", ["none@example.com", ANN])
    assert {email: len(rows) for email, rows in found.items()} == {"none@example.com": 3, ANN: 1}
    told = {event.record.id for event in reading.heard.events}
    assert {"c0", "c9"} <= told
    assert len(await reading.problems()) >= 6


async def test_a_lead_and_the_contact_it_became_are_no_two_matches(reading):
    reading.crm.person("lead", "l1", ANN, status="New")
    await reading.sync("lead", "contact")
    contact = reading.crm.person("contact", "c1", ANN)
    reading.crm.put("lead", "l1", converted_to=contact, open=False)
    told = of(await reading.sync("lead", "contact"), ContactChanged)
    assert {(e.kind, e.state, e.converted_to and e.converted_to.id) for e in told} == {
        ("contact", "client", None),
        ("lead", "client", "c1"),
    }
    # Whichever is read first, what was taken for a second match is none once the lead says so.
    assert await reading.problems() == {}


async def test_a_changed_email_says_goodbye_to_one_prospect_and_greets_another(reading):
    reading.crm.person("lead", "l1", ANN)
    await reading.sync("lead")
    reading.crm.put("lead", "l1", email=BEN)
    told = await reading.sync("lead")
    assert [(e.prospect_id, e.deleted) for e in told] == [
        (reading.prospect(ANN), True),
        (reading.prospect(BEN), False),
    ]


async def test_a_linked_record_keeps_its_prospect_whatever_its_email_becomes(reading):
    record = reading.crm.person("lead", "l1", ANN, status="New")
    prospect = await reading.link(record, ANN)
    await reading.sync("lead")
    reading.crm.put("lead", "l1", email="none given", status="Dead")
    told = await reading.sync("lead")
    assert {(type(e), e.prospect_id, e.email) for e in told} == {
        (LeadStatusChanged, prospect, None),
        (ContactChanged, prospect, None),
    }
    assert await reading.problems() == {}


async def test_an_opportunity_is_told_of_linked_people_and_of_those_linked_later(reading):
    ann = reading.crm.person("contact", "c1", ANN)
    ben = reading.crm.person("contact", "c2", BEN)
    prospect = await reading.link(ann, ANN)
    reading.crm.put("opportunity", "o1", name="Big", contact_ids=("c1", "c2"), stage="New", amount="5")
    (told,) = of(await reading.sync(), OpportunityChanged)
    assert (told.prospect_id, told.email, told.amount) == (prospect, ANN, "5")
    await reading.link(ben, BEN)
    assert [e.email for e in await reading.sync("opportunity", full=True)] == [BEN]
    reading.crm.put("opportunity", "o1", deleted=True)
    assert {(e.email, e.deleted) for e in await reading.sync("opportunity")} == {(None, True)}


async def test_an_opportunity_goes_the_way_of_its_contact(reading):
    ann, ben = [await reading.link(Record(module="Leads", id=f"of {email}"), email) for email in (ANN, BEN)]
    reading.crm.person("contact", "c1", ANN)
    reading.crm.put("opportunity", "o1", name="Big", contact_ids=("c1",))

    async def told(**contact):
        reading.crm.put("contact", "c1", **contact)
        deals = of(await reading.sync(*([] if contact == {} else ["contact"])), OpportunityChanged)
        return [(deal.prospect_id, deal.deleted) for deal in deals]

    assert await told() == [(ann, False)]
    assert await told(email=BEN) == [(ben, False), (ann, True)]
    assert await told(deleted=True) == [(ben, True)]
    assert await told(deleted=False) == [(ben, False)]


async def test_activities_of_prospects_are_told_and_our_own_are_not(reading):
    record = reading.crm.person("lead", "l1", ANN)
    await reading.sync("lead")
    own = reading.crm.put("activity", "t1", type="task", subject="Call", about=("l1",))
    await reading.shop.mirror.intend("one", {own: {}})
    reading.crm.put("activity", "t2", type="meeting", subject="Visit", about=("l1", "a1"), status="Planned")
    (told,) = await reading.sync("activity")
    assert isinstance(told, CrmActivityChanged)
    assert (told.type, told.subject, told.prospect_id) == ("meeting", "Visit", reading.prospect(ANN))
    reading.crm.put("activity", "t1", status="Done")
    reading.crm.put("activity", "t2", status="Held")
    assert [event.status for event in await reading.sync("activity")] == ["Held"]
    assert record.id == "l1"


async def test_lists_tell_who_was_put_on_and_who_was_taken_off(reading):
    for number in range(5):
        reading.crm.person("target", f"p{number}", f"p{number}@example.com")
    reading.crm.person("target", "nobody", None)
    reading.crm.put("list", "x", name="Newsletter", list_type="default")
    reading.crm.on_list["x"] = ["p0", "p1", "p2", "nobody"]
    told = of(await reading.sync(), CrmListChanged)
    assert [m.email for event in told for m in event.added] == [f"p{n}@example.com" for n in range(3)]
    reading.crm.on_list["x"] = ["p0", "p3", "nobody"]
    reading.crm.put("target", "nobody", email="now@example.com")
    told = of(await reading.sync(), CrmListChanged)
    assert {m.email for e in told for m in e.added} == {"p3@example.com", "now@example.com"}
    assert {m.email for e in told for m in e.removed} == {"p1@example.com", "p2@example.com"}
    assert of(await reading.sync(), CrmListChanged) == []
    reading.crm.put("list", "x", deleted=True)
    reading.crm.erase("x")
    (gone,) = of(await reading.sync(), CrmListChanged)
    assert (gone.deleted, gone.name) == (True, "Newsletter")


async def test_values_that_no_message_can_hold_are_cut_or_left_out(reading):
    record = reading.crm.person("lead", "l1", ANN, first_name="x" * 5000)
    await reading.link(record, ANN)
    reading.crm.put(
        "opportunity", "o1", name="N" * 2000, contact_emails=(ANN,), amount="a lot", currency="euro"
    )
    contact, opportunity = await reading.sync()
    assert len(contact.fields.first_name) == 1000
    assert (len(opportunity.name), opportunity.amount, opportunity.currency) == (1000, None, None)
