"""The port, alike over both families: what is asked of an organisation, and what it answers."""

from uuid import uuid4

import pytest

from connector_dynamics.wire import Condition, Filter, Link, Option, Query, Reference, Write
from leadbus.errors import Conflict, Gone, OutcomeUnknown, Rejected, Transient, Unsupported


def lead(**values):
    return Write(str(uuid4()), {"lastname": "Doe", "subject": "s", **values})


@pytest.fixture
async def organisation(open_with):
    return (await open_with()).organisation


async def test_rows_are_created_under_our_ids_and_once_only(organisation, stored):
    rows = [lead(emailaddress1=f"{number}@x.test") for number in range(3)]
    assert await organisation.create("lead", rows) == [row.id for row in rows]
    again = await organisation.create("lead", [rows[0], lead()])
    assert isinstance(again[0], Conflict)
    assert isinstance(again[1], str)
    assert len(stored()) == 4


async def test_the_crm_s_rules_against_duplicates_are_respected(organisation, stored):
    await organisation.create("lead", [lead(emailaddress1="one@x.test")])
    (refused,) = await organisation.create("lead", [lead(emailaddress1="one@x.test")])
    assert isinstance(refused, Rejected)
    assert "duplicate" in str(refused).lower()
    assert len(stored()) == 1


async def test_a_row_that_is_refused_hides_nothing_of_the_others(organisation, stored):
    rows = [lead(), lead(lastname="x" * 500), lead(), lead(leadsourcecode=Option(4711))]
    outcomes = await organisation.create("lead", rows)
    assert [isinstance(outcome, str) for outcome in outcomes] == [True, False, True, False]
    assert isinstance(outcomes[1], Rejected)
    assert isinstance(outcomes[3], Rejected)
    assert set(stored()) == {rows[0].id, rows[2].id}


async def test_changes_reach_what_is_there_and_create_nothing(organisation, stored, crm):
    row = lead()
    await organisation.create("lead", [row])
    owner = Reference("systemuser", crm.site.person.id)
    changed = {"lastname": "New", "ownerid": owner, "statecode": Option(2), "statuscode": Option(4)}
    outcomes = await organisation.update("lead", [Write(row.id, changed), lead()])
    assert outcomes[0] is None
    assert isinstance(outcomes[1], Gone)
    (entry,) = await organisation.retrieve(
        "lead", [row.id], ["lastname", "ownerid", "statecode", "statuscode"]
    )
    assert entry.values["lastname"] == "New"
    assert entry.values["ownerid"] == Reference("systemuser", owner.id, "Ada Nowak")
    assert (entry.values["statecode"], entry.values["statuscode"]) == (2, 4)
    assert entry.labels["statuscode"] == "Lost"
    assert len(stored()) == 1


async def test_a_value_is_emptied_by_none(organisation):
    row = lead(jobtitle="CEO")
    await organisation.create("lead", [row])
    assert await organisation.update("lead", [Write(row.id, {"jobtitle": None, "campaignid": None})]) == [
        None
    ]
    (entry,) = await organisation.retrieve("lead", [row.id], ["jobtitle"])
    assert entry.values.get("jobtitle") is None


async def test_hundreds_of_rows_are_few_calls(organisation, crm):
    before = crm.calls.total()
    outcomes = await organisation.create("lead", [lead() for _ in range(300)])
    assert all(isinstance(outcome, str) for outcome in outcomes)
    assert crm.calls.total() - before <= 40


async def test_pages_follow_one_another_without_a_gap_and_end(organisation):
    rows = [lead() for _ in range(25)]
    await organisation.create("lead", rows)
    query = Query("lead", ("lastname",), order=("modifiedon",), size=10)
    seen, page, sizes = [], None, []
    while True:
        listing = await organisation.query(query, page)
        seen += [entry.id for entry in listing.entries]
        sizes.append(len(listing.entries))
        page = listing.next
        if page is None:
            break
    assert sizes == [10, 10, 5]
    assert sorted(seen) == sorted(row.id for row in rows)


async def test_many_addresses_are_asked_for_in_one_query(organisation):
    rows = [lead(emailaddress1=f"a+o'neil&{number}@x.test") for number in range(60)]
    await organisation.create("lead", rows)
    asked = tuple(str(row.values["emailaddress1"]).upper() for row in rows)
    where = Filter((Condition("emailaddress1", "in", asked),))
    listing = await organisation.query(Query("lead", ("emailaddress1",), where))
    assert len(listing.entries) == 60


async def test_a_linked_row_s_values_come_under_its_alias(organisation):
    row = lead()
    note = Write(str(uuid4()), {"subject": "n", "notetext": "t", "objectid": Reference("lead", row.id)})
    await organisation.create("lead", [row])
    assert await organisation.create("annotation", [note]) == [note.id]
    link = Link("lead", "leadid", "objectid", "about", ("lastname",))
    (entry,) = (await organisation.query(Query("annotation", ("subject",), links=(link,)))).entries
    assert entry.values["about.lastname"] == "Doe"


async def test_activities_hang_on_their_lead_and_calls_have_their_people(organisation, stored, crm):
    row, about = lead(), None
    await organisation.create("lead", [row])
    about = Reference("lead", row.id)
    for entity in ("task", "phonecall"):
        values = {"subject": "s", "regardingobjectid": about}
        if entity == "phonecall":
            values |= {"to": (about,), "from": (Reference("systemuser", crm.user_id),)}
        assert all(
            isinstance(id_, str) for id_ in await organisation.create(entity, [Write(str(uuid4()), values)])
        )
        (entry,) = (await organisation.query(Query(entity, ("regardingobjectid",)))).entries
        assert entry.values["regardingobjectid"].id == row.id
    (call,) = stored("phonecall").values()
    assert row.id in str(call["to"])
    assert crm.user_id in str(call["from"])


async def test_a_lead_is_qualified_once(organisation):
    row = lead(companyname="Example Ltd", firstname="Jane")
    await organisation.create("lead", [row])
    made = await organisation.qualify(row.id, account=True, contact=True)
    assert sorted(reference.entity for reference in made) == ["account", "contact"]
    with pytest.raises(Rejected):
        await organisation.qualify(row.id, account=True, contact=True)
    with pytest.raises(Gone):
        await organisation.qualify(str(uuid4()), account=True, contact=True)


async def test_members_of_a_static_list_come_and_go(organisation):
    rows, list_id = [lead() for _ in range(3)], str(uuid4())
    await organisation.create("lead", rows)
    await organisation.create("list", [Write(list_id, {"listname": "l", "createdfromcode": Option(4)})])
    await organisation.add_members(list_id, "lead", [row.id for row in rows])
    await organisation.remove_members(list_id, [rows[0].id, str(uuid4())])
    where = Filter((Condition("listid", "eq", (list_id,)),))
    listing = await organisation.query(Query("listmember", ("entityid",), where))
    assert {entry.values["entityid"].id for entry in listing.entries} == {row.id for row in rows[1:]}
    with pytest.raises(Gone):
        await organisation.add_members(str(uuid4()), "lead", [rows[0].id])


async def test_a_column_is_told_with_its_type_and_options(organisation):
    columns = {column.name: column for column in await organisation.attributes("lead")}
    assert columns["lastname"].type == "text"
    assert columns["lastname"].length == 50
    source = columns["leadsourcecode"]
    assert source.type == "option"
    assert source.options is not None
    assert source.options[8] == "Web"
    assert columns["statuscode"].type == "status"
    assert columns["ownerid"].type == "lookup"
    assert columns["new_score"].custom
    with pytest.raises(Unsupported):
        await organisation.attributes("new_nothing")


async def test_columns_are_asked_for_once_unless_they_must_be_fresh(organisation, crm):
    await organisation.attributes("lead")
    before = crm.calls.total()
    await organisation.attributes("lead")
    assert crm.calls.total() == before
    crm.desk.add_attribute("lead", "new_later", "string")
    columns = await organisation.attributes("lead", fresh=True)
    assert "new_later" in {column.name for column in columns}


async def test_privileges_are_those_of_our_user(organisation, crm):
    asked, row = {"prvReadLead", "prvWriteLead", "prvReadActivity"}, lead()
    await organisation.create("lead", [row])
    assert await organisation.privileges(asked) == asked
    crm.desk.forbid("lead", ["write"])
    assert await organisation.privileges(asked) == asked - {"prvWriteLead"}
    (outcome,) = await organisation.update("lead", [Write(row.id, {"lastname": "New"})])
    assert isinstance(outcome, Rejected)
    assert "prvWriteLead" in str(outcome)


async def test_what_is_not_there_is_said_of_the_whole_query(organisation):
    with pytest.raises(Unsupported):
        await organisation.query(Query("lead", ("new_nothing",)))


@pytest.mark.parametrize(
    ("kind", "reading", "writing"),
    [
        ("error", Transient, OutcomeUnknown),
        ("html", Transient, OutcomeUnknown),
        ("hang", Transient, OutcomeUnknown),
    ],
)
async def test_trouble_with_a_call_is_told_by_what_it_may_have_done(
    organisation, crm, kind, reading, writing, monkeypatch
):
    monkeypatch.setattr("connector_dynamics.http.READ_SECONDS", 0.2)
    monkeypatch.setattr("connector_dynamics.http.CONNECT_SECONDS", 0.2)
    monkeypatch.setattr("connector_dynamics.http.exchange.__kwdefaults__", {"seconds": 0.2})
    await organisation.create("lead", [lead()])
    crm.faults.add(kind, seconds=5.0)
    with pytest.raises(reading):
        await organisation.retrieve("lead", [str(uuid4())], ["lastname"])
    with pytest.raises(writing):
        await organisation.create("lead", [lead()])
    crm.faults.clear()


async def test_an_answer_that_was_lost_leaves_its_rows_in_doubt(organisation, crm, stored):
    crm.faults.add("lose_reply", times=1)
    rows = [lead() for _ in range(30)]
    outcomes = await organisation.create("lead", rows)
    doubtful = [isinstance(outcome, OutcomeUnknown) for outcome in outcomes]
    assert sum(doubtful) == 10
    assert len(stored()) == 30


async def test_the_trace_of_a_lead_reaches_the_crm(organisation, stored):
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    row = Write(str(uuid4()), {"lastname": "Doe", "subject": "s"}, traceparent=trace)
    await organisation.create("lead", [row])
    assert stored()[row.id]["traceparent"] == trace.decode()
