"""What scoring says of a prospect. `version` counts the prospect's applied changes: not newer = drop."""

from typing import ClassVar, Literal

from leadbus.event_types import EventType
from leadbus.messages.base import Email, Id, Line, ProspectMessage, Time, Url, Value
from leadbus.messages.fields import Fields


class Activity(Value):
    """One marketing event as a CRM is told of it."""

    event_id: Id
    type: EventType
    occurred_at: Time
    subject: Line | None = None
    url: Url | None = None


class Scored(ProspectMessage):
    """What all of scoring's messages carry.

    score: points, rounded half up, for people; millipoints: the exact figure in 1/1000.
    """

    version: int
    email: Email | None = None
    score: int
    millipoints: int


class LeadScored(Scored):
    """The rounded score changed, or for whom the prospect has cooled.

    connections: those that are known to hold a record of the prospect. cooled: those for which it had
    exceeded the threshold and has since fallen well below it. scores: the tenant's further scores, by name.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.scored"
    connections: list[Id] = []
    cooled: list[Id] = []
    scores: dict[Line, int] = {}


class LeadQualified(Scored):
    """The score that a connection reads exceeded its threshold, for the first time or after having cooled.

    said_at: when each field was said, by its name in `Fields.flat()`.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.qualified"
    connection_id: Id
    threshold: int
    fields: Fields = Fields()
    said_at: dict[str, Time] = {}
    activities: list[Activity] = []


class LeadActivities(Scored):
    """New activities, and what forms said (`said_at`: when), for connections that know the prospect.

    scores: the tenant's further scores, by name.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.activities"
    connections: list[Id]
    scores: dict[Line, int] = {}
    fields: Fields = Fields()
    said_at: dict[str, Time] = {}
    activities: list[Activity]


class AutomaticList(Value):
    """Everybody of a tenant whose field holds one value. list_id: the same for the same tenant, field and
    value; name: in words, such as `Account type: Customer`.
    """

    list_id: Id
    name: Line
    field: Literal["account_type", "opportunity_stage"]
    value: Line


class LeadListed(Scored):
    """Automatic lists that a prospect came on or left. lists: all that it is on now."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.lead.listed"
    added: list[AutomaticList] = []
    removed: list[AutomaticList] = []
    lists: list[AutomaticList] = []
