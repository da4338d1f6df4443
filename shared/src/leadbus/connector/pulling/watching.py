"""Has a CRM push its changes to us, for as long as the connection works, and looks after what it missed.

A CRM agrees for some days at most. Pushes are hints only: whatever comes of them, schedules find all changes.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Watch
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.watches import Watched
from leadbus.connector.taking.table import TAKERS
from leadbus.errors import AddressRefused, AuthRefused, Fenced, LeadbusError, RateLimited

log = logging.getLogger(__name__)

RENEW_EVERY = timedelta(hours=24)
TRY_AGAIN = timedelta(seconds=30)
OF_ALL_CALLS = (RateLimited, AddressRefused, AuthRefused, Fenced)
"""Errors that the next call would meet as well."""
_AT_ONCE = datetime.min.replace(tzinfo=UTC)
_WARNING = "The CRM does not push changes to Leadbus, so that they come as scheduled only: {why}"


class Watching:
    """For as long as the connection's settings stay what they are: each beginning asks the CRM anew."""

    def __init__(self, connection: Connection, adapter: Adapter, shop: PullShop) -> None:
        self._connection = connection
        self._adapter = adapter
        self._shop = shop
        self._url = connection.settings.push_to if adapter.capabilities.watches else None
        self._next = _AT_ONCE

    async def turn(self) -> None:
        """Asks the CRM if it is time to; what it may not have pushed is then asked for.

        Raises:
            LeadbusError: other calls would fail as well; what fails here alone is kept as a warning.
        """
        now = datetime.now(UTC)
        if self._url is None or now < self._next:
            return
        self._next = now + TRY_AGAIN
        known = await self._shop.watches.of(self._connection.id)
        try:
            watch = await self._adapter.watch(self._url)
        except OF_ALL_CALLS:
            raise
        except LeadbusError as error:
            log.warning("Connection %s is not pushed to: %s", self._connection.id, error)
            await self._shop.watches.save(replace(known, warning=_WARNING.format(why=error)))
            return
        if self._missed_some(known, watch, now):
            schedules = self._connection.settings.schedules
            # Lists have no changes to catch up with: they are walked to their end, and no CRM pushes them.
            kinds = [kind for kind in TAKERS if schedules.of(kind) and kind != "list"]
            await self._shop.asked.kinds(self._connection.id, kinds, full=False)
        await self._shop.watches.save(
            Watched(self._connection.id, self._connection.revision, until=watch.until)
        )
        await self._shop.watches.expect(self._connection.id, now)
        life = watch.until - now
        self._next = now + max(TRY_AGAIN, min(RENEW_EVERY, life / 2))

    def _missed_some(self, known: Watched, watch: Watch, now: datetime) -> bool:
        """A connection that was changed since may have been off, and what it asked for may have changed."""
        ran_out = known.until is None or known.until <= now
        return watch.gap or ran_out or known.revision != self._connection.revision
