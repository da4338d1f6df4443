"""A batch's records of one prospect, which may be a person, become an alias, or be itself again. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from leadbus.consuming.records import Received
from leadbus.ids import derived_id
from leadbus.messages import ForwardedRecord, MarketingEvent, ProspectJoined, ProspectLinked, ProspectUpdated
from leadbus.topics import (
    CRM_CONTACTS,
    CRM_DELIVERIES,
    CRM_OPPORTUNITIES,
    LEADS_DISTRIBUTED,
    MARKETING_EVENTS,
    PROSPECTS_UPDATED,
)
from scoring.aliases import becomes_itself, has_passed, note_passed, person_at, relink, renamed, unpacked
from scoring.fading import Terms
from scoring.history import History
from scoring.merging import ALIASES
from scoring.prospect import Link, Prospect
from scoring.prospect_documents import to_text
from scoring.qualification import Connections
from scoring.rules import Rules
from scoring.turn import Turn

_FORWARDED = {
    topic.message: topic.name
    for topic in (
        MARKETING_EVENTS,
        LEADS_DISTRIBUTED,
        PROSPECTS_UPDATED,
        CRM_DELIVERIES,
        CRM_CONTACTS,
        CRM_OPPORTUNITIES,
    )
}


@dataclass(slots=True)
class Passing:
    """An alias's part of a batch: nothing is counted. handed_on: to its person, each with its cause."""

    prospect: Prospect
    changed: bool = False
    handed_on: list[tuple[Received, ProspectJoined]] = field(default_factory=list)

    @classmethod
    def of(cls, person: Prospect, links: list[Link], received: Received, link: ProspectLinked) -> "Passing":
        """A prospect that becomes an alias by `link` hands over all that was counted, and keeps its links."""
        passed = History(bytearray(person.history.rows))
        passed.join(person.passed, Terms())
        alias = Prospect(
            person.key,
            person.partition,
            person.version,
            links=links,
            passed=passed,
            erased_at=person.erased_at,
        )
        made = cls(alias, changed=True)
        if person.version or person.aliases:
            made._hand_on(received, link.at, alias=link.alias, state=to_text(person))
        return made

    def apply(self, received: Received) -> None:
        """Hands one record on: to whom the alias belonged when it came."""
        if isinstance(received.message, MarketingEvent):
            note_passed(self.prospect, received.message, received.at)
            self.changed = True
        self._pass_on(received)

    def _pass_on(self, received: Received) -> None:
        message = received.message
        if isinstance(message, ProspectJoined) and message.state is not None:
            self._hand_on(received, message.at, alias=message.alias, state=message.state)
        elif isinstance(message, ProspectJoined) and message.record is not None:
            self._pass_on(unpacked(received, message.record, message.at))
        elif isinstance(message, ProspectJoined):
            self._hand_on(received, message.at, alias=message.alias)
        elif topic := _FORWARDED.get(type(message)):
            value = renamed(message, person_at(self.prospect, received.at).email).to_bytes().decode()
            self._hand_on(received, received.at, record=ForwardedRecord(topic=topic, value=value))

    def relinked(self, before: list[Link], received: Received, link: ProspectLinked) -> None:
        """Tells whoever has lost the alias by `link`, so that its return is noticed; but not of one that goes
        from hand to hand: everybody's log-in would be two records more."""
        self.changed = True
        newest, said = self.prospect.links[-1], Link(link.at, link.person, link.email)
        lost = before[-1] if newest == said else said
        if lost.person != newest.person and len(before) < ALIASES:
            self._hand_on(received, newest.at, alias=link.alias, to=lost)

    def _hand_on(
        self,
        received: Received,
        at: int,
        alias: str | None = None,
        state: str | None = None,
        record: ForwardedRecord | None = None,
        to: Link | None = None,
    ) -> None:
        key, link = self.prospect.key, to or person_at(self.prospect, at)
        message = received.message
        joined = ProspectJoined(
            event_id=derived_id(key.prospect_id, link.person, message.event_id, str(at), "joined"),
            tenant_id=key.tenant_id,
            prospect_id=link.person,
            occurred_at=message.occurred_at,
            alias=alias,
            email=link.email,
            at=at,
            state=state,
            record=record,
        )
        self.handed_on.append((received, joined))


def turns(
    prospect: Prospect, records: Sequence[Received], rules: Rules, connections: Connections
) -> Iterator[Turn | Passing]:
    """What the records do, in their order. Each part is complete when it comes; the last one's prospect is
    what is left. A second part comes only when the prospect becomes an alias, or is itself again."""
    turn = _begun(prospect, rules, connections)
    for received in records:
        message = received.message
        if type(message) is ProspectLinked:
            was, link = prospect.links, Link(message.at, message.person, message.email)
            if message.person == prospect.key.prospect_id or not relink(prospect, link, message.alias):
                continue
            if isinstance(turn, Passing):
                turn.relinked(was, received, message)
                continue
            if prospect.person is None:
                turn.changed = True
                continue
            links, prospect.links = prospect.links, was
            yield _finished(turn)
            turn = Passing.of(prospect, links, received, message)
            prospect = turn.prospect
            continue
        if type(message) is ProspectUpdated and isinstance(turn, Passing):
            turn.changed = becomes_itself(prospect, received, message) or turn.changed
            if prospect.person is None:
                yield turn
                turn = Turn(prospect, rules, connections, changed=True)
        # Only what comes to this prospect itself: what others hand on may have gone round.
        if type(message) is MarketingEvent and has_passed(prospect, message):
            continue
        turn.apply(received)
    yield _finished(turn)


def _begun(prospect: Prospect, rules: Rules, connections: Connections) -> Turn | Passing:
    return Turn(prospect, rules, connections) if prospect.person is None else Passing(prospect)


def _finished(turn: Turn | Passing) -> Turn | Passing:
    if isinstance(turn, Turn):
        turn.finish()
    return turn
