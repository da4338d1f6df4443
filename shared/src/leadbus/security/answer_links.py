"""Links that accept or reject a lead, good without a key: made for mails, read by the service feedback.

What one stands for is sealed in it, so that nobody can make another or turn a yes into a no; encrypted too,
since addresses reach the logs of proxies, where no recipient shall be read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadbus.ids import derived_id
from leadbus.messages.answers import Answer
from leadbus.security.secrets import SecretBox, Unreadable

PURPOSE = "answer links"
PATH = "/v1/answers"
GOOD_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """One answer that one recipient may give for one distribution; recipient: an email."""

    tenant_id: str
    prospect_id: str
    supplier_id: str
    distribution_id: str
    connection_id: str
    recipient: str
    answer: Answer

    @property
    def event_id(self) -> str:
        """Of the answer that it gives: however often it is followed, it is said once."""
        return derived_id(
            "answer by mail",
            self.tenant_id,
            self.prospect_id,
            self.supplier_id,
            self.distribution_id,
            self.recipient,
            self.answer,
        )


class AnswerLinks:
    """secret_key: `LEADBUS_SECRET_KEY`. base: where people's browsers reach feedback, `FEEDBACK_PUBLIC_URL`.

    Raises:
        ConfigurationError: the key is none.
    """

    def __init__(
        self, secret_key: str, base: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._box = SecretBox(secret_key, PURPOSE)
        self._base = base.rstrip("/")
        self._clock = clock

    def url(self, link: AnswerLink) -> str:
        """The address of the page that asks; differs each time, good for 30 days."""
        return f"{self._base}{PATH}/{self.token(link)}"

    def token(self, link: AnswerLink) -> str:
        """What stands in the address."""
        until = int((self._clock() + GOOD_FOR).timestamp())
        told = [
            until,
            link.tenant_id,
            link.prospect_id,
            link.supplier_id,
            link.distribution_id,
            link.connection_id,
            link.recipient,
            link.answer,
        ]
        return self._box.encrypt(json.dumps(told)).decode().rstrip("=")

    def read(self, token: str) -> AnswerLink | None:
        """What a token stands for; None if it is none of ours, or too old."""
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            until, *told = json.loads(self._box.decrypt(padded))
        except (Unreadable, ValueError):
            return None
        return None if until <= self._clock().timestamp() else AnswerLink(*told)
