"""Who opens and clicks without being a person: mail privacy proxies, scanners of links, bots.

What is not here: Gmail's and Yahoo's image proxies fetch a picture when a person opens the mail, so their
opens are people's.
"""

from datetime import UTC, datetime

from leadbus.event_types import EventType
from leadbus.messages import MarketingEvent

USER_AGENTS = (
    "bot/",
    "bot;",
    "bot)",
    "crawler",
    "spider",
    "headlesschrome",
    "phantomjs",
    "python-requests",
    "python-urllib",
    "go-http-client",
    "java/",
    "curl/",
    "wget/",
    "barracuda",
    "mimecast",
    "proofpoint",
    "urldefense",
    "symantec",
    "bitdefender",
    "forcepoint",
    "trendmicro",
    "fortimail",
    "sophos",
    "safelinks",
    "linkscanner",
    "slackbot",
    "facebookexternalhit",
    "whatsapp/",
    "skypeuripreview",
)
"""Parts of what they call themselves."""

WHOLE_USER_AGENTS = ("mozilla/5.0",)
"""Apple's Mail Privacy Protection loads every picture when a mail arrives, and says this and no more."""

_MAILED = frozenset({EventType.EMAIL_OPEN, EventType.EMAIL_CLICK, EventType.SMS_CLICK})


class Watch:
    """Tells events that machines did from those of people. Texts are folded."""

    def __init__(self, parts: tuple[str, ...], wholes: tuple[str, ...], seconds: int) -> None:
        self._parts = tuple(map(str.casefold, parts))
        self._wholes = frozenset(map(str.casefold, wholes))
        self._seconds = seconds

    def is_machine(self, event: MarketingEvent) -> bool:
        """By what the event says alone, so that the order of events decides nothing."""
        properties = event.properties
        if (agent := properties.get("user_agent")) and isinstance(agent, str):
            folded = agent.strip().casefold()
            if folded in self._wholes or any(part in folded for part in self._parts):
                return True
        sent = properties.get("sent_at")
        if not sent or not isinstance(sent, str) or not self._seconds or event.type not in _MAILED:
            return False
        try:
            at = datetime.fromisoformat(sent)
        except ValueError:
            return False
        after = event.occurred_at - (at if at.tzinfo else at.replace(tzinfo=UTC))
        # Clocks differ and senders cut fractions: an open just before its sending is none of a person either.
        return abs(after.total_seconds()) <= self._seconds
