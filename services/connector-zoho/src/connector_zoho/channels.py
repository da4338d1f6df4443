"""Notifications: one channel per connection, and what is pushed over it.

By Zoho's documentation: a channel lives a week at most (an hour if no time is given), its token of at most 50
characters comes back with every push, and pushes are not signed; that a channel which has run out answers
NOT_SUBSCRIBED is reported by users.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector_zoho.client import ZohoClient
from connector_zoho.faults import UNREADABLE, NotSubscribed, of_row
from connector_zoho.metadata import Metadata
from connector_zoho.settings import ZohoConnection
from connector_zoho.translation import (
    ACCOUNTS,
    CALLS,
    CONTACTS,
    DEALS,
    EVENTS,
    KINDS,
    LEADS,
    NOTES,
    TASKS,
    moment,
    text,
)
from connector_zoho.values import iso
from connector_zoho.wire import outcomes
from leadbus.connector.contract import Watch
from leadbus.errors import Unsupported
from leadbus.messages import Record

WATCHED = (LEADS, CONTACTS, ACCOUNTS, DEALS, TASKS, CALLS, EVENTS, NOTES)
# A little less than the week that is allowed: clocks differ, and a time too late falls back to an hour.
_LIFE = timedelta(days=7) - timedelta(minutes=10)
_MOST = 1_000
_ID = re.compile(r"[0-9]{1,30}")


class Channels:
    """Of one connection. Number and token derive from it, so that every pod knows them."""

    def __init__(self, client: ZohoClient, connection: ZohoConnection) -> None:
        self._client = client
        self._metadata = Metadata(client)
        name = connection.connection_id.encode()
        secret = connection.access.client_secret.get_secret_value().encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:8]) >> 1
        self.channel_id = str(number or 1)
        self.token = hmac.new(secret, name, hashlib.sha256).hexdigest()[:50]

    async def watch(self, url: str) -> Watch:
        """See `Adapter`. The channel is replaced; one that is not there any more is begun anew.

        With a module that is not for our user the whole channel would be refused.
        """
        rights = await self._metadata.rights()
        events = [f"{module}.all" for module in WATCHED if "read" in rights.get(module, ())]
        if not events:
            raise Unsupported("The CRM lets its user read nothing that it could push.")
        try:
            return Watch(await self._asked("PUT", url, events), gap=False)
        except NotSubscribed:
            return Watch(await self._asked("POST", url, events), gap=True)

    async def _asked(self, method: str, url: str, events: Sequence[str]) -> datetime:
        """Until when pushes come, as Zoho says. Raises NotSubscribed where there is nothing to replace."""
        channel = {
            "channel_id": self.channel_id,
            "events": list(events),
            "channel_expiry": iso(datetime.now(UTC) + _LIFE),
            "token": self.token,
            "notify_url": url,
            "notify_on_related_action": False,
        }
        operation = f"{method} watch"
        answer = await self._client.call(operation, method, "/actions/watch", body={"watch": [channel]})
        rows = outcomes(answer, "watch")
        for row in rows:
            if row.get("status") != "success":
                raise of_row(row)
        expiries = [moment(text(event.get("channel_expiry"))) for row in rows for event in _events(row)]
        known = [expiry for expiry in expiries if expiry is not None]
        if not known:
            raise UNREADABLE.error(writing=False)
        return min(known)

    def interpret(self, body: bytes) -> list[Record]:
        """The records of one push; none of what does not come from our channel."""
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return []
        if not isinstance(told, dict) or not self._is_ours(told):
            return []
        module, ids = told.get("module"), told.get("ids")
        if not isinstance(module, str) or module not in KINDS or not isinstance(ids, list):
            return []
        found = dict.fromkeys(str(key) for key in ids[:_MOST])
        return [Record(module=module, id=key) for key in found if _ID.fullmatch(key)]

    def _is_ours(self, told: dict[str, Any]) -> bool:
        number, token = (str(told.get(name)).encode(errors="replace") for name in ("channel_id", "token"))
        same = hmac.compare_digest(number, self.channel_id.encode())
        return hmac.compare_digest(token, self.token.encode()) and same


def _events(row: dict[str, Any]) -> list[dict[str, Any]]:
    details = row.get("details")
    found = details.get("events") if isinstance(details, dict) else None
    return [event for event in found if isinstance(event, dict)] if isinstance(found, list) else []
