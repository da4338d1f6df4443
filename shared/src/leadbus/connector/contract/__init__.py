"""What a CRM adapter does: verbs in batches, an outcome per row, errors from `leadbus.errors`.

A verb raises only when the whole call failed (Transient, RateLimited, AddressRefused, AuthRefused,
OutcomeUnknown, Unsupported); what concerns one row is that row's outcome. An adapter renews its session by
itself and knows nothing of deliveries, topics or databases. Field names here are the CRM's own; the kit
maps them (`leadbus.connector.mapping`). Values are texts in one form for all CRMs: dates YYYY-MM-DD, times
ISO 8601 in UTC, booleans `true` and `false`, numbers as plain decimals, several options joined by `;`,
nothing as an empty text.
"""

from leadbus.connector.contract.adapter import Adapter
from leadbus.connector.contract.answers import (
    Converted,
    Created,
    Finding,
    Limits,
    Outcome,
    Watch,
    WrittenCampaign,
)
from leadbus.connector.contract.rows import (
    Account,
    CrmActivity,
    CrmList,
    FieldInfo,
    FieldType,
    Opportunity,
    Page,
    Person,
    Row,
    User,
)
from leadbus.connector.contract.writes import (
    CampaignAsSent,
    CampaignMember,
    CampaignThere,
    Conversion,
    NewAccount,
    NewActivity,
    NewPerson,
    PersonChange,
)

__all__ = [
    "Account",
    "Adapter",
    "CampaignAsSent",
    "CampaignMember",
    "CampaignThere",
    "Conversion",
    "Converted",
    "Created",
    "CrmActivity",
    "CrmList",
    "FieldInfo",
    "FieldType",
    "Finding",
    "Limits",
    "NewAccount",
    "NewActivity",
    "NewPerson",
    "Opportunity",
    "Outcome",
    "Page",
    "Person",
    "PersonChange",
    "Row",
    "User",
    "Watch",
    "WrittenCampaign",
]
