"""Who must hear of a prospect: pure decisions on its state and its tenant's connections."""

from collections.abc import Iterable, Sequence

from leadbus.messages import ConnectionChanged
from scoring.prospect import Prospect

Connections = Sequence[ConnectionChanged]


def waiting(prospect: Prospect, connections: Connections) -> list[ConnectionChanged]:
    """Connections for which the prospect is not qualified yet and may become so.

    One that is switched off does not wait: turning it on sweeps.
    """
    return [
        connection
        for connection in connections
        if connection.on
        and connection.marketing_automation
        and connection.connection_id not in prospect.qualified
    ]


def exceeded(millipoints: int, connections: Iterable[ConnectionChanged]) -> list[ConnectionChanged]:
    """Those of `connections` whose threshold the exact score exceeds."""
    return [connection for connection in connections if millipoints > connection.threshold * 1000]


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
