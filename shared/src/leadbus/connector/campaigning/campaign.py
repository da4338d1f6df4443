"""A campaign as it stands here, and what a connection has made of it in its CRM. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from pydantic import PlainSerializer

from leadbus.connector.contract import CampaignAsSent, CampaignThere
from leadbus.connector.delivering.parts import Parked, Ranked
from leadbus.connector.settings import SendLevel
from leadbus.ids import derived_id
from leadbus.messages import CampaignFacts, Record

Facts = Annotated[CampaignFacts, PlainSerializer(lambda facts: facts.model_dump(mode="json"))]
"""MongoDB knows no dates without a time."""

DELETED = (
    "Somebody has deleted this campaign in the CRM. Leadbus leaves it so: it makes no other in its place, and"
    " puts nobody in it."
)

WITHOUT_LIST = (
    "Somebody has deleted the list in the CRM that holds the members of this campaign. Leadbus makes no other"
    " in its place, and puts nobody in the campaign."
)


SAME_NAME = (
    "Leadbus has made another campaign of this name in the CRM, which knows campaigns by their names alone:"
    " the two would be one there. Give one of them another name."
)


@dataclass(frozen=True, slots=True)
class Campaign(Ranked):
    """The newest facts about a campaign of a tenant, by the event that told them."""

    tenant_id: str
    campaign_id: str
    facts: Facts
    at: datetime
    event_id: str
    traceparent: bytes | None = None


@dataclass(frozen=True, slots=True)
class ListThere:
    """A list of the CRM that a list here is pushed to. holds: modules of its people; () = any."""

    record: Record
    holds: tuple[str, ...] = ()


@dataclass(slots=True)
class CampaignLink:
    """The pair campaign <-> record of one connection's CRM; or list here <-> lists of one name there.

    campaign_id: of a list, its `of_list`. choices: of a list, those there of which each holds some people, as
    they were found last.
    there: set once it was made. known_by: its name there, as names are compared. event_id, level: what the
    CRM was told last, or has refused. begun: the name under which it is being made, until the CRM has
    answered. refused: why the CRM does not take it, or that it, or the list of its members, was deleted there
    (gone). due: something is to be told, not before next_try. revision: counts what has made it due.
    """

    connection_id: str
    organisation_id: str
    tenant_id: str
    campaign_id: str
    there: CampaignThere | None = None
    known_by: str | None = None
    choices: tuple[ListThere, ...] = ()
    event_id: str = ""
    level: SendLevel = "none"
    begun: str | None = None
    refused: Parked | None = None
    gone: bool = False
    due: bool = False
    attempts: int = 0
    next_try: datetime | None = None
    revision: int = 0

    def place_of(self, module: str) -> CampaignThere | None:
        """Of a list: the one for people of a module; None = there is none for them."""
        fitting = (one.record for one in self.choices if not one.holds or module in one.holds)
        found = next(fitting, None)
        return CampaignThere(found, (found,)) if found else None

    def is_left(self) -> None:
        """Nothing is to be told of it (any more)."""
        self.begun, self.refused, self.gone = None, None, False
        self.due, self.attempts, self.next_try = False, 0, None

    def is_told(self, campaign: Campaign, level: SendLevel) -> None:
        """The CRM has been told."""
        self.event_id, self.level = campaign.event_id, level
        self.is_left()

    def is_refused(
        self, campaign: Campaign, level: SendLevel, refused: Parked, *, gone: bool = False
    ) -> None:
        """Nothing is tried before the campaign or the settings change, or somebody asks for it."""
        self.is_told(campaign, level)
        self.refused, self.gone = refused, gone
        self.known_by = None if gone else self.known_by


def name_key(name: str) -> str:
    """What is the same of two names that a CRM takes for one."""
    return " ".join(name.casefold().split())


def campaign_id(link: CampaignLink, team_scope: str) -> str:
    """The id under which a campaign is created: the same for all connections of one team, on every try."""
    scope = filter(None, [team_scope])
    return derived_id(link.organisation_id, *scope, link.tenant_id, "campaign", link.campaign_id)


def as_sent(campaign: Campaign, link: CampaignLink, level: SendLevel, team_scope: str) -> CampaignAsSent:
    """What the CRM is to be told at this level, none excepted."""
    facts = campaign.facts
    named = CampaignAsSent(
        id=campaign_id(link, team_scope),
        name=facts.name,
        there=link.there,
        traceparent=campaign.traceparent,
    )
    if level == "name":
        return named
    return replace(
        named,
        status=facts.status,
        description=facts.description,
        starts_on=facts.starts_on,
        ends_on=facts.ends_on,
        budget=facts.budget,
        currency=facts.currency,
    )
