"""What must come of a log, computed from its beginning in the plainest way; shares nothing with scoring.

Within a prospect, facts count in the order of the log, each id once. Time goes on with the facts, never back:
an older one is a row where it belongs, and what is known by then stays known.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID, uuid5

from exactly.story import DAY, DISTRIBUTIONS, HOUR, NAMESPACE, Asks, Fact, Story, Terms


class Crossing(NamedTuple):
    """What is said once. at: the time of the fact that did it; millipoints: the score by then."""

    event_id: str
    prospect_id: str
    connection_id: str
    at: int
    millipoints: int


@dataclass(slots=True)
class Standing:
    """For one connection: the crossings so far, and since when it is over with the last one."""

    number: int = 0
    cooled: int | None = None

    @property
    def hot(self) -> bool:
        return self.number > 0 and self.cooled is None


@dataclass(slots=True)
class Person:
    """at: of the newest fact that counted. rows: time and type by id. handed: distributions."""

    prospect_id: str
    terms: Terms
    at: int = 0
    rows: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)
    standings: dict[str, Standing] = field(default_factory=lambda: defaultdict(Standing))
    crossings: list[Crossing] = field(default_factory=list)

    def score(self, at: int) -> int:
        """Millipoints."""
        seen: dict[int, int] = defaultdict(int)
        total = 0
        for _, (since, type_) in sorted(self.rows.items(), key=lambda row: (row[1][0], row[0])):
            points = self.terms.points[type_]
            if type_ == "web_view" and self.terms.daily is not None:
                points = min(points, self.terms.daily - seen[since // DAY])
                seen[since // DAY] += points
            total += _left(points, since, at, self.terms)
        return total


def recomputed(story: Story, log: Iterable[Fact]) -> dict[str, Person]:
    """Each prospect as it must be at the story's end. log: in the order in which the topics hold it."""
    people: dict[str, Person] = {}
    for fact in log:
        who = fact.body["prospect_id"]
        person = people.setdefault(who, Person(who, story.terms))
        if fact.topic == DISTRIBUTIONS:
            person.handed.add(fact.body["distribution_id"])
            continue
        _count(person, fact, story.connections)
    for person in people.values():
        _pass_time(person, story.end, story.connections)
    return people


def _count(person: Person, fact: Fact, connections: Iterable[Asks]) -> None:
    id_ = UUID(fact.body["event_id"]).bytes
    if id_ in person.rows:
        return
    if fact.at > person.at:
        _pass_time(person, fact.at, connections)
    person.rows[id_] = (fact.at, fact.body["type"])
    person.at = max(person.at, fact.at)
    score = person.score(person.at)
    for asks in connections:
        standing = person.standings[asks.connection_id]
        if standing.hot and score <= _level(asks):
            standing.cooled = person.at
        elif not standing.hot and score > asks.threshold * 1_000:
            standing.number, standing.cooled = standing.number + 1, None
            again = [str(standing.number)] if standing.number > 1 else []
            name = "\n".join([person.prospect_id, asks.connection_id, "qualified", *again])
            id_of_crossing = str(uuid5(NAMESPACE, name))
            names = id_of_crossing, person.prospect_id, asks.connection_id
            person.crossings.append(Crossing(*names, fact.at, score))


def _pass_time(person: Person, until: int, connections: Iterable[Asks]) -> None:
    """Points fade, and nothing else happens."""
    for asks in connections:
        standing, level = person.standings[asks.connection_id], _level(asks)
        if standing.hot and (fall := _fall(person, level, until)) <= until:
            standing.cooled = fall


def _fall(person: Person, level: int, until: int) -> int:
    """Rounded parts let a score tremble around a level, so where it is looked for is agreed on: an hour after
    the newest fact, two, four."""
    above, hours = person.at, 1
    while above < until and person.score(person.at + hours * HOUR) > level:
        above, hours = person.at + hours * HOUR, hours * 2
    below = person.at + hours * HOUR
    while above < until and below - above > 1:
        middle = (above + below) // 2
        above, below = (middle, below) if person.score(middle) > level else (above, middle)
    return below


def _level(asks: Asks) -> int:
    below = max(1, asks.threshold // 10) if asks.hysteresis is None else asks.hysteresis
    return (asks.threshold - below) * 1_000


def _left(points: int, since: int, at: int, terms: Terms) -> int:
    if not terms.steps:
        return round(points * 2 ** ((since - at) / (terms.half_life_days * DAY)))
    percent = [100, *(left for days, left in terms.steps if at // DAY - since // DAY >= days)][-1]
    return (points * percent + 50) // 100
