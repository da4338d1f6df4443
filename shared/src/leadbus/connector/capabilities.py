"""What a CRM can do, as data the kit reads."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One vendor's (or protocol's) abilities and limits.

    crm: the vendor's short name, as in `connector-<crm>`. modules: the vendor's table of leads and of
    contacts. new_lead_status: what a lead we create is given. rows_per_write, rows_per_read: per call.
    concurrent_calls: that one organisation bears. own_ids: records can be created under ids of ours, so
    that a second create of the same record fails. cannot: what it cannot do at all, and the sentence for
    the person who asks for it.
    """

    crm: str
    modules: dict[Literal["lead", "contact"], str]
    new_lead_status: str
    rows_per_write: int
    rows_per_read: int
    concurrent_calls: int
    own_ids: bool
    cannot: dict[str, str] = field(default_factory=dict)
