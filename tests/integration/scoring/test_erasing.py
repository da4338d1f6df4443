"""Scoring erases whom somebody asked to erase, with its aliases; older facts bring nobody back."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from leadbus.consuming.records import Keeper, Received
from leadbus.erasing.tombstones import Tombstones
from leadbus.ids import prospect_id
from leadbus.messages import ForwardedRecord, ProspectForgotten, ProspectJoined, ProspectLinked
from leadbus.topics import PROSPECTS_ERASED
from scoring.confirming import ConfirmingHandler
from scoring.eraser import Eraser
from scoring.erasures import Erasure, MongoErasures
from scoring.handlers import ScoringHandler
from scoring.persons import same_person
from scoring.prospect import Alias, Key, Link, Prospect

if TYPE_CHECKING:
    from conftest import Scoring

START, EMAIL = 1_790_000_000_000, "ada@example.com"
PERSON = prospect_id("acme", email=EMAIL)
VISITOR = prospect_id("acme", visitor_id="v-1")


class House:
    """Scoring's parts for erasing; the clock says when it is done."""

    def __init__(self, scoring: "Scoring") -> None:
        self.scoring = scoring
        self.erasures = MongoErasures(scoring.database)
        tombstones = Tombstones(scoring.database, "scoring")
        inner = ScoringHandler(
            scoring.prospects, scoring.rules, scoring.connections, scoring.telemetry, tombstones
        )
        self.handler: Keeper = ConfirmingHandler(inner, tombstones, self.erasures)
        scoring.handler = self.handler  # type: ignore[assignment]
        self.now = START / 1000 + 10
        self.eraser = Eraser(
            scoring, scoring.prospects, self.erasures, scoring.database, tombstones, lambda: self.now
        )

    async def erase(self, *services: str) -> Erasure:
        person = await same_person(self.scoring.prospects, Key("acme", PERSON))
        asked = await self.erasures.ask("acme", "operator", person, ["scoring", *services])
        while (await self.get(asked)).waiting:
            await self.eraser.look()
        return await self.get(asked)

    async def get(self, erasure: Erasure) -> Erasure:
        found = await self.erasures.get(erasure.id)
        assert found is not None
        return found

    def said(self) -> list[str]:
        """Whom the others were told to erase, in that order."""
        topic = PROSPECTS_ERASED
        found = [r for r in self.scoring.swept if r.topic == topic.name]
        return [topic.message.model_validate_json(r.value).prospect_id for r in found]  # type: ignore[attr-defined]


@pytest.fixture
def house(scoring: "Scoring") -> House:
    return House(scoring)


async def test_nothing_older_brings_an_erased_person_back_and_what_is_newer_counts_from_nothing(
    scoring: "Scoring", house: House
) -> None:
    await scoring.feed(scoring.event("before", at=1))
    await house.erase()
    assert house.said() == [PERSON]
    told = await scoring.feed(scoring.event("late", at=9), scoring.distribution("late", at=10))
    assert not told.records
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0
    await scoring.feed(scoring.event("late, too", at=9), scoring.event("after", at=11))
    known = await scoring.prospect()
    assert (len(known.history), known.version) == (1, 1)
    assert known.handed == []


async def test_what_is_said_of_a_person_anew_is_never_taken_for_what_was_said_before_the_erasure(
    scoring: "Scoring", house: House
) -> None:
    scoring.connect(threshold=5)
    ids: set[str] = set()
    for at in (1, 20, 40):
        told = await scoring.feed(*(scoring.event(f"{at} {n}", at=at) for n in range(6)))
        assert {r.topic for r in told.records} >= {"leads.qualified", "leads.scored"}
        (crossing,) = told.qualified
        ids |= {crossing.event_id, *(scored.event_id for scored in told.scored)}
        again = await scoring.feed(scoring.event(f"{at} later", at=at + 1))
        ids |= {scored.event_id for scored in again.scored}
        house.now = START / 1000 + at + 10
        await house.erase()
    assert len(ids) == 9


async def test_what_an_alias_hands_on_late_is_as_old_as_it_was(scoring: "Scoring", house: House) -> None:
    await house.erase()

    def handed_on(at: int) -> Received:
        record = scoring.event(f"handed on {at}", at=at)
        value = ForwardedRecord(topic="marketing.events", value=record.message.to_bytes().decode())
        joined = ProspectJoined(
            event_id=f"joined {at}",
            tenant_id="acme",
            prospect_id=PERSON,
            occurred_at=record.message.occurred_at,
            email=EMAIL,
            at=record.at,
            record=value,
        )
        return record._replace(topic="prospects.joined", at=START + 60_000, message=joined)

    await scoring.feed(handed_on(9))
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0
    await scoring.feed(handed_on(9), handed_on(11))
    assert len((await scoring.prospect()).history) == 1


async def test_what_a_connector_had_in_hand_brings_nobody_back(scoring: "Scoring", house: House) -> None:
    await house.erase()
    before, after = START + 9_000, START + 11_000
    await scoring.feed(
        scoring.delivery("created", at=12, first_said=before),
        scoring.contact(at=69),
        scoring.opportunity(at=70),
    )
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0
    await scoring.feed(scoring.delivery("created", at=12, first_said=after))
    assert set((await scoring.prospect()).linked) == {"c1"}
    await scoring.feed(scoring.contact(at=71))
    assert (await scoring.prospect()).version == 2


async def test_whoever_owns_the_partition_next_knows_who_was_erased(scoring: "Scoring", house: House) -> None:
    await house.erase()
    scoring.handler = House(scoring).handler  # type: ignore[assignment]
    await scoring.feed(scoring.event("late", at=9))
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0


async def test_a_person_goes_after_all_its_aliases_also_those_it_has_got_since_somebody_asked(
    scoring: "Scoring", house: House
) -> None:
    asked = await house.erasures.ask("acme", "operator", [PERSON], ["scoring"])
    person, visitor = Prospect(Key("acme", PERSON), 0), Prospect(Key("acme", VISITOR), 0)
    person.email, person.aliases = EMAIL, {"visitor:v-1": Alias(START, START)}
    visitor.links = [Link(START, PERSON, EMAIL)]
    async with scoring.client.start_session() as session:
        await scoring.prospects.save([person, visitor], session)
    assert await same_person(scoring.prospects, Key("acme", VISITOR)) == (VISITOR, PERSON)
    await house.eraser.look()
    assert house.said() == [], "the person waits for the visitor"
    while (await house.get(asked)).waiting:
        await house.eraser.look()
    assert house.said() == [VISITOR, PERSON]
    assert (await house.get(asked)).done
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0


async def test_no_alias_keeps_the_email_of_a_person_that_is_erased(scoring: "Scoring", house: House) -> None:
    """Which says it while the erasure is under way: between the alias's turn and its own, or just before."""

    def linked(at: int) -> Received:
        message = ProspectLinked(
            event_id=f"linked {at}",
            tenant_id="acme",
            prospect_id=VISITOR,
            occurred_at=datetime.fromtimestamp(START / 1000 + at, UTC),
            alias="visitor:v-1",
            person=PERSON,
            email=EMAIL,
            at=START + at * 1000,
        )
        return Received("prospects.linked", 0, at, START + at * 1000, message)

    await scoring.feed(scoring.event("known", at=1), linked(1))
    person = await same_person(scoring.prospects, Key("acme", PERSON))
    assert set(person) == {VISITOR, PERSON}
    asked = await house.erasures.ask("acme", "operator", person, ["scoring"])
    await house.eraser.look()
    assert house.said() == [VISITOR]
    await scoring.feed(linked(11))
    house.now += 5
    while (await house.get(asked)).waiting:
        await house.eraser.look()
    assert house.said() == [VISITOR, VISITOR, PERSON]
    await scoring.feed(linked(15))
    assert await scoring.database["scoring.prospects"].count_documents({}) == 0
    await scoring.feed(linked(16))
    assert await scoring.database["scoring.prospects"].count_documents({}) == 1


async def test_an_erasure_is_done_once_every_service_has_said_so_of_every_prospect(
    scoring: "Scoring", house: House
) -> None:
    asked = await house.erase("feedback")
    assert (asked.done, asked.erased_at("feedback")) == (False, None)
    assert asked.erased_at("scoring") is not None

    def forgotten(tenant: str, at: int) -> Received:
        message = ProspectForgotten(
            event_id="f",
            tenant_id=tenant,
            prospect_id=PERSON,
            occurred_at=asked.asked_at,
            erasure_id=asked.id,
            service="feedback",
        )
        return Received("prospects.forgotten", 0, 1, at, message)

    await scoring.feed(forgotten("other", START))
    assert not (await house.get(asked)).done, "another tenant's word says nothing"
    await scoring.feed(forgotten("acme", START + 20), scoring.event("after", at=11))
    await scoring.feed(forgotten("acme", START + 30))
    done = await house.get(asked)
    at = done.erased_at("feedback")
    assert done.done
    assert at is not None
    assert at.timestamp() * 1000 == START + 20
    assert len((await scoring.prospect()).history) == 1
