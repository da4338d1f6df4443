"""Whether what scoring holds and has said is what the recomputation says."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from exactly.recomputation import Crossing, Person
from exactly.story import Story
from leadbus.event_types import BY_NUMBER
from scoring.prospect import Prospect


class Said(NamedTuple):
    """A record that scoring has published; value: its bytes, and `body` the same read."""

    topic: str
    value: bytes
    body: dict[str, Any]


def wrong_state(
    story: Story, people: Mapping[str, Person], held: Mapping[str, Prospect], *, at_end: bool = True
) -> list[str]:
    """What is held of prospects and differs, in words. at_end: all was looked at at the story's end."""
    wrong: list[str] = []

    def compare(what: str, is_: object, must: object) -> None:
        if is_ != must:
            wrong.append(f"{what} is {is_}, must be {must}")

    compare("prospects", sorted(held), sorted(people))
    for who in sorted(held.keys() & people.keys()):
        person, prospect = people[who], held[who]
        compare(f"{who}: the newest time", prospect.at, person.at)
        compare(f"{who}: the score", prospect.score, person.score(person.at) if person.rows else 0)
        rows = [(row.at, row.id.hex(), BY_NUMBER[row.type], row.millipoints) for row in prospect.history]
        counted = [(at, id_.hex(), t, story.terms.points[t]) for id_, (at, t) in person.rows.items()]
        compare(f"{who}: the history", rows, sorted(counted))
        compare(f"{who}: distributions", {h.distribution_id for h in prospect.handed}, person.handed)
        for asks in story.connections:
            known, standing = prospect.qualified.get(asks.connection_id), person.standings[asks.connection_id]
            name = f"{who}: for {asks.connection_id}"
            compare(f"{name} crossings", known.number if known else 0, standing.number)
            if at_end and known and known.number == standing.number:
                compare(f"{name} cooled since", known.cooled, standing.cooled)
    return wrong


def wrong_word(people: Mapping[str, Person], said: Sequence[Said]) -> list[str]:
    """What was published and should not have been, or the other way round, in words."""
    wrong: list[str] = []
    values: dict[str, set[bytes]] = defaultdict(set)
    for each in said:
        values[each.body["event_id"]].add(each.value)
    wrong += [f"{id_} says {len(found)} different things" for id_, found in values.items() if len(found) > 1]
    must = Counter(crossing for person in people.values() for crossing in person.crossings)
    is_ = Counter({_crossing(each.body) for each in said if each.topic == "leads.qualified"})
    wrong += [f"never qualified: {crossing}" for crossing in (must - is_)]
    wrong += [f"qualified, and should not have been: {crossing}" for crossing in (is_ - must)]
    for who, last in _last_scored(said).items():
        person = people[who]
        score = person.score(max(person.at, _milliseconds(last["occurred_at"])))
        if last["score"] != (score + 500) // 1000:
            wrong.append(f"{who}: the score last told is {last['score']}, must be {score} thousandths")
    return wrong


def _crossing(body: Mapping[str, Any]) -> Crossing:
    names = body["event_id"], body["prospect_id"], body["connection_id"]
    return Crossing(*names, _milliseconds(body["occurred_at"]), body["millipoints"])


def _last_scored(said: Sequence[Said]) -> dict[str, dict[str, Any]]:
    """By prospect, what was said of its newest version."""
    scored = [each.body for each in said if each.topic == "leads.scored"]
    return {body["prospect_id"]: body for body in sorted(scored, key=lambda body: body["version"])}


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
