"""Who takes part in the sample: tenants with their suppliers and connections, and the CRMs behind them."""

from dataclasses import dataclass
from typing import Any

from sandbox.upstream.traffic import Supplier, Tenant

API_USER = "leadbus"
LEAD_SOURCE = "Leadbus"
SCORE_FIELD = "lead_score_c"

NORTH = Supplier("s-north", "Northern Supplies")
SOUTH = Supplier("s-south", "Südwind Handel")
EAST = Supplier("s-east", "Восток Снаб")

AURORA = Tenant("aurora", (NORTH, SOUTH))
BOREALIS = Tenant("borealis", (EAST,))
TENANTS = (AURORA, BOREALIS)
"""Each has one CRM organisation, of the same name."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as its owner would set it up. settings: what differs from the defaults."""

    id: str
    tenant: str
    settings: dict[str, Any]

    def body(self, url: str, password: str) -> dict[str, Any]:
        """What is sent to the connector's API; url: of the tenant's CRM."""
        return {
            "tenant_id": self.tenant,
            "access": {"url": url, "user": API_USER, "password": password},
            "lead_source": LEAD_SOURCE,
            "score_field": SCORE_FIELD,
            "pull_every_seconds": 2,
            **self.settings,
        }


CONNECTIONS = (
    # Two suppliers, one CRM: whatever both bring must end in one record per person.
    Connection("aurora-north", AURORA.id, {"supplier_id": NORTH.id}),
    Connection("aurora-south", AURORA.id, {"supplier_id": SOUTH.id}),
    Connection("borealis-sugar", BOREALIS.id, {"record_as": "contact"}),
)
