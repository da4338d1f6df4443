"""A mail as it is spooled: to whom, which letter, and the facts that it is put into words from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from leadbus.connector.connection import Connection
from leadbus.connector.mailing.letters import LETTERS, MailKind
from leadbus.ids import derived_id


@dataclass(frozen=True, slots=True)
class Mail:
    """To one recipient.

    id: derived from what it says, so that it is said once. letter: of `LETTERS`. facts: what MongoDB can
    keep. due: when it may go, or go again. prospect_id: whose standing in the CRM is told as it is then.
    attempts: how often it was begun to be sent.
    """

    id: str
    letter: str
    tenant_id: str
    connection_id: str
    recipient: str
    facts: Mapping[str, Any]
    made: datetime
    due: datetime
    prospect_id: str | None = None
    attempts: int = 0

    @property
    def kind(self) -> MailKind:
        """What its recipient turns off, if it is not wanted."""
        return LETTERS[self.letter]


def mails(
    connection: Connection,
    recipients: Iterable[str],
    letter: str,
    facts: Mapping[str, Any],
    *said: str,
    due: datetime | None = None,
    prospect_id: str | None = None,
) -> list[Mail]:
    """One for each recipient. said: what makes it another mail than all before, beside letter and tenant."""
    now, tenant = datetime.now(UTC), connection.settings.tenant_id
    return [
        Mail(
            id=derived_id("mail", tenant, letter, *said, recipient),
            letter=letter,
            tenant_id=tenant,
            connection_id=connection.id,
            recipient=recipient,
            facts={"connection": connection.id, **facts},
            made=now,
            due=due or now,
            prospect_id=prospect_id,
        )
        for recipient in dict.fromkeys(recipients)
    ]


def shown(at: datetime, connection: Connection) -> str:
    """A time as the connection's people read it: `22 Nov 14:05`."""
    local = at.astimezone(ZoneInfo(connection.settings.time_zone))
    return f"{local:%d %b %H:%M}".removeprefix("0")
