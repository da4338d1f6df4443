"""What was taken: the newest mails, readable."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

MOST = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """One mail as it came. number: counts from 1. to: of the envelope."""

    number: int
    at: datetime
    sender: str
    to: tuple[str, ...]
    mail: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.mail["subject"] or "")

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def header(self, name: str) -> str:
        """Empty if there is none."""
        return str(self.mail[name] or "")

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "from": self.header("from"),
            "sender": self.sender,
            "to": list(self.to),
            "subject": self.subject,
            "headers": {name.lower(): str(value) for name, value in self.mail.items()},
            "text": self.text,
            "html": self.html,
        }

    def _part(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Inbox:
    """The newest 1,000; in memory, since nobody's mail it is."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MOST)
        self._count = 0

    def take(self, sender: str, to: list[str], content: bytes) -> Message:
        """content: the mail as RFC 5322 has it."""
        self._count += 1
        mail = message_from_bytes(content, policy=default)
        message = Message(self._count, datetime.now(UTC), sender, tuple(to), mail)
        self._messages.append(message)
        return message

    def newest(self, to: str = "") -> list[Message]:
        """Newest first. to: only for this recipient."""
        return [m for m in reversed(self._messages) if not to or to in m.to]

    def get(self, number: int) -> Message | None:
        return next((m for m in self._messages if m.number == number), None)

    def clear(self) -> None:
        self._messages.clear()
