"""What a connection's two profiles have to say about a delivery. Pure."""

from collections.abc import Mapping

from leadbus.connector.connection import Connection
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Profile


def synchronised(connection: Connection) -> Mapping[Profile, bool]:
    """Whether anything is written because of each."""
    settings = connection.settings
    return {
        "marketing": settings.marketing_automation.synchronises,
        "distribution": settings.lead_distribution.synchronises,
    }


def field_updates(connection: Connection) -> Mapping[Profile, bool]:
    """Whether each may change fields of records that exist."""
    settings, writes = connection.settings, synchronised(connection)
    return {
        "marketing": writes["marketing"] and settings.marketing_automation.field_updates,
        "distribution": writes["distribution"] and settings.lead_distribution.field_updates,
    }


def held_back(delivery: Delivery, connection: Connection) -> set[str]:
    """Creators whose profile is not synchronised; a sync request belongs to none."""
    writes = synchronised(connection)
    return {name for name, c in delivery.creators.items() if c.profile is not None and not writes[c.profile]}


def tells_by_notes(delivery: Delivery, connection: Connection) -> bool:
    """Whether marketing events become notes; else completed tasks. Only distributed leads may have it so."""
    is_distributed = any(creator.origin for creator in delivery.creators.values())
    return connection.settings.lead_distribution.notes or not is_distributed
