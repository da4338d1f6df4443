"""Sends what is due, one mail after the other. Every pod has one; each mail is claimed by one of them."""

import logging
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.errors import PyMongoError

from leadbus.connector.mailing.choices import Choices
from leadbus.connector.mailing.letters import worded
from leadbus.connector.mailing.links import Links, Subscription
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.mailing.smtp import LoginRefused, MailServer, NotNow, Refused, ServerAway, Session
from leadbus.connector.mailing.spool import Spool
from leadbus.telemetry import Telemetry, names

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
TURN_SECONDS = 60.0
LOOKS_OVER_SECONDS = 15.0
LONGEST_REST = 60.0
"""Between two tries to reach a mail server that is away."""
REFUSED_REST = 900.0
"""The same of one that does not let us in: a few tries an hour lock no user."""
SHORTEST, LONGEST = timedelta(seconds=30), timedelta(hours=1)
"""Between two tries of a mail that the server does not take."""
GIVEN_UP_AFTER = timedelta(days=3)

Standing = Callable[[Mail], Awaitable[Mapping[str, Any]]]
"""What is to be said as it is now, as facts of the letter: how its prospect stands in the CRM, say."""


class Sender:
    """See the module. A server that is away costs no mail a try; it is asked again less and less often."""

    def __init__(
        self,
        server: MailServer,
        spool: Spool,
        choices: Choices,
        links: Links,
        standing: Standing,
        telemetry: Telemetry,
    ) -> None:
        self._server = server
        self._spool = spool
        self._choices = choices
        self._links = links
        self._standing = standing
        self._away = 0
        self._look_again = 0.0
        self._counted = telemetry.counter(names.MAILS)
        self._oldest = telemetry.gauge(names.OLDEST_MAIL)

    async def turn(self) -> float:
        """Sends all that is due; seconds until the next turn."""
        began = time.monotonic()
        if began >= self._look_again:
            await self._look_over(datetime.now(UTC))
            self._look_again = began + LOOKS_OVER_SECONDS
        if not await self._spool.has_due(datetime.now(UTC)):
            return IDLE_SECONDS
        try:
            async with self._server.connected() as session:
                while time.monotonic() - began < TURN_SECONDS:
                    mail = await self._spool.claim(datetime.now(UTC))
                    if mail is None:
                        return IDLE_SECONDS
                    await self._safely(mail, session)
        except ServerAway as away:
            return self._rest(away)
        return 0.0

    async def _safely(self, mail: Mail, session: Session) -> None:
        """Whatever is wrong with one mail, the others are sent."""
        try:
            await self._send(mail, session)
        except Refused as refused:
            await self._spool.finish(mail, "refused")
            self._count(mail, "refused")
            log.warning("A mail of kind %s for %s is refused: %s", mail.kind, mail.connection_id, refused)
        except (NotNow, ServerAway) as error:
            await self._postpone(mail)
            if isinstance(error, ServerAway):
                raise
        except PyMongoError:
            raise
        except Exception as error:  # without its text, which may hold what was being said
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s in a mail of kind %s:\n%s", type(error).__name__, mail.kind, where)  # noqa: TRY400
            await self._postpone(mail)

    async def _send(self, mail: Mail, session: Session) -> None:
        if await self._choices.is_off(mail.tenant_id, mail.recipient, mail.kind):
            await self._spool.finish(mail, "off")
            self._count(mail, "off")
            return
        off_url = self._links.off_url(Subscription(mail.tenant_id, mail.recipient, mail.kind))
        facts = {**mail.facts, **(await self._standing(mail))}
        await session.send(mail, worded(mail.letter, facts, off_url), off_url)
        await self._spool.finish(mail, "sent")
        self._count(mail, "sent")
        if self._away:
            log.info("The mail server takes mails again.")
        self._away = 0

    async def _postpone(self, mail: Mail) -> None:
        longest = min(LONGEST, SHORTEST * 2 ** min(mail.attempts - 1, 12))
        await self._spool.postpone(mail, datetime.now(UTC) + random.uniform(0.5, 1.0) * longest)
        self._count(mail, "postponed")

    async def _look_over(self, now: datetime) -> None:
        """Gives up what is too old to be of use, and measures what waits."""
        for kind, count in (await self._spool.give_up(now - GIVEN_UP_AFTER)).items():
            self._counted.add(count, {names.MAIL: kind, names.OUTCOME: "given_up"})
            log.error("%d mails of kind %s could not be sent for 3 days and are given up.", count, kind)
        oldest = await self._spool.oldest()
        self._oldest.set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)

    def _rest(self, away: ServerAway) -> float:
        if not self._away:
            log.warning("Mails are waiting: %s", away)
        self._away += 1
        longest = min(LONGEST_REST, 2.0 ** min(self._away, 10))
        return random.uniform(0.5, 1.0) * (REFUSED_REST if isinstance(away, LoginRefused) else longest)

    def _count(self, mail: Mail, outcome: str) -> None:
        self._counted.add(1, {names.MAIL: mail.kind, names.OUTCOME: outcome})
