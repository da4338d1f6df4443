"""A connection as the kit keeps it: settings in the clear, secrets encrypted, health in a sentence."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadbus.connector.settings import ConnectionSettings
from leadbus.errors import AuthRefused
from leadbus.messages import ConnectionChanged, LeadDistributed, Origin


class HealthState(StrEnum):
    """well · trouble: tried again by itself · refused: a person must correct the credentials."""

    WELL = "well"
    TROUBLE = "trouble"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection fares. reason: what is wrong and what to do; empty when well."""

    state: HealthState
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of a connection. by: the id of the API key, or `operator`. changed: paths of settings."""

    revision: int
    at: datetime
    by: str
    what: Literal["created", "settings", "turned on", "turned off"]
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """One tenant's way into one CRM organisation.

    revision: counts changes of settings and of `on`. caught_up: the one that all its deliveries have been
    tried again for. unreadable: set if a stored secret cannot be decrypted,
    the sentence that says so; facts are collected all the same.
    """

    settings: ConnectionSettings
    organisation_id: str
    on: bool
    revision: int
    health: Health
    unreadable: str = ""
    caught_up: int = 0

    @property
    def id(self) -> str:
        """The connection's name."""
        return self.settings.connection_id

    def require_readable(self) -> None:
        """Raises AuthRefused if its credentials cannot be read; nobody may try with anything else."""
        if self.unreadable:
            raise AuthRefused(self.unreadable)

    def takes(self, lead: LeadDistributed) -> bool:
        """Whether a distribution is this connection's business; being switched off does not matter."""
        settings = self.settings
        wanted = settings.supplier_id in (None, lead.supplier_id)
        return wanted and settings.lead_distribution.synchronises and settings.tenant_id == lead.tenant_id

    def origins_of(self, origins: list[Origin]) -> list[Origin]:
        """Those that this connection answers for: a supplier hears of its own distributions."""
        return [o for o in origins if self.settings.supplier_id in (None, o.supplier_id)]

    def changed(self, crm: str, event_id: str, at: datetime) -> ConnectionChanged:
        """What everybody else may know of it."""
        settings = self.settings
        return ConnectionChanged(
            event_id=event_id,
            tenant_id=settings.tenant_id,
            occurred_at=at,
            connection_id=self.id,
            crm=crm,
            revision=self.revision,
            on=self.on,
            marketing_automation=settings.marketing_automation.synchronises,
            lead_distribution=settings.lead_distribution.synchronises,
            threshold=settings.marketing_automation.threshold,
            hysteresis=settings.marketing_automation.hysteresis,
            score=settings.marketing_automation.score,
            supplier_id=settings.supplier_id,
        )
