"""Looks whether a connection's people are to hear of its state: refused logins, trouble, refusals once a day.

Every pod looks. What is said has an id that derives from it, so that it is said once all the same.
"""

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pymongo.errors import PyMongoError

from leadbus.connector.connection import Connection, HealthState
from leadbus.connector.mailing.mail import Mail, mails, shown
from leadbus.connector.mailing.spool import Spool
from leadbus.connector.mailing.told import Told
from leadbus.connector.stores.connections import Connections

log = logging.getLogger(__name__)

LOOKS_EVERY_SECONDS = 5.0
LISTS_EVERY_SECONDS = 60.0
BEGINS_AFTER = timedelta(minutes=10)
"""What is over sooner was a blip, which nobody needs to hear of."""
OVER_AFTER = timedelta(minutes=2)
"""Of being well, so that nobody is told too early."""
LISTED_FROM = 7
"""The hour from which on refusals are listed, where the connection's people are."""

Listing = Callable[[Connection, date], Awaitable[Sequence[Mail]]]
"""A day's mails about what a connection's CRM did not accept; none if it accepts all."""


class Watch:
    """See the module."""

    def __init__(self, connections: Connections, spool: Spool, told: Told, listing: Listing) -> None:
        self._connections = connections
        self._spool = spool
        self._told = told
        self._listing = listing
        self._list_again = 0.0

    async def turn(self) -> float:
        """Looks once; seconds until the next time."""
        await self.look_after_health(datetime.now(UTC))
        if time.monotonic() >= self._list_again:
            await self.list_refusals(datetime.now(UTC))
            self._list_again = time.monotonic() + LISTS_EVERY_SECONDS
        return LOOKS_EVERY_SECONDS

    async def look_after_health(self, now: datetime) -> None:
        """Says what began, and what is over."""
        for connection in await self._connections.unwell():
            health = connection.health
            if health.state is HealthState.REFUSED:
                await self._say(connection, "login_refused")
            elif now - health.since >= BEGINS_AFTER:
                await self._say(connection, "trouble")
                await self._told.trouble(connection.id, begins=True)
        for connection_id in await self._told.in_trouble():
            await self._look_whether_over(await self._connections.get(connection_id), connection_id, now)

    async def _look_whether_over(
        self, connection: Connection | None, connection_id: str, now: datetime
    ) -> None:
        if connection is not None and connection.on:
            health = connection.health
            if health.state is HealthState.TROUBLE:
                return
            if health.state is HealthState.WELL:
                if now - health.since < OVER_AFTER:
                    return
                await self._say(connection, "trouble_over")
        await self._told.trouble(connection_id, begins=False)

    async def list_refusals(self, now: datetime) -> None:
        """Once a day and connection; a new connection's people hear from the next morning on."""
        zones = await self._connections.zones_of_notified()
        listed = await self._told.days(zones)
        for connection_id, zone in zones.items():
            local = now.astimezone(ZoneInfo(zone))
            day = local.date() if local.hour >= LISTED_FROM else local.date() - timedelta(days=1)
            before = listed.get(connection_id)
            if before is not None and before >= day:
                continue
            connection = await self._connections.get(connection_id) if before else None
            if connection is None or connection.unreadable or await self._is_listed(connection, day):
                await self._told.day(connection_id, day)

    async def _is_listed(self, connection: Connection, day: date) -> bool:
        """What is wrong with one connection's list is no other's loss; it is tried again."""
        try:
            await self._spool.put(await self._listing(connection, day))
        except PyMongoError:
            raise
        except Exception as error:  # without its text, which may hold what was being said
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s at the refusals of %s:\n%s", type(error).__name__, connection.id, where)  # noqa: TRY400
            return False
        return True

    async def _say(self, connection: Connection, letter: str) -> None:
        health = connection.health
        facts = {"at": shown(health.since, connection), "reason": health.reason}
        said = (connection.id, health.since.isoformat())
        await self._spool.put(mails(connection, connection.settings.notify, letter, facts, *said))
