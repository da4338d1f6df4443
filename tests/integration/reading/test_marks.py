"""A CRM that marks where reading stood is read from there; one that has forgotten it, wholly again."""

from leadbus.connector.api.progress import progress_of
from leadbus.connector.pulling.runs import Runs
from leadbus.errors import Gone


async def test_reading_goes_on_where_the_crm_marked_it(reading):
    reading.crm.marks = True
    reading.crm.person("lead", "l1", "ada@example.com", first_name="Ada")
    await reading.sync("lead")
    pull = (await reading.shop.pulls.of_connection(reading.connection.id))["lead"]
    assert pull.mark is not None
    reading.crm.asked.clear()
    assert await reading.sync("lead") == []
    reading.crm.person("lead", "l2", "ben@example.com", first_name="Ben")
    (told,) = await reading.sync("lead")
    assert told.email == "ben@example.com"
    later = (await reading.shop.pulls.of_connection(reading.connection.id))["lead"]
    assert later.mark is not None
    assert later.mark > pull.mark


async def test_a_mark_that_is_too_old_has_everything_read_again_and_that_is_said(reading):
    reading.crm.marks = True
    reading.crm.person("lead", "l1", "ada@example.com", first_name="Ada")
    await reading.sync("lead")
    reading.crm.forgotten = True
    reading.crm.person("lead", "l2", "ben@example.com", first_name="Ben")
    reading.crm.erase("l1")
    await reading.shop.asked.kinds(reading.connection.id, ["lead"], full=False)
    (pull,) = (await reading.shop.pulls.of_connection(reading.connection.id)).values()
    await Runs(reading.connection, reading.crm, reading.shop).changes(pull)
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert "read again" in lead.error
    reading.crm.fails_at = None
    told = await reading.turns()
    assert {(event.email, event.deleted) for event in told} == {
        ("ada@example.com", True),
        ("ben@example.com", False),
    }
    (lead,) = [p for p in await progress_of(reading.connection, reading.shop) if p.kind == "lead"]
    assert (lead.state, lead.error) == ("not read", "")


async def test_reading_everything_begins_anew_where_the_crm_has_lost_the_page(reading):
    for number in (1, 2, 3):
        reading.crm.person("lead", f"l{number}", f"l{number}@example.com", first_name="Ada")
    lost = []

    def lose(kind, page):
        if page == "2" and not lost:
            lost.append(page)
            reading.crm.erase("l1")  # which was read already
            raise Gone("The CRM has forgotten the page.")

    reading.crm.fails_at = lose
    told = await reading.sync("lead")
    assert [(event.email, event.deleted) for event in told] == [
        ("l1@example.com", False),
        ("l2@example.com", False),
        ("l3@example.com", False),
        ("l1@example.com", True),
    ]
