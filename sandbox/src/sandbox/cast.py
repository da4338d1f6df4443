"""Who takes part in the sample: tenants with their suppliers and connections, and the CRMs behind them."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.crms.crm import LEAD_SOURCE, Organisation
from sandbox.crms.dynamics import DynamicsOrganisation
from sandbox.crms.sugar import GUESTS, SugarOrganisation
from sandbox.crms.zoho import ZohoOrganisation
from sandbox.upstream.traffic import GUEST_LIST, Supplier, Tenant

NORTH = Supplier("s-north", "Northern Supplies")
SOUTH = Supplier("s-south", "Südwind Handel")
EAST = Supplier("s-east", "Восток Снаб")
WEST = Supplier("s-west", "Ouest Négoce")
COAST = Supplier("s-coast", "Παράκτια Εμπορική")
ISLANDS = Supplier("s-islands", "Øernes Handel")

AURORA = Tenant("aurora", (NORTH, SOUTH))
BOREALIS = Tenant("borealis", (EAST,))
CORONA = Tenant("corona", (WEST,))
DELPHI = Tenant("delphi", (COAST,))
EUROPA = Tenant("europa", (ISLANDS,))
TENANTS = (AURORA, BOREALIS, CORONA, DELPHI, EUROPA)
"""Each has one CRM organisation, of the same name."""


ORGANISATIONS: tuple[Organisation, ...] = (
    SugarOrganisation(AURORA.id, "SuiteCRM 7", "suitecrm-7-soap", "{site}/service/v2/soap.php?wsdl"),
    SugarOrganisation(BOREALIS.id, "Sugar 14", "sugar-14", "{site}/web", team="Borealis"),
    ZohoOrganisation(CORONA.id, "Zoho CRM", "20000000003", "leadbus@corona.example"),
    DynamicsOrganisation(
        DELPHI.id,
        "Dynamics CRM 2013",
        "2013",
        "{site}/delphi/XRMServices/2011/Organization.svc/web",
        domain="DELPHI",
    ),
    DynamicsOrganisation(EUROPA.id, "Dynamics 365", "9.2", "{site}"),
)


def owner_of(tenant: str) -> str:
    """The default lead owner, who gets a mail at each new lead."""
    return f"sales@{tenant}.example"


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of a tenant to its CRM. settings: what differs from the defaults, beside the CRM's own."""

    id: str
    tenant: str
    settings: dict[str, Any] = field(default_factory=dict, hash=False)

    def body(self, of_crm: dict[str, Any]) -> dict[str, Any]:
        """What is sent to the connector's API. of_crm: what everybody enters who connects that CRM."""
        people = {"default_owners": [owner_of(self.tenant)], "notify": [f"admin@{self.tenant}.example"]}
        common = {"tenant_id": self.tenant, "lead_source": LEAD_SOURCE, "campaigns": "full"}
        return {**common, **people, **of_crm, **self.settings}


# What either side does with its people, the other one follows.
_GUESTS = {
    "list": GUESTS,
    "list_id": GUEST_LIST,
    "push": {"add": True, "remove": True},
    "schedule": {"every_seconds": 2},
}

# Two suppliers, one CRM: whatever both bring must end in one record per person.
CONNECTIONS = (
    Connection("aurora-north", AURORA.id, {"supplier_id": NORTH.id, "lists": [_GUESTS]}),
    Connection("aurora-south", AURORA.id, {"supplier_id": SOUTH.id, "record_as": "contact"}),
    Connection("borealis-sugar", BOREALIS.id),
    Connection("corona-zoho", CORONA.id),
    Connection("delphi-dynamics", DELPHI.id),
    Connection("europa-dynamics", EUROPA.id),
)
FOLLOWED = "corona-zoho"
"""The connection of which one person's journey is shown, from prospect to client and back."""
