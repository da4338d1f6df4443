"""The parts that do the verbs, for an organisation that was opened."""

from dataclasses import dataclass

from connector_dynamics.campaigns import Campaigns
from connector_dynamics.capabilities import CAPABILITIES
from connector_dynamics.client import Organisation
from connector_dynamics.converting import Converting
from connector_dynamics.lists import Lists
from connector_dynamics.looking import Looking
from connector_dynamics.metadata import Metadata
from connector_dynamics.reading import Reading
from connector_dynamics.writing import Writing
from leadbus.connector.mapping import FieldMap
from leadbus.connector.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Verbs:
    """Of one connection."""

    metadata: Metadata
    reading: Reading
    lists: Lists
    writing: Writing
    converting: Converting
    campaigns: Campaigns

    @classmethod
    def of(cls, organisation: Organisation, connection: ConnectionSettings) -> "Verbs":
        """All of them, with what they have in common."""
        metadata = Metadata(organisation)
        looking = Looking(organisation, metadata, FieldMap.of(connection, CAPABILITIES))
        return cls(
            metadata,
            Reading(organisation, looking),
            Lists(organisation),
            Writing(organisation, metadata, connection),
            Converting(organisation, metadata, looking),
            Campaigns(organisation, metadata),
        )
