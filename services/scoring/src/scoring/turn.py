"""One prospect's turn in a batch: what its records change, in their order, and what follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadbus.consuming.records import Received
from leadbus.messages import (
    AutomaticList,
    ConnectionChanged,
    ContactChanged,
    DeliveryReported,
    LeadDistributed,
    MarketingEvent,
    OpportunityChanged,
    ProspectJoined,
    ProspectUpdated,
)
from leadbus.telemetry.propagation import trace_id_of
from scoring.aliases import EMAIL, VISITOR, becomes_itself, keep, lose, note, unpacked
from scoring.cooling import bound, cool
from scoring.merging import merge
from scoring.prospect import Alias, Prospect, Recent
from scoring.prospect_documents import from_text
from scoring.qualification import Connections, cooled_for, cross, exceeded, fallen, split
from scoring.rules import Rules
from scoring.segments import automatic_lists
from scoring.tables import Tables

_UNKNOWN = 1 << 62
"""A ceiling that holds for every score."""


@dataclass(slots=True)
class Crossing:
    """The score exceeded a connection's threshold, for the `number`th time; cause: the record that did it.

    millipoints: of the score that the connection reads, and version: of the prospect, both as of then.
    """

    connection: ConnectionChanged
    cause: Received
    number: int
    millipoints: int
    version: int


@dataclass(slots=True)
class Turn:
    """Applies a batch's records of one prospect; afterwards its members say what happened.

    scored_by, active_by, handed_by, linked_by, told_by, cooled_by: the last record that did each; told = of
    what a CRM holds; cooled = noticed by its time. lists_before: automatic lists that it was on before that.
    said: names of the fields on which this batch has the newest word. aliases: names that are to be said,
    with the person's email and the record that named them. has_faded: it was told a lower score than it
    counted last, when it cooled.
    """

    prospect: Prospect
    rules: Rules
    connections: Connections
    score_before: int = 0
    scores_before: dict[str, int] | None = None
    cooled_before: list[str] | None = None
    activities: list[Recent] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    suppliers: set[str] = field(default_factory=set)
    crossings: list[Crossing] = field(default_factory=list)
    aliases: list[tuple[str, str, Received]] = field(default_factory=list)
    changed: bool = False
    scored_by: Received | None = None
    active_by: Received | None = None
    handed_by: Received | None = None
    linked_by: Received | None = None
    told_by: Received | None = None
    cooled_by: Received | None = None
    lists_before: dict[str, AutomaticList] = field(default_factory=dict)
    has_faded: bool = False
    _tables: Tables = field(init=False)
    _hot: list[ConnectionChanged] = field(init=False)
    _waiting: list[ConnectionChanged] = field(init=False)
    _cooled_until: int = 0
    _may_fall: bool = False
    _lowest: float = 0
    _ceiling: int = 0
    _standing: int = 0

    def __post_init__(self) -> None:
        prospect = self.prospect
        self._tables = self.rules.tables
        self.score_before = prospect.score
        if prospect.named:
            self.scores_before = {name: named.score for name, named in prospect.named.items()}
        self._standing = prospect.standing_by(self.rules, self._tables.main)
        self._await()
        self.has_faded = self._cooled_until > prospect.at
        self._lower_ceiling()

    def apply(self, received: Received) -> None:
        """Takes in one record."""
        _APPLY[type(received.message)](self, received, received.message)

    def finish(self) -> None:
        """The score at the newest counted time; call once, after the last record."""
        if self.scored_by is not None:
            self._rescore(self.scored_by)

    def count(self, received: Received, event: MarketingEvent) -> None:
        """A marketing event: counts once."""
        prospect = self.prospect
        at, cools_at, email = received.at, prospect.cools_at, prospect.email
        if at < self._cooled_until or (cools_at is not None and at >= cools_at):
            if prospect.has_counted(event):
                return  # what comes again is no news, of the time neither
            self._keep_time(received)
        millipoints = prospect.count(event, at, self.rules)
        if millipoints is None:
            return
        self.changed = True
        self.scored_by = received
        newer = prospect.learn(event)
        self.said |= newer
        if activity := prospect.remember(event):
            self.activities.append(activity)
        if activity or newer:
            self.active_by = received
        if event.visitor_id is not None and event.email is not None:
            self._known_as(VISITOR + event.visitor_id, event.email, received)
        if self._tables.asks_person and (newer or email != prospect.email):
            self._standing = prospect.standing_by(self.rules, self._tables.main)
            self._ceiling = _UNKNOWN
        if millipoints > 0:
            self._ceiling += millipoints
        elif millipoints < 0:
            self._may_fall = True
        if prospect.email is not None and (
            self._ceiling > self._lowest or (self._hot and (self._may_fall or self._ceiling >= _UNKNOWN))
        ):
            self._rescore(received)

    def hand(self, received: Received, distribution: LeadDistributed) -> None:
        """A distribution: marks the prospect as handed over."""
        if self.prospect.was_handed(distribution):
            return
        self._keep_time(received)
        email = self.prospect.email
        self.prospect.hand(distribution, received.at, trace_id_of(received.traceparent))
        self.changed = True
        self.suppliers.add(distribution.supplier_id)
        self.handed_by = received
        if email != self.prospect.email and (self._tables.asks_person or self._tables.others):
            self._restand(received, anew=True)

    def report(self, received: Received, delivery: DeliveryReported) -> None:
        """A connector says which record its CRM holds."""
        prospect = self.prospect
        linked = prospect.linked_after(delivery, received.at)
        if linked is prospect.linked:
            return
        self._keep_time(received)
        if linked.keys() != prospect.linked.keys():
            self.linked_by = received
        prospect.linked = linked
        prospect.version += 1
        self.changed = True
        self._restand(received)

    def contact(self, received: Received, contact: ContactChanged) -> None:
        """A CRM says how a record of the person stands."""
        lists = automatic_lists(self.prospect) if self.told_by is None else self.lists_before
        side = self.prospect.crm.contact(contact)
        if side is self.prospect.crm:
            return
        self._keep_time(received)
        self.prospect.crm = side
        was_known = self.prospect.email is not None
        self.prospect.email = self.prospect.email or contact.email
        self._told(received, lists, anew=not was_known)

    def opportunity(self, received: Received, opportunity: OpportunityChanged) -> None:
        """A CRM says how an opportunity of the person stands."""
        lists = automatic_lists(self.prospect) if self.told_by is None else self.lists_before
        side = self.prospect.crm.opportunity(opportunity)
        if side is not self.prospect.crm:
            self._keep_time(received)
            self.prospect.crm = side
            self._told(received, lists)

    def update(self, received: Received, updated: ProspectUpdated) -> None:
        """Upstream says under which other ids the person is known."""
        self.changed = becomes_itself(self.prospect, received, updated) or self.changed
        if updated.previous_email not in (None, updated.email):
            self._known_as(f"{EMAIL}{updated.previous_email}", updated.email, received)
        if updated.visitor_id is not None:
            self._known_as(VISITOR + updated.visitor_id, updated.email, received)

    def join(self, received: Received, joined: ProspectJoined) -> None:
        """An alias hands over what was counted for it, once, or a record that came for it; or it is lost."""
        if joined.record is not None:
            self.apply(unpacked(received, joined.record, joined.at))
            return
        prospect, name = self.prospect, joined.alias
        if name is None:
            return
        if joined.state is None:
            self.changed = lose(prospect, name, joined.at) or self.changed
            return
        known = prospect.aliases.get(name, Alias(0))
        if joined.at <= known.joined:
            return
        self._keep_time(received)
        lists = automatic_lists(prospect) if self.told_by is None else self.lists_before
        self._remember_cooled()
        crm, linked = prospect.crm, prospect.linked.keys()
        prospect.email = prospect.email or joined.email
        alias, told = from_text(joined.state), set(prospect.recent)
        newer = merge(prospect, alias, self.rules)
        self.said |= newer
        keep(prospect, alias.aliases | {name: Alias(known.said, joined.at)})
        if not alias.qualified and not alias.handed:  # else connections have been told
            activities = [recent for recent in alias.recent if recent not in told]
            self.activities += activities
            if activities or newer:
                self.active_by = received
        if prospect.linked.keys() != linked:
            self.linked_by = received
        self._await()
        if prospect.crm is not crm:
            self._told(received, lists, anew=True)
        else:
            prospect.version += 1
            self.changed = True
            self._restand(received, anew=True)

    def _known_as(self, name: str, email: str, received: Received) -> None:
        if note(self.prospect, name, received.at):
            self.aliases.append((name, email, received))
            self.changed = True

    def _told(self, received: Received, lists: dict[str, AutomaticList], *, anew: bool = False) -> None:
        self.prospect.version += 1
        self.changed = True
        self.told_by, self.lists_before = received, lists
        self._restand(received, anew=anew)

    def _restand(self, received: Received, *, anew: bool = False) -> None:
        """What the CRM holds may have changed what segments give. anew: the score counts from now on."""
        self._standing = self.prospect.standing_by(self.rules, self._tables.main)
        self._may_fall = True
        if anew or self._standing != self.prospect.standing or self._tables.others:
            self.scored_by = received
            self.prospect.at = max(self.prospect.at, received.at)
            self._rescore(received)

    def _rescore(self, received: Received) -> None:
        """The exact score after `received`, and whom it makes hear of the prospect.

        After each record that could have crossed a threshold, so that how records fall into batches
        decides nothing.
        """
        prospect = self.prospect
        prospect.settle(self.rules, self._standing)
        self._lower_ceiling()
        if prospect.email is None:
            return
        if self._waiting and (crossed := exceeded(prospect, self._waiting)):
            self._cross(crossed, received)
        if self._hot:
            if cooled := fallen(prospect, self._hot):
                self._cool(cooled)
            self._watch()

    def _cross(self, crossed: list[ConnectionChanged], received: Received) -> None:
        self._remember_cooled()
        prospect = self.prospect
        for connection in crossed:
            number = cross(prospect, connection, received.at, trace_id_of(received.traceparent))
            millipoints = prospect.score_of(connection.score)
            self.crossings.append(Crossing(connection, received, number, millipoints, prospect.version))
        self._await()
        self._may_fall = True

    def _cool(self, cooled: list[ConnectionChanged]) -> None:
        self._remember_cooled()
        qualified = self.prospect.qualified
        for connection in cooled:
            name = connection.connection_id
            qualified[name] = qualified[name]._replace(cooled=self.prospect.at)
        self._await()
        self._may_fall = True

    def _keep_time(self, received: Received) -> None:
        """Before a record counts: what time alone has done by then, or not yet done, whoever noticed it."""
        prospect, at = self.prospect, received.at
        # What was so by the newest record stays so: then, an older one could change nothing any more.
        by_then = max(at, prospect.at)
        noticed_too_soon = by_then < self._cooled_until
        if not noticed_too_soon and (prospect.cools_at is None or at < prospect.cools_at):
            return
        self._remember_cooled()
        before = cooled_for(prospect)
        if noticed_too_soon:
            # The clock has noticed it while this record was on its way: at its time, the prospect was hot.
            for known in list(prospect.qualified.values()):
                if known.cooled is not None and by_then < known.cooled:
                    prospect.qualified[known.connection_id] = known._replace(cooled=None)
            self._await()
            self._may_fall = True
            self._rescore(received)
        if prospect.cools_at is not None and at >= prospect.cools_at:
            # When to look next is found from the stored score, which may be older than the newest record.
            prospect.settle(self.rules, self._standing)
            cool(prospect, self.connections, self.rules, max(at, prospect.at))
            self._await()
        self.changed = True
        if cooled_for(prospect) != before:
            prospect.version += 1
            self.cooled_by = received

    def _remember_cooled(self) -> None:
        if self.cooled_before is None:
            self.cooled_before = cooled_for(self.prospect)

    def _await(self) -> None:
        """Whose thresholds may be exceeded now, and for whom the prospect may cool."""
        known = self.prospect.qualified
        self._waiting, self._hot = split(self.prospect, self.connections)
        self._lowest = min([c.threshold * 1000 for c in self._waiting], default=float("inf"))
        self._cooled_until = (
            max([q.cooled or 0 for q in known.values()]) if len(known) > len(self._hot) else 0
        )

    def _watch(self) -> None:
        """When to look at the prospect next. A bound that was good stays good when points come: it moves only
        when it must, for it is indexed."""
        prospect = self.prospect
        known = prospect.cools_at
        if not self._hot:
            prospect.cools_at = None
        elif self._may_fall or known is None or known <= prospect.at or not self._tables.exact:
            found = bound(prospect, self._hot, self.rules)
            if found is None or known is None or not prospect.at < known <= found:
                prospect.cools_at = found
            self._may_fall = False

    def _lower_ceiling(self) -> None:
        # Time only brings a positive score down and a negative one up to nought; each part may be rounded
        # up by less than one. So no score exceeds this before more points come. Segments' points stay.
        if not self._tables.exact:
            self._ceiling = _UNKNOWN
            return
        history = self.prospect.history
        fading = max(0, self.prospect.score - self.prospect.standing)
        self._ceiling = fading + self._standing + len(history) + len(history.sums)


_APPLY: Mapping[type, Callable[[Turn, Received, Any], None]] = {
    MarketingEvent: Turn.count,
    LeadDistributed: Turn.hand,
    DeliveryReported: Turn.report,
    ContactChanged: Turn.contact,
    OpportunityChanged: Turn.opportunity,
    ProspectUpdated: Turn.update,
    ProspectJoined: Turn.join,
}
