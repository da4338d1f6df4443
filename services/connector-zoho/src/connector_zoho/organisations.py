"""What one process knows of Zoho organisations, whichever of its adapters found it out.

Figures of editions: Zoho's documentation, section API limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from connector_zoho.limiter import Limiter
from leadbus.connector.contract import Limits

MOST_HEAVY_CALLS = 10
"""At once in any edition: convert, COQL, search, sorted lists, writes of more than 10 rows. As most of our
calls are of these, no others are counted apart."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What an edition bears. credits: in any 24 hours; each: more per user; most: None = no end."""

    name: str
    calls: int
    credits: int
    each: int = 0
    most: int | None = None

    def credits_a_day(self, users: int) -> int:
        """Credits of an organisation with so many users; those bought besides are not in any answer."""
        found = self.credits + self.each * users
        return found if self.most is None else min(found, self.most)


_ENTERPRISE = Edition("Enterprise", 20, 50_000, 1_000, 5_000_000)
_ULTIMATE = Edition("Ultimate", 25, 50_000, 2_000)
FREE = Edition("Free", 5, 5_000, most=5_000)
EDITIONS: Mapping[str, Edition] = MappingProxyType(
    {
        "free": FREE,
        "standard": Edition("Standard", 10, 50_000, 250, 100_000),
        "professional": Edition("Professional", 15, 50_000, 500, 3_000_000),
        "enterprise": _ENTERPRISE,
        "zohoone": _ENTERPRISE,
        "ultimate": _ULTIMATE,
        "crmplus": _ULTIMATE,
    }
)
"""By `license_details.paid_type` without blanks, in lower case. How Zoho One and CRM Plus are written there
is assumed."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """Facts of an organisation and of the user in whose name we call; currency: its ISO 4217 code.

    users: those that licences were bought for.
    """

    zgid: str
    edition: str
    time_zone: str
    currency: str
    user_id: str
    user_email: str
    users: int = 0

    @classmethod
    def of(cls, org: Mapping[str, Any], user: Mapping[str, Any]) -> "Organisation":
        """From a row of `/org` and one of `/users`. In a trial its edition counts (assumed)."""
        license_ = org.get("license_details") or {}
        edition = license_.get("trial_type") or license_.get("paid_type") or "free"
        users = license_.get("users_license_purchased")
        return cls(
            zgid=str(org.get("zgid") or ""),
            edition="".join(str(edition).split()).lower(),
            time_zone=str(org.get("time_zone") or ""),
            currency=str(org.get("iso_code") or ""),
            user_id=str(user.get("id") or ""),
            user_email=str(user.get("email") or "").strip().lower(),
            users=int(users) if isinstance(users, int | str) and str(users).isdecimal() else 0,
        )

    def limits(self, credits_left: int | None) -> Limits:
        """What it bears; of an edition that we do not know, as little at once as of the smallest."""
        edition = EDITIONS.get(self.edition)
        return Limits(
            calls=min((edition or FREE).calls, MOST_HEAVY_CALLS),
            credits_a_day=edition.credits_a_day(max(self.users, 1)) if edition else None,
            credits_left=credits_left,
        )


@dataclass(slots=True)
class Shared:
    """One organisation. credits_left: as it last said; it does so once half of a day's are gone."""

    limiter: Limiter = field(default_factory=lambda: Limiter(FREE.calls))
    credits_left: int | None = None
    members: int = 0


class Organisations:
    """Each is known as long as somebody who joined it has not left."""

    def __init__(self) -> None:
        self._known: dict[str, Shared] = {}

    def join(self, organisation_id: str) -> Shared:
        """What is shared by all who call this organisation."""
        shared = self._known.setdefault(organisation_id, Shared())
        shared.members += 1
        return shared

    def leave(self, organisation_id: str) -> None:
        """Once for each time it was joined."""
        shared = self._known[organisation_id]
        shared.members -= 1
        if not shared.members:
            del self._known[organisation_id]
