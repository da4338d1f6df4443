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
)
from leadbus.telemetry.propagation import trace_id_of
from scoring.prospect import Prospect, Qualified, Recent
from scoring.qualification import Connections, exceeded, waiting
from scoring.rules import Rules
from scoring.segments import automatic_lists, standing


@dataclass(slots=True)
class Crossing:
    """The score exceeded a connection's threshold; cause: the record that did it."""

    connection: ConnectionChanged
    cause: Received


@dataclass(slots=True)
class Turn:
    """Applies a batch's records of one prospect; afterwards its members say what happened.

    scored_by, active_by, handed_by, linked_by, told_by: the last record that did each; told = of what a CRM
    holds. lists_before: automatic lists that it was on before that. said: names of the fields on which this
    batch has the newest word.
    """

    prospect: Prospect
    rules: Rules
    connections: Connections
    score_before: int = 0
    activities: list[Recent] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    suppliers: set[str] = field(default_factory=set)
    crossings: list[Crossing] = field(default_factory=list)
    changed: bool = False
    scored_by: Received | None = None
    active_by: Received | None = None
    handed_by: Received | None = None
    linked_by: Received | None = None
    told_by: Received | None = None
    lists_before: dict[str, AutomaticList] = field(default_factory=dict)
    _waiting: list[ConnectionChanged] = field(default_factory=list)
    _lowest: float = 0
    _ceiling: int = 0
    _standing: int = 0

    def __post_init__(self) -> None:
        self.score_before = self.prospect.score
        self._standing = standing(self.prospect, self.rules.segments)
        self._await(waiting(self.prospect, self.connections))
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
        millipoints = self.prospect.count(event, received.at, self.rules)
        if millipoints is None:
            return
        self.changed = True
        self.scored_by = received
        newer = self.prospect.learn(event)
        self.said |= newer
        if activity := self.prospect.remember(event):
            self.activities.append(activity)
        if activity or newer:
            self.active_by = received
        self._ceiling += max(0, millipoints)
        if self._ceiling > self._lowest and self.prospect.email is not None:
            self._rescore(received)

    def hand(self, received: Received, distribution: LeadDistributed) -> None:
        """A distribution: marks the prospect as handed over."""
        if self.prospect.hand(distribution, received.at, trace_id_of(received.traceparent)):
            self.changed = True
            self.suppliers.add(distribution.supplier_id)
            self.handed_by = received

    def report(self, received: Received, delivery: DeliveryReported) -> None:
        """A connector says which record its CRM holds."""
        before = set(self.prospect.linked)
        if not self.prospect.report(delivery, received.at):
            return
        self.changed = True
        if self.prospect.linked.keys() != before:
            self.linked_by = received
        self._restand(received)

    def contact(self, received: Received, contact: ContactChanged) -> None:
        """A CRM says how a record of the person stands."""
        lists = automatic_lists(self.prospect) if self.told_by is None else self.lists_before
        side = self.prospect.crm.contact(contact)
        if side is self.prospect.crm:
            return
        self.prospect.crm = side
        was_known = self.prospect.email is not None
        self.prospect.email = self.prospect.email or contact.email
        self._told(received, lists, anew=not was_known)

    def opportunity(self, received: Received, opportunity: OpportunityChanged) -> None:
        """A CRM says how an opportunity of the person stands."""
        lists = automatic_lists(self.prospect) if self.told_by is None else self.lists_before
        side = self.prospect.crm.opportunity(opportunity)
        if side is not self.prospect.crm:
            self.prospect.crm = side
            self._told(received, lists)

    def _told(self, received: Received, lists: dict[str, AutomaticList], *, anew: bool = False) -> None:
        self.prospect.version += 1
        self.changed = True
        self.told_by, self.lists_before = received, lists
        self._restand(received, anew=anew)

    def _restand(self, received: Received, *, anew: bool = False) -> None:
        """What the CRM holds may have changed what segments give. anew: the score counts from now on."""
        self._standing = standing(self.prospect, self.rules.segments)
        if anew or self._standing != self.prospect.standing:
            self.scored_by = received
            self.prospect.at = max(self.prospect.at, received.at)
            self._rescore(received)

    def _rescore(self, received: Received) -> None:
        """The exact score after `received`, and whom it makes hear of the prospect.

        After each record that could have crossed a threshold, so that how records fall into batches
        decides nothing.
        """
        prospect = self.prospect
        prospect.standing = self._standing
        prospect.score = prospect.history.score(prospect.at, self.rules.half_life_days) + self._standing
        self._lower_ceiling()
        if prospect.email is None:
            return
        crossed = exceeded(prospect.score, self._waiting)
        for connection in crossed:
            prospect.qualified[connection.connection_id] = Qualified(
                connection.connection_id, connection.threshold, received.at, trace_id_of(received.traceparent)
            )
            self.crossings.append(Crossing(connection, received))
        if crossed:
            self._await(waiting(prospect, self.connections))

    def _await(self, connections: list[ConnectionChanged]) -> None:
        self._waiting = connections
        self._lowest = min((c.threshold * 1000 for c in connections), default=float("inf"))

    def _lower_ceiling(self) -> None:
        # Time only brings a positive score down and a negative one up to nought; each part may be rounded
        # up by less than one. So no score exceeds this before more points come. Segments' points stay.
        history = self.prospect.history
        fading = max(0, self.prospect.score - self.prospect.standing)
        self._ceiling = fading + self._standing + len(history) + len(history.sums)


_APPLY: Mapping[type, Callable[[Turn, Received, Any], None]] = {
    MarketingEvent: Turn.count,
    LeadDistributed: Turn.hand,
    DeliveryReported: Turn.report,
    ContactChanged: Turn.contact,
    OpportunityChanged: Turn.opportunity,
}
