"""The settings of a connection: each declared once, with the help text that every surface shows."""

from abc import ABC, abstractmethod
from functools import cache
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic.config import JsonDict
from pydantic_core import InitErrorDetails, PydanticCustomError

from leadbus.connector.settings.answers import MOST_STATUSES, AnswerBy, AnswerField, StatusRule
from leadbus.connector.settings.assignment import MOST_RULES, AssignmentRule
from leadbus.connector.settings.lists import MOST_LISTS, ListRule
from leadbus.connector.settings.profiles import LeadDistribution, MarketingAutomation
from leadbus.connector.settings.rules import faults, our_field
from leadbus.connector.settings.schedules import Schedules
from leadbus.connector.settings.section import Section
from leadbus.connector.settings.tasks import MOST_TASKS, TaskRule
from leadbus.event_types import CRM_EVENT_TYPES, EventType
from leadbus.messages.base import Email, Id, Line, Name, TenantId

NEEDED_TO_TURN_ON: JsonDict = {"needed": "to turn on"}
"""Of a setting that may be empty as long as the connection is off (`json_schema_extra`)."""


Rule = Literal["ours", "theirs", "newest", "only_if_empty", "never"]
Direction = Literal["both", "to_crm", "from_crm"]
SendLevel = Literal["none", "name", "full"]


class FieldRule(Section):
    """How one field of ours and one of the CRM's belong together; overrides the standard mapping."""

    of: Literal["lead", "contact", "target", "account"] = Field(
        "lead", description="Whose field it is in the CRM."
    )
    field: Annotated[str, AfterValidator(our_field)] = Field(
        pattern=r"^([a-z_]{1,64}|custom\.[A-Za-z][A-Za-z0-9_]{0,63})$",
        json_schema_extra={"allowed": "a standard field, or custom.<name>"},
        description="Our name of the field: a standard one such as phone, or custom.<name>.",
    )
    crm_field: Name = Field(description="The CRM's own name of the field.")
    direction: Direction = Field(
        "both", description="Whether it is written to the CRM, read from it, or both."
    )
    rule: Rule | None = Field(
        None,
        description="Who decides about the field of a record that exists: ours = we overwrite; theirs ="
        " never overwritten once it has a value of theirs; newest = the later change; only_if_empty = filled"
        " where the CRM has nothing; never = not even when the record is created. Without a rule the"
        " profile's field_updates decides.",
    )


@cache
def _time_zones() -> frozenset[str]:
    """Those of this machine; looking through its files takes several milliseconds."""
    return frozenset(available_timezones())


def _time_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError("not a time zone, such as Europe/Berlin")
    return name


class ConnectionSettings(Section, ABC):
    """What every connection has, whatever its CRM; a connector adds the CRM's own part as `access`.

    supported: products with their versions, and how each is spoken with. unsupported: what is easily taken
    for one of them. Both are shown before a connection is set up.
    """

    supported: ClassVar[tuple[str, ...]] = ()
    unsupported: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def organisation_id(self) -> str:
        """The CRM organisation it leads into: the same for all connections that share its records."""

    @property
    @abstractmethod
    def address(self) -> str:
        """The URL that the tenant gave."""

    @property
    def team_scope(self) -> str:
        """What sets this connection's records apart from others of the organisation; empty = nothing."""
        return ""

    @property
    def team_names(self) -> tuple[str, ...]:
        """The CRM's teams that records are written with and read from, named exactly; () = no matter."""
        return ()

    @property
    def push_to(self) -> str | None:
        """The URL that the CRM is asked to push changes to (`Adapter.watch`); None = it is not asked to."""
        return None

    connection_id: Id = Field(description="The connection's name, unique for the tenant's operator.")
    tenant_id: TenantId = Field(description="Whose connection it is.")
    access: Section = Field(description="How Leadbus gets into the CRM.")
    supplier_id: Id | None = Field(
        None, description="Only leads of this supplier; absent: of every supplier."
    )
    record_as: Literal["lead", "contact"] = Field("lead", description="What new people become in the CRM.")
    default_last_name: Name | None = Field(
        "Unknown", description="Last name of a person who gave none; without it such a person is refused."
    )
    default_company: Name | None = Field(
        "Unknown", description="Company of a person who named none; without it such a person is refused."
    )
    lead_source: Line = Field(
        "Leadbus",
        json_schema_extra=NEEDED_TO_TURN_ON,
        description="The CRM's lead source of every record created; the CRM must offer this value.",
    )
    event_types: frozenset[EventType] = Field(
        CRM_EVENT_TYPES,
        json_schema_extra={"allowed": ", ".join(t for t in EventType if t in CRM_EVENT_TYPES)},
        description="Marketing events that are written to the CRM.",
    )
    notes: Literal["per_event", "per_day"] = Field(
        "per_event", description="Marketing events become one note each, or one note a day and person."
    )
    main_user: Email | None = Field(
        None,
        description="The CRM user, by email, who is given new people who have no owner here, or one who is no"
        " active user of the CRM; absent: the user in whose name Leadbus writes.",
    )
    rules: tuple[AssignmentRule, ...] = Field(
        (),
        max_length=MOST_RULES,
        description="Owners and lead sources by rule: the first one whose case holds counts. What a sync"
        " request asks for counts before them, and so does the owner that a person has here.",
    )
    pull_people: bool = Field(
        True,
        description="Leads and contacts that people enter in the CRM become prospects here; off: only those"
        " are told of that Leadbus has brought there, or found there for one of its own.",
    )
    campaigns: SendLevel = Field(
        "none",
        description="What the CRM is told of campaigns that are set to sync: none = nothing, no campaign is"
        " made there; name = a campaign of that name; full = status, description, dates and budget too. Who"
        " takes part is put in it. A campaign that was made stays, also at a lower level.",
    )
    tasks: tuple[TaskRule, ...] = Field(
        (),
        max_length=MOST_TASKS,
        description="Tasks that the owner of a person's record is given when the person is qualified or"
        " distributed.",
    )
    statuses: tuple[StatusRule, ...] = Field(
        (),
        max_length=MOST_STATUSES,
        description="Lead statuses here and in the CRM, and which of them accept or reject a distributed"
        " lead. One that is said here is always written; whatever salespeople set is told, in your words too"
        " where it is mapped.",
    )
    answer_field: AnswerField | None = Field(
        None, description="A field of the CRM by which distributed leads are accepted or rejected."
    )
    answer_by: AnswerBy = Field(
        "crm",
        description="The one way that is recommended for accepting and rejecting distributed leads, as emails"
        " about them say: crm = in the CRM (if a status or field says so there; else as email); email = by"
        " the links in the email; api = by your own system. Every way works, and the first answer counts.",
    )
    default_owners: tuple[Email, ...] = Field(
        (),
        max_length=20,
        description="Default lead owners: these addresses get an email at each new lead, whatever the CRM"
        " says to it; each of them can turn that off by a link in the email.",
    )
    notify: tuple[Email, ...] = Field(
        (),
        max_length=20,
        description="Who hears of the connection itself by email: that it is active, that the CRM refuses the"
        " login, trouble and its end, and once a day, in the morning, what was not accepted.",
    )
    score_field: Name | None = Field(
        None,
        description="The CRM's custom field that holds the score of every linked record, whatever the"
        " threshold: written with the record, then at most once an hour, after everything else.",
    )
    fields: tuple[FieldRule, ...] = Field(
        (), max_length=500, description="Field mappings beyond, or instead of, the standard ones."
    )
    all_lists: bool = Field(
        True,
        description="Read every list of the CRM, and who is on it; off: only those that lists names.",
    )
    lists: tuple[ListRule, ...] = Field(
        (),
        max_length=MOST_LISTS,
        description="Lists of the CRM with a rule of their own: under what name, which way, which fields and"
        " when.",
    )
    schedules: Schedules = Field(Schedules(), description="When each kind of record is read from the CRM.")
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC",
        json_schema_extra={"allowed": "a time zone, such as Europe/Berlin"},
        description="The time zone of schedules, and of days where notes are made per day.",
    )
    marketing_automation: MarketingAutomation = Field(
        MarketingAutomation(), description="The profile for leads won by marketing."
    )
    lead_distribution: LeadDistribution = Field(
        LeadDistribution(), description="The profile for leads handed over by a supplier."
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        found = [
            InitErrorDetails(type=PydanticCustomError("rule", "{what}", {"what": what}), loc=loc, input=None)
            for loc, what in faults(self)
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found, hide_input=True)
        return self
