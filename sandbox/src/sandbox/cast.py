"""Who takes part in the sample: tenants with their suppliers and connections, and the CRMs behind them."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.upstream.traffic import Supplier, Tenant

API_USER = "leadbus"
PLATFORM = "leadbus"
LEAD_SOURCE = "Leadbus"
SCORE_FIELD = "lead_score_c"
_OFTEN = {"every_seconds": 2}

NORTH = Supplier("s-north", "Northern Supplies")
SOUTH = Supplier("s-south", "Südwind Handel")
EAST = Supplier("s-east", "Восток Снаб")

AURORA = Tenant("aurora", (NORTH, SOUTH))
BOREALIS = Tenant("borealis", (EAST,))
TENANTS = (AURORA, BOREALIS)
"""Each has one CRM organisation, of the same name."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """A tenant's CRM. speaks: which Sugar it is, see `python -m sandbox.sugar --help`.

    address: as its owner copied it from somewhere, with {site} for the server's. team: in which the tenant
    works, empty = the CRM has no teams.
    """

    tenant: str
    title: str
    speaks: str
    address: str
    team: str = ""

    @property
    def modern(self) -> bool:
        """Whether it knows API platforms."""
        return self.speaks.startswith("sugar-")


ORGANISATIONS = (
    Organisation(AURORA.id, "SuiteCRM 7", "suitecrm-7-soap", "{site}/service/v2/soap.php?wsdl"),
    Organisation(BOREALIS.id, "Sugar 14", "sugar-14", "{site}/web", team="Borealis"),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as its owner would set it up. settings: what differs from the defaults."""

    id: str
    organisation: Organisation
    settings: dict[str, Any] = field(hash=False)

    def body(self, site: str, password: str) -> dict[str, Any]:
        """What is sent to the connector's API; site: where the tenant's CRM is."""
        url = self.organisation.address.format(site=site)
        teams = {"teams": [self.organisation.team]} if self.organisation.team else {}
        return {
            "tenant_id": self.organisation.tenant,
            "access": {"url": url, "user": API_USER, "password": password},
            "lead_source": LEAD_SOURCE,
            "score_field": SCORE_FIELD,
            "schedules": dict.fromkeys(("lead", "contact", "opportunity"), _OFTEN),
            **teams,
            **self.settings,
        }


_SUITE, _SUGAR = ORGANISATIONS
# Two suppliers, one CRM: whatever both bring must end in one record per person.
CONNECTIONS = (
    Connection("aurora-north", _SUITE, {"supplier_id": NORTH.id}),
    Connection("aurora-south", _SUITE, {"supplier_id": SOUTH.id, "record_as": "contact"}),
    Connection("borealis-sugar", _SUGAR, {}),
)
