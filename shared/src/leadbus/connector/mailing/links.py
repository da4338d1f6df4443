"""Links in mails, good without a key: what they stand for is sealed in them, so that nobody can make another.

It is encrypted too: addresses reach the logs of proxies, where no recipient shall be read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from leadbus.connector.mailing.letters import MailKind
from leadbus.security.secrets import SecretBox, Unreadable

PATH = "/v1/mails/off"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a recipient hears of: one kind of mail about one tenant."""

    tenant_id: str
    recipient: str
    kind: MailKind


class Links:
    """box: with a key for this purpose alone. base: where people's browsers reach this service."""

    def __init__(self, box: SecretBox, base: Callable[[], str]) -> None:
        self._box = box
        self._base = base

    def off_url(self, subscription: Subscription) -> str:
        """Where the recipient turns such mails off, and on again."""
        told = [subscription.tenant_id, subscription.recipient, subscription.kind.value]
        token = self._box.encrypt(json.dumps(told)).decode().rstrip("=")
        return f"{self._base().rstrip('/')}{PATH}/{token}"

    def subscription(self, token: str) -> Subscription | None:
        """What a link stands for; None if it is none of ours."""
        try:
            padded = token + "=" * (-len(token) % 4)
            tenant_id, recipient, kind = json.loads(self._box.decrypt(padded.encode()))
            return Subscription(tenant_id, recipient, MailKind(kind))
        except (Unreadable, ValueError):
            return None
