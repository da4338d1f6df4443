"""What a rules document is made of, part by part, as a marketer writes it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints

from leadbus.event_types import EventType
from leadbus.messages.base import Name
from scoring.fading import Period
from scoring.machines import USER_AGENTS, WHOLE_USER_AGENTS
from scoring.matching import Match
from scoring.segments import About, Condition, together

Points = Annotated[
    Decimal,
    Field(ge=-10_000, le=10_000, decimal_places=3),
    PlainSerializer(float, return_type=float, when_used="json"),
]
GivenPoints = Annotated[
    Decimal,
    Field(gt=0, le=1_000_000, decimal_places=3),
    PlainSerializer(float, return_type=float, when_used="json"),
]
HalfLife = Annotated[int, Field(ge=1, le=3_650)]
Days = Annotated[int, Field(ge=1, le=400)]
Domain = Annotated[
    str,
    # Neither `.acme.com` nor `*.acme.com`: those below a domain are meant by it anyway.
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^([^\s@.*]{1,63}\.)+[^\s@.*]{2,63}$"),
]
ScoreName = Annotated[Name, StringConstraints(pattern=r"^[^/]+$")]
"""A slash parts it from the names of its rules, see `tables.full_name`."""
Asked = Annotated[
    str,
    StringConstraints(
        pattern=r"^(page|title|referrer|link|form|subject|campaign|source|medium|supplier|visit"
        r"|properties\.[^\n]{1,64})$"
    ),
]
"""What of an event is asked; `properties.<name>` is what its sender says beside."""
AskedOfPerson = Annotated[
    str,
    StringConstraints(
        pattern=r"^(title|company|street|city|state|postal_code|country|website|email_domain|free_mail"
        r"|custom\.[A-Za-z][A-Za-z0-9_]{0,63})$"
    ),
]
"""What of a person is asked: fields that forms said, the domain of the email, and whether anybody may have
an address there."""


_Agent = Annotated[str, Field(min_length=3, max_length=200)]
_Capped = Annotated[EventType | Name, Field(union_mode="left_to_right")]


def _either_is_asked_of(when: dict[str, Match], *, may: Callable[[str], bool]) -> dict[str, Match]:
    for asked, match in when.items():
        if match.is_ is not None and not may(asked):
            raise ValueError(f"{asked} is a text: ask with one_of or contains, not with is")
    return when


class Part(BaseModel):
    """A part of the document: unknown members are refused, so that a misspelt one is an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SegmentRule(Part):
    """Points for as long as all of `when` is met by what the CRM holds of the prospect; they do not fade."""

    name: Name
    when: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=20)]
    points: Points

    @property
    def millipoints(self) -> int:
        """Points in 1/1000."""
        return thousandths(self.points)

    @cached_property
    def together(self) -> Mapping[About, Sequence[Condition]]:
        """See `segments.together`."""
        return together(self.when)


class EventRule(Part):
    """Points for events of a type of which all of `when` is true, instead of the type's. The first rule that
    fits counts. A name stands for the same rule for ever: what was counted under it is shown by it."""

    name: Name
    on: EventType
    when: Annotated[
        dict[Asked, Match],
        Field(min_length=1, max_length=10),
        AfterValidator(partial(_either_is_asked_of, may=lambda asked: asked.startswith("properties."))),
    ]
    points: Points


class CapRule(Part):
    """Events of these types, and those counted under these event rules, give no more than `most` points
    together per day, week (from Monday), month, or ever. The earliest give, the later ones are cut."""

    name: Name
    on: Annotated[tuple[_Capped, ...], Field(min_length=1, max_length=50)]
    most: GivenPoints
    per: Period = "day"


class DecayStep(Part):
    """After so many whole days (by the calendar, in UTC) so many percent of an event's points are left."""

    days: Days
    percent: Annotated[int, Field(ge=0, le=100)]


class Inactivity(Part):
    """Points off after `days` days without an event that gave points, and again after each further `days`,
    until `most` are off; never below nought."""

    days: Days
    points: GivenPoints
    most: GivenPoints


class ProfileRule(Part):
    """Points for as long as all of `when` is true of what is known of the person; they do not fade."""

    name: Name
    when: Annotated[
        dict[AskedOfPerson, Match],
        Field(min_length=1, max_length=10),
        AfterValidator(partial(_either_is_asked_of, may=lambda asked: asked == "free_mail")),
    ]
    points: Points

    @property
    def millipoints(self) -> int:
        """Points in 1/1000."""
        return thousandths(self.points)


class Machines(Part):
    """Events that no person did: by a part of `properties.user_agent` (whatever its case), by all of it, or
    by an email opened or clicked within so many seconds of `properties.sent_at`. They count zero."""

    zero: Annotated[bool, Field(description="Off: they count as anybody's.")] = True
    user_agents: Annotated[tuple[_Agent, ...], Field(max_length=200)] = USER_AGENTS
    whole_user_agents: Annotated[tuple[_Agent, ...], Field(max_length=50)] = WHOLE_USER_AGENTS
    seconds_after_sending: Annotated[int, Field(ge=0, le=600)] = 5


def thousandths(points: Decimal) -> int:
    """Points in 1/1000."""
    return int(points * 1000)
