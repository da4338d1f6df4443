"""What is written beside a new lead's fields: accounts, owners, tasks, notes of days, by rule."""

from datetime import timedelta

from leadbus.ids import prospect_id
from leadbus.messages import ProspectUpdated, SyncRequest, Task
from leadbus.topics import CRM_CONTACTS
from sandbox.sugar import SugarCRM, desk

ANN, BOB = "ann@example.com", "bob@example.com"


def updated(bench, email, *, at=0.0, **facts):
    envelope = bench._envelope(email, None, at)
    return ProspectUpdated(**envelope, received_at=envelope["occurred_at"], **facts)


def asks(bench, email, at=0.0, **request):
    return updated(bench, email, at=at, sync=SyncRequest.model_validate(request))


# Sync requests ---------------------------------------------------------------------------------------


async def test_a_sync_request_makes_a_record_on_its_own_terms_with_a_task_for_its_owner(bench, crm, until):
    boss = desk.add_user(crm.store, "boss", "secret", last_name="Boss", email="boss@example.com")
    desk.add_option(crm.store, "Contacts", "lead_source", "Fair")
    await bench.connect(crm)
    await bench.pull(kinds=("user",))
    await bench.pod()
    task = Task(kind="call", subject="Call her back", due_in_days=2, note="About prices")
    request = {"record_as": "contact", "owner_email": "boss@example.com", "lead_source": "Fair"}
    await bench.feed(asks(bench, ANN, task=task, **request))
    await until(lambda: bench.outcomes() == ["created"])
    (contact,) = desk.records(crm.store, "Contacts")
    assert (contact["email"], contact["assigned_user_id"], contact["lead_source"]) == (ANN, boss, "Fair")
    (call,) = desk.records(crm.store, "Calls")
    assert (call["name"], call["parent_id"], call["assigned_user_id"]) == (
        "Call her back",
        contact["id"],
        boss,
    )


async def test_an_owner_the_crm_does_not_know_keeps_no_lead_back(bench, crm, leads, until):
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(asks(bench, ANN, owner_email="nobody@example.com"))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.settled(ANN)
    history = (await bench.delivery(ANN)).history
    assert any("no active user" in hop.what for hop in history)
    assert not any("@" in hop.what for hop in history)


async def test_a_record_that_exists_is_changed_where_the_request_says_so(bench, crm, leads, until):
    for email in (ANN, BOB):
        desk.create(crm.store, "Leads", {"last_name": "N", "email1": email, "phone_work": "1"})
    await bench.connect(crm)
    await bench.pod()
    for email, update in ((ANN, True), (BOB, None)):
        request = SyncRequest(update_existing=update, lead_source="Leadbus")
        await bench.feed(updated(bench, email, fields={"phone": "2"}, sync=request))
    await until(lambda: bench.outcomes() == ["matched", "matched"])
    told = {lead["email"]: (lead["phone_work"], lead["lead_source"] or "") for lead in leads(crm)}
    assert told == {ANN: ("2", "Leadbus"), BOB: ("1", "")}


async def test_a_request_that_leaves_a_record_alone_swallows_nothing_that_others_said(
    bench, crm, leads, until
):
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN, "phone_work": "1"})
    await bench.connect(crm, marketing_automation={"field_updates": True})
    await bench.feed(
        updated(bench, ANN, fields={"phone": "2"}),
        updated(bench, ANN, at=1, fields={"city": "Rome"}, sync=SyncRequest(update_existing=False)),
    )
    await bench.pod()
    await bench.settled(ANN)
    (lead,) = leads(crm)
    assert (lead["phone_work"], lead["primary_address_city"] or "") == ("2", "")


async def test_an_owner_is_found_also_before_the_crms_users_have_been_read(bench, crm, leads, until):
    users = {
        name: desk.add_user(crm.store, name, "secret", last_name=name, email=f"{name}@example.com")
        for name in ("boss", "ida")
    }
    await bench.connect(crm, main_user="boss@example.com")
    await bench.feed(asks(bench, ANN, owner_email="ida@example.com"), bench.distributed(BOB))
    await bench.pod()
    await bench.settled(ANN, BOB)
    owners = {lead["email"]: lead["assigned_user_id"] for lead in leads(crm)}
    assert owners == {ANN: users["ida"], BOB: users["boss"]}


async def test_an_owner_that_an_existing_record_cannot_get_is_said(bench, crm, leads, until):
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(asks(bench, ANN, owner_email="nobody@example.com", update_existing=True))
    await bench.settled(ANN)
    history = (await bench.delivery(ANN)).history
    assert any("owner kept (no active user" in hop.what for hop in history)


async def test_a_changed_email_is_found_by_the_one_before_it_and_written(bench, crm, leads, until):
    desk.create(crm.store, "Leads", {"last_name": "N", "email1": ANN})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(updated(bench, "new@example.com", previous_email=ANN))
    await bench.settled("new@example.com")
    assert [lead["email"] for lead in leads(crm)] == ["new@example.com"]


# Accounts --------------------------------------------------------------------------------------------


def account_of(crm, contact):
    """The name of a contact's account."""
    names = {row["id"]: row["name"] for row in desk.records(crm.store, "Accounts")}
    wanted = "SELECT account_id FROM accounts_contacts WHERE contact_id = ? AND deleted = 0"
    return names[crm.store.value(wanted, (contact["id"],))]


async def test_contacts_are_linked_to_their_account_matched_or_created_once(bench, crm, until):
    desk.create(crm.store, "Accounts", {"name": "Acme Ltd"})
    await bench.connect(crm, record_as="contact")
    await bench.feed(
        bench.distributed(ANN, "d1", company="ACME LTD"),
        bench.distributed(BOB, "d2", company="Globex"),
        bench.distributed("eve@example.com", "d3", company=" globex "),
    )
    await bench.pod()
    await until(lambda: bench.outcomes() == ["created"] * 3)
    accounts = sorted(row["name"] for row in desk.records(crm.store, "Accounts"))
    assert [name.strip().lower() for name in accounts] == ["acme ltd", "globex"]
    linked = {c["email"]: account_of(crm, c).strip().lower() for c in desk.records(crm.store, "Contacts")}
    assert linked == {ANN: "acme ltd", BOB: "globex", "eve@example.com": "globex"}


async def test_a_refused_account_parks_its_contacts_and_names_itself_as_the_root(bench, crm, until):
    await bench.connect(crm, record_as="contact")
    rule = crm.faults.add("refuse_row", field="name", matches="Bad")
    await bench.pod()
    await bench.feed(
        *(bench.distributed(f"{n}@example.com", f"d{n}", company="Bad") for n in "ab"),
        bench.distributed(ANN, "d3", company="Good"),
    )
    await until(lambda: sorted(bench.outcomes()) == ["created", "parked", "parked"])
    await bench.settled("a@example.com", "b@example.com")
    parked = await bench.desk.deliveries.parked_of(f"{bench.tenant}-sugar")
    (root,) = {delivery.parked.root for delivery in parked}
    assert {delivery.parked.object for delivery in parked} == {"account"}
    crm.faults.remove(rule)
    assert await bench.desk.deliveries.resume_root(f"{bench.tenant}-sugar", root) == 2
    await until(lambda: bench.outcomes().count("created") == 3)
    assert sorted(row["name"] for row in desk.records(crm.store, "Accounts")) == ["Bad", "Good"]


async def test_contacts_of_a_refused_account_follow_once_somebody_makes_it_in_the_crm(bench, crm, until):
    await bench.connect(crm, record_as="contact")
    crm.faults.add("refuse_row", field="name", matches="Bad", operation="set_entries")
    await bench.pod()
    await bench.feed(bench.distributed(ANN, company="Bad"))
    await until(lambda: bench.outcomes() == ["parked"])
    desk.create(crm.store, "Accounts", {"name": "BAD", "assigned_user_id": desk.ADMIN})
    await bench.pull(kinds=("account",))
    await until(lambda: bench.outcomes() == ["parked", "created"])
    (contact,) = desk.records(crm.store, "Contacts")
    assert account_of(crm, contact) == "BAD"


# Fields and refusals ---------------------------------------------------------------------------------


async def test_a_missing_required_field_parks_before_any_call_and_follows_when_it_comes(
    bench, crm, leads, until
):
    await bench.connect(crm, default_last_name=None)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["parked"])
    assert crm.calls["set_entries"] == 0
    await bench.settled(ANN)
    parked = (await bench.delivery(ANN)).parked
    assert (parked.field, parked.object) == ("last_name", "lead")
    assert "default_last_name" in parked.reason
    await bench.feed(bench.distributed(ANN, "d2", last_name="Lee"))
    await until(lambda: bench.outcomes() == ["parked", "created"])
    assert [lead["last_name"] for lead in leads(crm)] == ["Lee"]


async def test_one_parked_delivery_can_be_sent_again_alone(bench, crm, leads, until):
    await bench.connect(crm)
    crm.faults.add("refuse_row", field="last_name", matches="Bad")
    await bench.pod()
    await bench.feed(bench.distributed(ANN, last_name="Bad"), bench.distributed(BOB, "d2", last_name="Bad"))
    await until(lambda: bench.outcomes() == ["parked", "parked"])
    await bench.settled(ANN, BOB)
    crm.faults.clear()
    who = prospect_id(bench.tenant, email=ANN)
    assert await bench.desk.deliveries.resume_one(f"{bench.tenant}-sugar", who)
    await until(lambda: bench.outcomes() == ["parked", "parked", "created"])
    assert [lead["email"] for lead in leads(crm)] == [ANN]
    assert not await bench.desk.deliveries.resume_one(f"{bench.tenant}-sugar", who)


async def test_rules_decide_field_by_field_and_the_journey_says_who_won(bench, crm, leads, until):
    theirs = {"last_name": "N", "email1": ANN, "phone_work": "theirs", "title": ""}
    desk.create(crm.store, "Leads", theirs)
    fields = [
        {"field": "phone", "crm_field": "phone_work", "rule": "theirs"},
        {"field": "title", "crm_field": "title", "rule": "only_if_empty"},
        {"field": "last_name", "crm_field": "last_name", "rule": "newest"},
        {"field": "custom.shoe", "crm_field": "department", "rule": "ours"},
    ]
    await bench.connect(crm, fields=fields)
    await bench.pod()
    said = {"phone": "555", "title": "CEO", "last_name": "Lee", "custom": {"shoe": "42"}}
    await bench.feed(updated(bench, ANN, at=60, fields=said, sync=SyncRequest()))
    await until(lambda: bench.outcomes() == ["matched"])
    (lead,) = leads(crm)
    assert (lead["phone_work"], lead["title"], lead["last_name"]) == ("theirs", "CEO", "Lee")
    assert lead["department"] == "42"
    await bench.settled(ANN)
    (hop,) = [hop.what for hop in (await bench.delivery(ANN)).history if hop.what.startswith("matched")]
    assert "phone kept (theirs by rule)" in hop
    assert "title written (the CRM had none)" in hop
    assert "555" not in hop


async def test_a_value_that_the_crm_cuts_is_no_news_and_is_written_once(bench, crm, leads, until):
    await bench.connect(crm, lead_distribution={"field_updates": True, "notes": False})
    await bench.pod()
    await bench.feed(bench.distributed(ANN, title="T" * 150))
    await until(lambda: bench.outcomes() == ["created"])
    await bench.pull(kinds=("lead",))
    assert bench.told(CRM_CONTACTS) == []
    await bench.feed(bench.distributed(ANN, "d2", title="U" * 150, at=1))
    await until(lambda: bench.outcomes() == ["created", "updated"])
    await bench.pull(kinds=("lead",))
    await bench.feed(bench.distributed(ANN, "d3", title="U" * 150, at=2))
    written = crm.calls["set_entries"]
    await until(lambda: len(bench.outcomes()) == 3)
    assert (crm.calls["set_entries"], leads(crm)[0]["title"]) == (written, "U" * 100)
    assert bench.told(CRM_CONTACTS) == []


async def test_notes_of_two_tenants_on_one_record_are_two_though_their_events_have_one_name(
    bench, crm, notes, did, until
):
    other = f"{bench.tenant}-two"
    await bench.connect(crm)
    await bench.connect(crm, tenant=other)
    await bench.pod()
    for tenant in (bench.tenant, other):
        await bench.feed(bench.qualified(ANN, did("Prices", event_id="event-1"), tenant=tenant))
        await bench.settled(ANN, tenant=tenant)
    assert len(notes(crm)) == 2
    assert len({note["parent_id"] for note in notes(crm)}) == 1


async def test_several_records_are_told_in_the_journey_and_asked_to_be_read(bench, crm, leads, until):
    for name in ("One", "Two"):
        desk.create(crm.store, "Leads", {"last_name": name, "email1": ANN})
    await bench.connect(crm)
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["matched"])
    assert len(leads(crm)) == 2
    await bench.settled(ANN)
    history = (await bench.delivery(ANN)).history
    assert any("several open records" in hop.what for hop in history)


# Days and teams --------------------------------------------------------------------------------------


async def test_notes_per_day_wait_for_the_days_end_and_cost_no_call_till_then(bench, crm, notes, did, until):
    await bench.connect(crm, notes="per_day")
    await bench.pod()
    old = [did("Prices", minute=n) for n in range(3)]
    await bench.feed(bench.qualified(ANN, *old))
    await until(lambda: bench.outcomes() == ["created"])
    written = len(notes(crm))
    assert written in (1, 2)  # the three may lie on either side of a midnight
    calls = sum(crm.calls.values())
    today = did("Jobs").model_copy(update={"occurred_at": bench._envelope(ANN, None, 0)["occurred_at"]})
    await bench.feed(bench.activities(ANN, today))

    async def is_postponed() -> bool:
        return (await bench.delivery(ANN)).next_try is not None

    await until(is_postponed)
    waiting = await bench.delivery(ANN)
    assert list(waiting.activities) == [today.event_id]
    assert waiting.next_try - today.occurred_at <= timedelta(days=1)
    assert (waiting.next_try.hour, waiting.next_try.minute) == (0, 0)
    assert sum(crm.calls.values()) == calls
    assert len(notes(crm)) == written


async def test_two_teams_of_one_organisation_have_a_record_each_of_one_person(bench, leads, until):
    crm = SugarCRM(teams=True)
    await crm.start()
    bench.crms.append(crm)
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    desk.add_option(crm.store, "Contacts", "lead_source", "Leadbus")
    for team in ("North", "South"):
        desk.add_team(crm.store, team)
        await bench.connect(crm, f"{bench.tenant}-{team.lower()}", teams=[team])
    await bench.feed(bench.distributed(ANN))
    await bench.pod()
    await until(lambda: len(bench.outcomes()) == 2)
    assert bench.outcomes() == ["created", "created"]
    assert [lead["email"] for lead in leads(crm)] == [ANN, ANN]
    assert len({lead["team_id"] for lead in leads(crm)}) == 2
    await bench.feed(bench.distributed(ANN, "d2"))
    await until(lambda: len(bench.outcomes()) == 4)
    assert len(leads(crm)) == 2
