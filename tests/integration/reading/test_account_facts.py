"""What is told of a person's company with the person, also when the company alone changes."""

from leadbus.messages import AccountChanged, ContactChanged, Record

ANN, BEN, CYD = "ann@example.com", "ben@example.com", "cyd@example.com"


def of(told, kind=ContactChanged):
    return [event for event in told if isinstance(event, kind)]


def account(reading, key="a1", **values):
    reading.crm.put("account", key, name=f"Engines {key}", owner_id="u1", values=values)


async def test_a_contact_is_told_with_the_facts_of_its_account(reading):
    account(reading, Revenue="1000000", Type="Customer")
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    (told,) = of(await reading.sync("account", "contact"))
    assert told.account_fields == {"annual_revenue": "1000000", "account_type": "Customer"}
    assert of(await reading.sync("account", "contact")) == []


async def test_a_changed_account_has_all_its_people_told_anew_and_nobody_else(reading):
    account(reading, Type="Prospect")
    account(reading, "a2", Type="Prospect")
    people = {"c1": ANN, "c2": BEN, "c3": CYD}
    for key, email in people.items():
        reading.crm.person("contact", key, email, account_id="a2" if email == CYD else "a1")
    first = of(await reading.sync("account", "contact"))
    account(reading, Type="Customer")
    told = await reading.sync("account")
    assert of(told, AccountChanged)[0].fields == {"account_type": "Customer"}
    assert {m.email: m.account_fields for m in of(told)} == {
        ANN: {"account_type": "Customer"},
        BEN: {"account_type": "Customer"},
    }
    before = {m.email: m for m in first}
    for message in of(told):  # the person's record is as it was, and yet this is the newer fact
        assert message.occurred_at > before[message.email].occurred_at
        assert message.event_id != before[message.email].event_id
    assert await reading.sync("account", "contact") == []


async def test_a_change_of_another_fact_of_the_account_reads_nobody(reading):
    account(reading, Type="Customer")
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    await reading.sync("account", "contact")
    reading.crm.reads.clear()
    reading.crm.put("account", "a1", name="Engines Plc")
    assert of(await reading.sync("account")) == []
    assert reading.crm.reads == []


async def test_an_account_that_is_read_after_its_contact_catches_up(reading):
    account(reading, Type="Customer")
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    (first,) = of(await reading.sync("contact"))
    assert first.account_fields == {}
    (second,) = of(await reading.sync("account"))
    assert second.account_fields == {"account_type": "Customer"}


async def test_there_and_back_again_are_three_events(reading):
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    ids = set()
    for kind in ("Customer", "Partner", "Customer"):
        account(reading, Type=kind)
        (told,) = of(await reading.sync("account", "contact"))
        assert told.account_fields == {"account_type": kind}
        ids.add(told.event_id)
    assert len(ids) == 3


async def test_a_deleted_account_takes_its_facts_with_it(reading):
    account(reading, Type="Customer")
    reading.crm.person("contact", "c1", ANN, account_id="a1")
    await reading.sync("account", "contact")
    reading.crm.put("account", "a1", deleted=True)
    (told,) = of(await reading.sync("account"))
    assert (told.account_fields, told.account) == ({}, None)


async def test_a_contact_that_we_made_is_told_once_its_account_says_something(reading):
    account(reading)
    record = Record(module="Contacts", id="c1")
    await reading.link(record, ANN, made="created")
    await reading.shop.mirror.intend("one", {record: {"Phone": "1", "account": "a1"}})
    reading.crm.person("contact", "c1", ANN, phone="1", account_id="a1")
    assert of(await reading.sync("account", "contact")) == []
    account(reading, Type="Customer")
    (told,) = of(await reading.sync("account"))
    assert told.account_fields == {"account_type": "Customer"}
