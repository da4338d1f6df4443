"""One prospect's turn in a batch: what its records change, in their order, and what follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadbus.consuming.records import Received
from leadbus.messages import (
    ConnectionChanged,
    DeliveryReported,
    LeadDistributed,
    MarketingEvent,
)
from leadbus.telemetry.propagation import trace_id_of
from scoring.prospect import Prospect, Qualified, Recent
from scoring.qualification import Connections, exceeded, waiting
from scoring.rules import Rules


@dataclass(slots=True)
class Crossing:
    """The score exceeded a connection's threshold; cause: the record that did it."""

    connection: ConnectionChanged
    cause: Received


@dataclass(slots=True)
class Turn:
    """Applies a batch's records of one prospect; afterwards its members say what happened.

    scored_by, active_by, handed_by, linked_by: the last record that did each.
    said: names of the fields on which this batch has the newest word.
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
    _waiting: list[ConnectionChanged] = field(default_factory=list)
    _lowest: float = 0
    _ceiling: int = 0

    def __post_init__(self) -> None:
        self.score_before = self.prospect.score
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
        if self.prospect.report(delivery, received.at):
            self.changed = True
        if self.prospect.linked.keys() != before:
            self.linked_by = received

    def _rescore(self, received: Received) -> None:
        """The exact score after `received`, and whom it makes hear of the prospect.

        After each record that could have crossed a threshold, so that how records fall into batches
        decides nothing.
        """
        prospect = self.prospect
        prospect.score = prospect.history.score(prospect.at, self.rules.half_life_days)
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
        # up by less than one. So no score exceeds this before more points come.
        history = self.prospect.history
        self._ceiling = max(0, self.prospect.score) + len(history) + len(history.sums)


_APPLY: Mapping[type, Callable[[Turn, Received, Any], None]] = {
    MarketingEvent: Turn.count,
    LeadDistributed: Turn.hand,
    DeliveryReported: Turn.report,
}
