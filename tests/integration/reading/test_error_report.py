"""What cannot be taken in is reported under its root, and follows by itself once that is corrected."""

from datetime import UTC, datetime

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.api.progress import progress_of
from leadbus.connector.api.reporting import grouped, pulled_id
from leadbus.messages import AccountChanged, ContactChanged, OpportunityChanged

ANN = "ann@example.com"


async def an_account_in_error(reading):
    """An account that nobody is assigned to, its contact, which we link to, and their opportunity."""
    reading.crm.put("account", "a1", name="Acme")
    contact = reading.crm.person("contact", "c1", ANN, account_id="a1")
    await reading.link(contact, ANN)
    reading.crm.put("opportunity", "o1", name="Big", contact_ids=("c1",), account_id="a1", stage="New")
    return await reading.sync()


async def report_of(reading):
    rows = await ErrorReport(reading.shop).rows(reading.connection, reading.crm)
    return grouped(rows)


async def test_an_account_without_a_user_holds_back_what_depends_on_it(reading):
    told = await an_account_in_error(reading)
    assert [(type(event), event.account) for event in told] == [(ContactChanged, None)]
    (root,) = await report_of(reading)
    assert (root.object, root.record.id, root.field) == ("account", "a1", "owner")
    assert "no user assigned" in root.reason
    assert root.url == "http://127.0.0.1/Accounts/a1"
    assert [(d.object, d.record.id, d.blocking) for d in root.dependents] == [
        ("contact", "c1", False),
        ("opportunity", "o1", True),
    ]


async def test_once_the_root_is_corrected_its_dependents_follow_in_the_same_pull(reading):
    await an_account_in_error(reading)
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com")
    reading.crm.put("account", "a1", owner_id="u1")
    told = await reading.sync("user", "account")
    assert {type(event) for event in told[1:]} == {AccountChanged, ContactChanged, OpportunityChanged}
    (contact,) = [event for event in told if isinstance(event, ContactChanged)]
    assert contact.account.id == "a1"
    assert await report_of(reading) == []


async def test_an_inactive_owner_is_the_root_of_its_account_and_of_all_below(reading):
    await an_account_in_error(reading)
    reading.crm.put("user", "u1", name="Sally", email="sally@example.com", active=False)
    reading.crm.put("account", "a1", owner_id="u1")
    await reading.sync("user", "account")
    assert await reading.problems() == {
        "a1": ("owner_inactive", "u1"),
        "c1": ("account_in_error", "a1"),
        "o1": ("account_in_error", "a1"),
    }
    reading.crm.put("user", "u1", active=True)
    await reading.sync("user")
    assert await reading.problems() == {}


async def test_since_when_stays_what_it_was_at_first_sight(reading):
    await an_account_in_error(reading)
    before = (await reading.row("a1")).problem.since
    reading.crm.put("account", "a1", name="Acme Ltd")
    await reading.sync("account")
    assert (await reading.row("a1")).problem.since == before
    assert (await reading.row("a1")).name == "Acme Ltd"


async def test_send_again_reads_the_row_and_what_depends_on_it_at_once(reading):
    await an_account_in_error(reading)
    record = reading.crm.put("account", "a1", owner_id="u1")
    report = ErrorReport(reading.shop)
    assert await report.send_again(reading.connection, {"record:Accounts/unknown"}) == 0
    assert await report.send_again(reading.connection, {pulled_id(record)}) == 1
    assert {type(event) for event in await reading.turns()} == {
        AccountChanged,
        ContactChanged,
        OpportunityChanged,
    }
    assert await reading.problems() == {}
    assert await reading.shop.asked.of_connection("one") == []


async def test_skipped_and_refused_rows_are_counted_per_kind(reading):
    await an_account_in_error(reading)
    reading.crm.person("contact", "c2", None)
    await reading.sync("contact")
    counted = {p.kind: (p.skipped, p.refused) for p in await progress_of(reading.connection, reading.shop)}
    assert counted["contact"] == (1, 1)
    assert counted["account"] == (0, 1)
    assert counted["lead"] == (0, 0)


async def test_a_hint_is_read_and_taken_like_a_change(reading):
    record = reading.crm.person("lead", "l1", ANN)
    await reading.sync("lead")
    reading.crm.put("lead", "l1", values={"Phone": "9"})
    await reading.shop.asked.records("one", [record])
    started = datetime.now(UTC)
    await reading.pulling().rest(30)
    assert (datetime.now(UTC) - started).total_seconds() < 25
    (told,) = await reading.turns()
    assert told.fields.phone == "9"
    reading.crm.erase("l1")
    await reading.shop.asked.records("one", [record])
    (gone,) = await reading.turns()
    assert gone.deleted
