"""People hear of a connection's state: once when it begins, once when it is over, refusals each morning."""

from datetime import UTC, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import pytest

from leadbus.connector.connection import HealthState
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Address, Parked
from leadbus.connector.link import Link, LinkState
from leadbus.connector.mailing.letters import MailKind
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.mailing.watching import Watch
from leadbus.messages import Record

ANNA, BEN = "anna@acme.example", "ben@acme.example"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.fixture
def subjects(post, server):
    """Of what has arrived for Anna, oldest first, once everything due is sent."""

    async def read() -> list[str]:
        await post.sender.turn()
        return [got.subject for got in reversed(server.mails(ANNA))]

    return read


TROUBLE = "Leads are waiting: acme-sugar cannot reach your CRM"
OVER = "All is well again: acme-sugar reaches your CRM"
REFUSED = "Your CRM does not let us in: acme-sugar needs a new login"


async def test_trouble_is_told_once_when_it_lasts_and_once_when_it_is_over(post, subjects):
    connection = await post.connection(notify=[ANNA])
    await post.fares(connection, HealthState.TROUBLE, NOW)
    await post.watch.look_after_health(NOW + minutes(9))
    assert await subjects() == []
    for later in (10, 11, 300):
        await post.watch.look_after_health(NOW + minutes(later))
    assert await subjects() == [TROUBLE]
    await post.fares(connection, HealthState.WELL, NOW + minutes(301))
    await post.watch.look_after_health(NOW + minutes(302))
    assert await subjects() == [TROUBLE]  # it may come back
    for later in (303, 304):
        await post.watch.look_after_health(NOW + minutes(later))
    assert await subjects() == [TROUBLE, OVER]


async def test_a_blip_is_not_told(post, subjects):
    connection = await post.connection(notify=[ANNA])
    for begun in (0, 20):
        await post.fares(connection, HealthState.TROUBLE, NOW + minutes(begun))
        await post.watch.look_after_health(NOW + minutes(begun + 5))
        await post.fares(connection, HealthState.WELL, NOW + minutes(begun + 6))
        await post.watch.look_after_health(NOW + minutes(begun + 12))
    assert await subjects() == []


async def test_the_next_trouble_is_told_again(post, subjects):
    connection = await post.connection(notify=[ANNA])
    for begun in (0, 60):
        await post.fares(connection, HealthState.TROUBLE, NOW + minutes(begun))
        await post.watch.look_after_health(NOW + minutes(begun + 15))
        await post.fares(connection, HealthState.WELL, NOW + minutes(begun + 20))
        await post.watch.look_after_health(NOW + minutes(begun + 25))
    assert await subjects() == [TROUBLE, OVER, TROUBLE, OVER]


async def test_a_refused_login_is_told_at_once_and_its_end_is_nobodys_surprise(post, subjects):
    connection = await post.connection(notify=[ANNA])
    await post.fares(connection, HealthState.REFUSED, NOW)
    for later in (0, 1, 300):
        await post.watch.look_after_health(NOW + minutes(later))
    assert await subjects() == [REFUSED]
    await post.fares(connection, HealthState.WELL, NOW + minutes(301))
    await post.watch.look_after_health(NOW + minutes(310))
    assert await subjects() == [REFUSED]


async def test_a_connection_that_is_off_or_tells_nobody_is_not_told_of(post):
    off = await post.connection("off", on=False, notify=[ANNA])
    nobody = await post.connection("nobody")
    for connection in (off, nobody):
        await post.fares(connection, HealthState.REFUSED, NOW)
    await post.watch.look_after_health(NOW + minutes(1))
    assert await post.waiting() == []


async def refuse(post, connection, email="ada@initech.example", reason="Its phone is too long.") -> str:
    """The CRM refuses a delivery for that person."""
    prospect = f"p-{email}"

    def merge(known):
        return Delivery(
            connection_id=connection.id,
            organisation_id=connection.organisation_id,
            tenant_id="acme",
            prospect_id=prospect,
            address=Address(email, NOW, "e"),
            parked=Parked(reason, NOW, "phone_work"),
        )

    async with post.client.start_session() as session, await session.start_transaction():
        await post.deliveries.merge_all({(connection.id, prospect): merge}, session)
    return prospect


BERLIN = ZoneInfo("Europe/Berlin")
MORNING = datetime(2026, 11, 23, 7, 1, tzinfo=BERLIN)


async def test_refusals_are_listed_each_morning_in_the_connections_time_zone(post, server, subjects):
    connection = await post.connection(notify=[ANNA, BEN], time_zone="Europe/Berlin")
    await refuse(post, connection)
    await post.watch.list_refusals(MORNING - timedelta(hours=10))  # the evening before: it is new
    await post.watch.list_refusals(MORNING - minutes(2))
    assert await subjects() == []
    for later in (0, 1, 600):
        await post.watch.list_refusals(MORNING + minutes(later))
    assert await subjects() == ["1 record needs your attention: acme-sugar"]
    assert len(server.mails(BEN)) == 1
    text = server.mails(ANNA)[0].text
    for said in ("Lead ada@initech.example", "Its phone is too long.", "Field: phone_work", "send it again"):
        assert said in text
    await post.watch.list_refusals(MORNING + timedelta(days=1))
    assert len(await subjects()) == 2


async def test_one_connection_that_cannot_be_listed_costs_no_other_its_list(post, subjects):
    names = ("a-first", "broken", "c-last")
    for name in names:
        await refuse(post, await post.connection(name, notify=[ANNA]))
    await post.watch.list_refusals(MORNING - timedelta(days=1))

    async def listing(connection, day):
        if connection.id == "broken":
            raise ValueError(day)
        return await post.refusals.of_day(connection, day)

    watch = Watch(post.connections, post.spool, post.told, listing)
    await watch.list_refusals(MORNING)
    assert sorted(subject[-7:] for subject in await subjects()) == ["a-first", " c-last"][::-1]
    await post.watch.list_refusals(MORNING + minutes(1))  # it is made up for
    assert any("broken" in subject for subject in await subjects())


async def test_where_nothing_is_refused_nobody_is_mailed(post):
    await post.connection(notify=[ANNA], time_zone="Europe/Berlin")
    for day in range(3):
        await post.watch.list_refusals(MORNING + timedelta(days=day))
    assert await post.waiting() == []


async def test_a_refused_record_is_linked_and_a_long_list_is_cut(post, server):
    connection = await post.connection(notify=[ANNA])
    prospects = [await refuse(post, connection, f"p{n}@initech.example") for n in range(33)]
    record = Record(module="Leads", id="l-1")
    link = Link(
        connection.organisation_id,
        prospects[0],
        "acme",
        record,
        LinkState.LINKED,
        NOW,
        "created",
        connection.id,
    )
    await post.links.save([link])
    for day in (0, 1):
        await post.watch.list_refusals(MORNING + timedelta(days=day))
    await post.sender.turn()
    (got,) = server.mails(ANNA)
    assert got.subject == "33 records need your attention: acme-sugar"
    assert "And 3 more" in got.text
    url = (await post.adapter(connection)).url_of(record)
    assert f'<a href="{escape(url)}"' in got.html


async def test_two_pods_that_look_at_once_say_it_once(post, subjects):
    connection = await post.connection(notify=[ANNA])
    await post.fares(connection, HealthState.REFUSED, NOW)
    await refuse(post, connection)
    await post.watch.list_refusals(MORNING - timedelta(days=1))
    other = type(post)(post.client, post.database, post.server, post.telemetry)
    for watch in (post.watch, other.watch):
        await watch.look_after_health(NOW)
    days = await post.told.days(["acme-sugar"])
    for watch in (post.watch, other.watch):
        await post.told.day("acme-sugar", days["acme-sugar"])  # neither knows of the other yet
        await watch.list_refusals(MORNING)
    assert sorted(await subjects()) == ["1 record needs your attention: acme-sugar", REFUSED]


async def test_who_has_turned_a_kind_off_gets_the_others_still(post, server):
    connection = await post.connection(notify=[ANNA, BEN])
    await post.choices.turn("acme", ANNA, MailKind.LOGIN, off=True)
    await post.fares(connection, HealthState.REFUSED, NOW)
    await post.watch.look_after_health(NOW)
    await post.say(connection, ANNA)
    await post.sender.turn()
    assert [got.to[0] for got in server.mails() if got.subject == REFUSED] == [BEN]
    assert [got.subject for got in server.mails(ANNA)] == ["Your CRM is connected: acme-sugar is active"]
    assert post.counted("login", "off") == 1


async def test_another_tenants_mails_to_the_same_person_stay_on(post):
    await post.choices.turn("acme", ANNA, MailKind.LOGIN, off=True)
    assert await post.choices.is_off("acme", ANNA, MailKind.LOGIN)
    assert not await post.choices.is_off("bolt", ANNA, MailKind.LOGIN)
    await post.choices.turn("acme", ANNA, MailKind.LOGIN, off=False)
    assert not await post.choices.is_off("acme", ANNA, MailKind.LOGIN)


async def test_choices_are_kept_without_the_address(post):
    await post.choices.turn("acme", ANNA, MailKind.LOGIN, off=True)
    (kept,) = await post.client[post.database]["connector-sugar.mail_choices"].find().to_list()
    assert ANNA not in str(kept)


async def test_the_standing_of_a_lead_is_looked_up_when_its_mail_goes(post):
    connection = await post.connection()
    prospect = await refuse(post, connection)
    mail = Mail("m", "new_lead", "acme", connection.id, ANNA, {}, NOW, NOW, prospect)
    assert await post.standings.of(mail) == {
        "url": None,
        "refused": "Its phone is too long.",
        "on": True,
        "taken": True,
    }
    gone = Mail("m", "new_lead", "acme", "no-such", ANNA, {}, NOW, NOW, prospect)
    assert await post.standings.of(gone) == {"url": None, "refused": "", "on": False, "taken": True}
