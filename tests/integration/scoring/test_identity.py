"""Visitors become known, emails change: scoring on a real MongoDB that reads what it has published again."""

from asyncio import timeout
from typing import Any

import pytest

from leadbus.consuming.records import Received
from leadbus.ids import prospect_id, prospect_id_of
from leadbus.messages import ProspectUpdated
from leadbus.publishing import Outgoing, partition_for
from leadbus.topics import BY_NAME, PARTITIONS, PROSPECTS_JOINED, PROSPECTS_LINKED
from scoring.explanation import view
from scoring.persons import same_person
from scoring.prospect import Key, Prospect

ADA, BOB = "ada@example.com", "bob@example.com"
START = 1_790_000_000_000
MINUTE = 60.0
HOUR = 3600.0


class World:
    """Feeds records, and what they cause, until nothing comes any more. log: all that was ever read."""

    def __init__(self, scoring: Any) -> None:
        self.scoring = scoring
        self.log: list[Received] = []
        self.qualified: list[Any] = []
        self.told: list[Any] = []

    async def feed(self, *records: Received, again: bool = False) -> None:
        batch = list(records)
        while batch:
            if not again:
                self.log += batch
            told = await self.scoring.feed(*batch)
            self.qualified += told.qualified
            self.told += told.activities
            batch = [
                self._received(one, batch)
                for one in told.records
                if one.topic in {PROSPECTS_LINKED.name, PROSPECTS_JOINED.name}
            ]

    def _received(self, one: Outgoing, caused_by: list[Received]) -> Received:
        self.scoring.offset += 1
        message = BY_NAME[one.topic].message.model_validate_json(one.value)
        partition, at = partition_for(one.key, PARTITIONS), max(record.at for record in caused_by) + 5
        return Received(one.topic, partition, self.scoring.offset, at, message)

    async def person(self, email: str = ADA) -> Prospect:
        prospect: Prospect = await self.scoring.prospect(email)
        return prospect

    async def visitor(self, name: str = "v") -> Prospect | None:
        key = Key("acme", prospect_id("acme", visitor_id=name))
        found: Prospect | None = (await self.scoring.prospects.load([key])).get(key)
        return found

    def anonymous(self, event_id: str, type_: str = "web_view", at: float = 0) -> Received:
        event: Received = self.scoring.event(event_id, type_, at, email=None, visitor_id="v")
        return event

    def known(self, event_id: str, at: float = 0, email: str = ADA, visitor: str = "v") -> Received:
        event: Received = self.scoring.event(event_id, "form_submission", at, email=email, visitor_id=visitor)
        return event

    def update(self, email: str, at: float = 0, **facts: Any) -> Received:
        who = prospect_id("acme", email=email)
        made: Received = self.scoring._received(
            "prospects.updated", ProspectUpdated, at, "acme", who, f"{email} {at}", facts | {"email": email}
        )
        return made


@pytest.fixture
def world(scoring: Any) -> World:
    return World(scoring)


def ids(prospect: Prospect) -> int:
    return len({row.id for row in prospect.history})


async def test_what_a_visitor_did_joins_the_person_once_and_later_events_follow(world: World) -> None:
    await world.feed(world.anonymous("1"), world.anonymous("2", "web_click", at=1))
    await world.feed(world.known("form", at=60))
    await world.feed(world.anonymous("late", at=61))
    person, visitor = await world.person(), await world.visitor()
    assert (len(person.history), ids(person)) == (4, 4)
    assert list(person.aliases) == ["visitor:v"]
    assert visitor is not None
    assert (len(visitor.history), visitor.score, visitor.email) == (0, 0, None)
    shown = view(person, (await world.scoring.rules.of(["acme"]))["acme"], person.at)
    assert round(sum(row.points_now for row in shown.explanation) * 1000) == person.score
    assert len(shown.explanation) == 4


async def test_all_that_was_ever_read_again_and_in_another_order_changes_nothing(world: World) -> None:
    world.scoring.connect(threshold=15)
    await world.feed(world.anonymous("1"), world.known("form", at=1), world.anonymous("2", at=2))
    await world.feed(world.update("new@example.com", at=3, previous_email=ADA), world.anonymous("3", at=4))
    person, qualified = await world.person("new@example.com"), len(world.qualified)
    assert (ids(person), qualified) == (4, 1)
    for log in (list(world.log), list(reversed(world.log))):
        world.scoring.handler.forget()
        for record in log:
            await world.feed(record, again=True)
    again = await world.person("new@example.com")
    assert (again.score, list(again.history), again.at) == (person.score, list(person.history), person.at)
    assert len(world.qualified) == qualified


async def test_a_link_that_comes_before_its_visitor_s_events_is_followed_all_the_same(world: World) -> None:
    await world.feed(world.known("form", at=10))
    await world.feed(world.anonymous("1", at=5), world.anonymous("2", at=15), world.anonymous("1", at=20))
    person = await world.person()
    assert (len(person.history), ids(person)) == (3, 3)
    assert sorted(row.at - person.history.newest for row in person.history) == [-10_000, -5_000, 0]


async def test_one_batch_with_a_visitor_s_events_its_link_and_later_ones_loses_none(world: World) -> None:
    form = world.known("form", at=1)
    link = await world.scoring.feed(form)
    (said,) = [one for one in link.records if one.topic == PROSPECTS_LINKED.name]
    await world.feed(
        world.anonymous("1"), world._received(said, [form]), world.anonymous("2", at=2), world.anonymous("3")
    )
    assert ids(await world.person()) == 4


async def test_two_people_on_one_computer_stay_two_and_each_has_what_followed_the_log_in(
    world: World,
) -> None:
    await world.feed(world.anonymous("before"))
    await world.feed(world.known("ada", at=HOUR))
    await world.feed(world.anonymous("a", at=HOUR + 1))
    await world.feed(world.known("bob", at=2 * HOUR, email=BOB))
    await world.feed(world.anonymous("b1", at=2 * HOUR + 1), world.anonymous("b2", at=2 * HOUR + 2))
    await world.feed(world.anonymous("late for ada", at=HOUR + 2))
    await world.feed(world.known("ada again", at=3 * HOUR))
    await world.feed(world.anonymous("a2", at=3 * HOUR + 1))
    ada, bob = await world.person(), await world.person(BOB)
    assert (ids(ada), ids(bob)) == (6, 3)
    assert not {row.id for row in ada.history} & {row.id for row in bob.history}
    assert (ada.email, bob.email) == (ADA, BOB)


async def test_a_busy_person_says_its_visitor_id_again_after_half_an_hour_only(world: World) -> None:
    said = []
    for number, at in enumerate((0, MINUTE, 29 * MINUTE, 31 * MINUTE, 32 * MINUTE)):
        told = await world.scoring.feed(world.known(str(number), at=at))
        said.append(len(told.of(PROSPECTS_LINKED.name)))
    assert said == [1, 0, 0, 1, 0]
    assert (await world.scoring.feed(world.known("0", at=HOUR * 9))).records == []


async def test_a_changed_email_keeps_the_person_and_what_still_comes_for_the_old_one(world: World) -> None:
    world.scoring.connect(threshold=15, lead_distribution=True)
    old = world.scoring
    await world.feed(old.event("1"), old.distribution("d1", at=1), old.delivery("created", at=2))
    await world.feed(old.contact(at=3, status="Hot"))
    await world.feed(world.update("new@example.com", at=4, previous_email=ADA))
    await world.feed(old.event("2", at=5), old.opportunity(at=6, stage="Won"), old.distribution("d2", at=7))
    person = await world.person("new@example.com")
    assert (ids(person), person.email, list(person.qualified)) == (2, "new@example.com", ["c1"])
    assert [handed.distribution_id for handed in person.handed] == ["d1", "d2"]
    assert (list(person.linked), len(person.crm.records), len(person.crm.opportunities)) == (["c1"], 1, 1)
    assert len(world.qualified) == 1
    gone = await world.person()
    assert (gone.email, gone.qualified, gone.cools_at, len(gone.history)) == (None, {}, None, 0)


async def test_an_email_that_is_changed_back_is_the_person_again(world: World) -> None:
    event = world.scoring.event
    await world.feed(event("1"))
    await world.feed(world.update(BOB, at=1, previous_email=ADA))
    await world.feed(event("2", at=2, email=BOB), event("3", at=3))
    await world.feed(world.update(ADA, at=4, previous_email=BOB))
    await world.feed(event("4", at=5), event("5", at=6, email=BOB))
    ada, bob = await world.person(), await world.person(BOB)
    assert (ids(ada), len(bob.history), ada.person, ada.email) == (5, 0, None, ADA)
    assert list(ada.aliases) == [f"email:{BOB}"]
    await world.feed(world.update(BOB, at=7, previous_email=ADA))
    await world.feed(event("6", at=8))
    ada, bob = await world.person(), await world.person(BOB)
    assert (len(ada.history), ids(bob), bob.person, bob.email) == (0, 6, None, BOB)


async def test_a_visitor_s_events_go_on_from_an_old_email_to_the_new_one(world: World) -> None:
    await world.feed(world.anonymous("1"), world.known("form", at=1))
    await world.feed(world.update(BOB, at=2, previous_email=ADA))
    await world.feed(world.anonymous("2", at=3), world.known("old email", at=4))
    bob = await world.person(BOB)
    assert ids(bob) == 4
    assert sorted(bob.aliases) == [f"email:{ADA}", "visitor:v"]
    # Its own word an hour later links the visitor to the new email itself.
    await world.feed(world.known("new email", at=HOUR, email=BOB))
    visitor = await world.visitor()
    assert visitor is not None
    assert [link.email for link in visitor.links] == [ADA, BOB]


async def test_a_visitor_is_joined_before_or_after_the_email_has_changed(world: World) -> None:
    await world.feed(world.scoring.event("1"), world.anonymous("2"))
    change = await world.scoring.feed(world.update(BOB, at=2, previous_email=ADA, visitor_id="v"))
    links = change.of(PROSPECTS_LINKED.name)
    assert {link.alias for link in links} == {f"email:{ADA}", "visitor:v"}
    assert {link.prospect_id for link in links} == {prospect_id_of("acme", link.alias) for link in links}
    await world.feed(*(world._received(one, world.log) for one in reversed(change.records)))
    assert ids(await world.person(BOB)) == 2


async def test_points_of_a_visitor_can_cross_a_threshold_and_are_told_to_the_crm(world: World) -> None:
    world.scoring.connect(threshold=25)
    await world.feed(world.anonymous("1", "form_submission"))
    await world.feed(world.known("form", at=1))
    (qualified,) = world.qualified
    assert {activity.event_id for activity in qualified.activities} == {"1", "form"}
    await world.feed(world.anonymous("2", at=2))
    assert [[a.event_id for a in told.activities] for told in world.told] == [["2"]]
    assert world.told[0].email == ADA


async def test_what_nobody_signed_does_not_say_again_whose_the_visitor_is(world: World) -> None:
    await world.feed(world.known("form"))
    await world.feed(world.anonymous("1", at=2 * HOUR))
    assert ids(await world.person()) == 2
    visitor = await world.visitor()
    assert visitor is not None
    assert len(visitor.links) == 1


async def test_what_was_so_before_the_link_of_the_same_batch_is_told(world: World) -> None:
    world.scoring.connect(threshold=15)
    change = world.update(BOB, at=1, previous_email=ADA)
    (said,) = (await world.scoring.feed(change)).records
    await world.feed(world.scoring.event("1", fields={"city": "Rome"}), world._received(said, [change]))
    (qualified,) = world.qualified
    assert (qualified.email, qualified.fields.flat(), qualified.score) == (ADA, {"city": "Rome"}, 20)
    assert [activity.event_id for activity in qualified.activities] == ["1"]
    assert list((await world.person(BOB)).qualified) == ["c1"]


async def test_an_event_sent_again_after_somebody_else_s_log_in_counts_once(world: World) -> None:
    twice = [world.anonymous("twice", at=at) for at in (HOUR + 1, 2 * HOUR + 1)]
    await world.feed(world.anonymous("first"), world.known("ada", at=HOUR), twice[0])
    await world.feed(world.known("bob", at=2 * HOUR, email=BOB))
    await world.feed(twice[1], world.anonymous("first", at=2 * HOUR + 2))
    ada, bob = await world.person(), await world.person(BOB)
    assert (ids(ada), ids(bob)) == (3, 1)


async def test_the_first_one_s_return_is_noticed_at_once(world: World) -> None:
    await world.feed(world.known("ada"))
    await world.feed(world.known("bob", at=MINUTE, email=BOB))
    await world.feed(world.anonymous("b", at=MINUTE + 1))
    await world.feed(world.known("ada again", at=2 * MINUTE))
    await world.feed(world.anonymous("a", at=2 * MINUTE + 1))
    await world.feed(world.known("bob again", at=3 * MINUTE, email=BOB))
    await world.feed(world.anonymous("b2", at=3 * MINUTE + 1))
    ada, bob = await world.person(), await world.person(BOB)
    assert (ids(ada), ids(bob)) == (3, 4)


async def test_a_late_record_ends_somewhere_though_emails_went_round_and_on(world: World) -> None:
    """Of the time at which another email was the person's."""
    event = world.scoring.event
    await world.feed(event("1"))
    await world.feed(world.update(BOB, at=10, previous_email=ADA))
    await world.feed(world.update(ADA, at=20, previous_email=BOB))
    await world.feed(world.update("new@example.com", at=30, previous_email=ADA))
    async with timeout(5):
        await world.feed(event("late", at=15), event("later", at=16, email=BOB))
    assert ids(await world.person("new@example.com")) == 3


async def test_a_visitor_id_that_everybody_shares_stays_small_and_quiet(world: World) -> None:
    people = [f"p{n}@example.com" for n in range(60)]
    read = []
    for again in range(3):
        before = len(world.log)
        forms = [world.known(f"{again} {n}", 60 * again + n, email) for n, email in enumerate(people)]
        await world.feed(*forms)
        read.append(len(world.log) - before)
    visitor = await world.visitor()
    assert visitor is not None
    assert len(visitor.links) == 50
    assert read[-1] == 60


async def test_one_person_s_visitor_id_keeps_two_links_however_long_it_is_used(world: World) -> None:
    for hour in range(6):
        await world.feed(world.known(str(hour), at=hour * HOUR))
    visitor = await world.visitor()
    assert visitor is not None
    assert [(link.at - START) / HOUR / 1000 for link in visitor.links] == [0, 5]


async def test_all_ids_of_a_person_are_found_also_those_it_has_forgotten(world: World) -> None:
    await world.feed(*(world.known(str(n), at=n, visitor=f"v{n}") for n in range(55)))
    await world.feed(world.update(BOB, at=60, previous_email=ADA))
    bob = await world.person(BOB)
    assert len(bob.aliases) == 50
    found = await same_person(world.scoring.prospects, bob.key)
    visitors = {prospect_id("acme", visitor_id=f"v{n}") for n in range(55)}
    assert set(found) == visitors | {prospect_id("acme", email=ADA), bob.key.prospect_id}
    assert found[-1] == bob.key.prospect_id


async def test_older_activities_of_a_visitor_are_told_to_the_crm_that_knows_the_person(world: World) -> None:
    world.scoring.connect(threshold=15)
    await world.feed(world.anonymous("seen", "web_click"))
    busy = [world.scoring.event(f"own {n}", at=n + 1) for n in range(30)]
    await world.feed(*busy)
    world.told.clear()
    await world.feed(world.known("form", at=60))
    assert {a.event_id for told in world.told for a in told.activities} == {"seen", "form"}


async def test_a_visitor_of_whom_there_is_nothing_to_tell_is_not_told(world: World) -> None:
    world.scoring.connect(threshold=15)
    await world.feed(world.scoring.event("form"), world.anonymous("sent", "email_sent"))
    await world.feed(world.update(ADA, at=1, visitor_id="v"))
    assert (ids(await world.person()), world.told) == (2, [])
