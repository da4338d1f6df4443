"""Who must hear of a prospect: pure decisions on its state and its tenant's connections."""

from collections.abc import Iterable, Sequence

from leadbus.messages import ConnectionChanged
from scoring.prospect import Prospect, Qualified

Connections = Sequence[ConnectionChanged]


def split(
    prospect: Prospect, connections: Connections
) -> tuple[list[ConnectionChanged], list[ConnectionChanged]]:
    """Connections for which the prospect is not qualified yet, or has cooled, and may become so; and those
    for which it is qualified and may cool.

    One that is switched off does not wait: turning it on sweeps. It may cool all the same.
    """
    waiting: list[ConnectionChanged] = []
    hot: list[ConnectionChanged] = []
    for connection in connections:
        if connection.marketing_automation:
            if is_hot(prospect, connection):
                hot.append(connection)
            elif connection.on:
                waiting.append(connection)
    return waiting, hot


def is_hot(prospect: Prospect, connection: ConnectionChanged) -> bool:
    """Whether the prospect has exceeded the connection's threshold and has not cooled since."""
    known = prospect.qualified.get(connection.connection_id)
    return known is not None and known.cooled is None


def exceeded(prospect: Prospect, connections: Iterable[ConnectionChanged]) -> list[ConnectionChanged]:
    """Those of `connections` whose threshold the stored score that they read exceeds; not those for which the
    prospect has cooled since, for nothing has come since then."""
    return [
        c
        for c in connections
        if prospect.score_of(c.score) > c.threshold * 1000 and not cooled_after(prospect.at, prospect, c)
    ]


def fallen(prospect: Prospect, connections: Iterable[ConnectionChanged]) -> list[ConnectionChanged]:
    """Those of `connections` for which the stored score that they read is low enough to have cooled."""
    score = prospect.score
    return [
        c for c in connections if (score if c.score is None else prospect.score_of(c.score)) <= cool_level(c)
    ]


def cross(prospect: Prospect, connection: ConnectionChanged, at: int, trace_id: str | None) -> int:
    """Notes that the threshold was exceeded at `at`, for the first time or anew after cooling; how often that
    was so by now."""
    known = prospect.qualified.get(connection.connection_id)
    number = known.number + 1 if known else 1
    prospect.qualified[connection.connection_id] = Qualified(
        connection.connection_id, connection.threshold, at, trace_id, number
    )
    return number


def cool_level(connection: ConnectionChanged) -> int:
    """Millipoints at which a prospect has cooled: lower than the threshold, so that a score near it does not
    flap; but not below nought, where no score fades to."""
    below = connection.hysteresis
    if below is None:
        below = max(1, connection.threshold // 10)
    return max(min(0, connection.threshold), connection.threshold - below) * 1000


def cooled_for(prospect: Prospect) -> list[str]:
    """Ids of the connections for which the prospect was qualified and has cooled."""
    cooled = [q.connection_id for q in prospect.qualified.values() if q.cooled is not None]
    return sorted(cooled) if len(cooled) > 1 else cooled


def cooled_after(at: int, prospect: Prospect, connection: ConnectionChanged) -> bool:
    """Whether the prospect is known to have cooled for the connection later than `at` (ms): clocks differ."""
    known = prospect.qualified.get(connection.connection_id)
    return known is not None and known.cooled is not None and known.cooled > at


def handed_to(suppliers: Iterable[str], connections: Connections) -> set[str]:
    """Ids of the connections that take a lead of these suppliers, whether on or off, whatever its score."""
    known = set(suppliers)
    return {
        connection.connection_id
        for connection in connections
        if connection.lead_distribution and _takes(connection, known)
    }


def synced(prospect: Prospect, connections: Connections) -> set[str]:
    """Ids of the connections that are told of each new activity: qualified for once, or handed to.

    Switched-off ones go on collecting; a score that fell changes nothing.
    """
    qualified = {
        connection.connection_id
        for connection in connections
        if connection.marketing_automation and connection.connection_id in prospect.qualified
    }
    return qualified | handed_to(prospect.suppliers, connections)


def _takes(connection: ConnectionChanged, suppliers: set[str]) -> bool:
    return connection.supplier_id in suppliers if connection.supplier_id else bool(suppliers)
