"""What a CRM can do, as data the kit reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

PersonKind = Literal["lead", "contact", "target"]
Kind = Literal["lead", "contact", "target", "account", "user", "opportunity", "activity", "list"]
PEOPLE: tuple[PersonKind, ...] = ("lead", "contact", "target")

Step = Literal["rights", "lead_source", "field", "option", "team", "list", "score_field"]

Verb = Literal[
    "check",
    "find_by_email",
    "find_accounts",
    "read",
    "changed",
    "members",
    "activities_of",
    "create",
    "update",
    "convert",
    "create_accounts",
    "add_activities",
    "write_campaigns",
    "put_members",
    "watch",
]
"""What calls are made for; `check` stands for sign_in, rights, teams, limits and describe."""
Cost = Callable[[int], int]
"""Credits that a verb costs for so many rows of one module."""

TURNING_BACK = "turning a contact back into a lead"
CONVERTING = "turning a lead into a contact"
STATUS_OF_CONTACT = "the lead status of a contact"
RESPONSES = "how somebody responded to a campaign"
"""Among `Capabilities.cannot`: what a person may ask of any CRM."""


def as_it_is(name: str, value: str) -> str:
    """Of a CRM that keeps whatever it takes."""
    return value


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One vendor's (or protocol's) abilities and limits.

    crm: the vendor's short name, as in `connector-<crm>`. modules: the vendor's tables of each kind; a kind
    that is missing does not exist there. fields: standard names (`Fields.flat()`) to the CRM's, by kind.
    account_fields: the same of a company's facts (`leadbus.messages.ACCOUNT_FIELDS`).
    required: standard names without which the CRM creates no such record. new_lead_status: what a lead we
    create is given. rows_per_write, rows_per_read: per call. concurrent_calls: that one organisation bears.
    calls_per_verb: how many of them one verb makes at most, None = as many as there are.
    fewest_rows_per_write: that are worth a call of their own where a verb's rows are spread over several.
    own_ids: records can be created under ids of ours, so that a second create of the same record fails; where
    not, the CRM knows people by email, accounts by name, and creating one that exists finds it.
    converts: leads can be made contacts by us.
    watches: it pushes only where we ask it to, again and again. credits: what verbs cost of a daily
    allowance; a verb that is missing costs nothing.
    by_custom_field: standard names that a kind has no field for, and the type of custom field that could.
    accounts: a contact's company is a record of its own. pushes: the CRM calls us when something changed.
    lead_source_field: the CRM's name of a person's lead source; empty = it has none. status_field: that of a
    lead's status.
    filled: fields that the adapter fills by itself beside the mapped ones (its email, status, owner, ...).
    activities: the module of each type of activity that we add. campaigns: their module; empty = none.
    fit: a value as the CRM keeps it in a field (by its own name): what it would cut or alter without a word
    we alter ourselves, so that what was written is what is read.
    steps: what to do in the CRM about a finding, with {module}, {value}, {rights}, {name} filled in.
    cannot: what it cannot do at all, and the sentence for the person who asks for it.
    """

    crm: str
    modules: Mapping[Kind, tuple[str, ...]]
    fields: Mapping[PersonKind, Mapping[str, str]]
    required: Mapping[PersonKind, frozenset[str]]
    new_lead_status: str
    rows_per_write: int
    rows_per_read: int
    concurrent_calls: int
    own_ids: bool
    accounts: bool = True
    account_fields: Mapping[str, str] = field(default_factory=dict)
    converts: bool = False
    pushes: bool = False
    watches: bool = False
    credits: Mapping[Verb, Cost] = field(default_factory=dict)
    by_custom_field: Mapping[PersonKind, Mapping[str, str]] = field(default_factory=dict)
    calls_per_verb: int | None = None
    fewest_rows_per_write: int = 1
    lead_source_field: str = ""
    status_field: str = ""
    filled: frozenset[str] = frozenset()
    activities: Mapping[Literal["note", "task", "call"], str] = field(default_factory=dict)
    campaigns: str = ""
    fit: Callable[[str, str], str] = as_it_is
    steps: Mapping[Step, str] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)

    def kind_of(self, module: str) -> Kind | None:
        """Which kind of record a module holds."""
        return next((kind for kind, modules in self.modules.items() if module in modules), None)

    def person_kind_of(self, module: str) -> PersonKind:
        """The same, of a person's record."""
        kind = self.kind_of(module)
        return kind if kind in ("contact", "target") else "lead"

    def module_of(self, kind: Kind) -> str:
        """The (first) module of a kind. Raises KeyError for one that the CRM does not have."""
        return self.modules[kind][0]
