"""A day's list of what was not accepted, as the error report has it, for people who work in the CRM."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.api.reporting import ErrorRow, grouped
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.mailing.mail import Mail, mails, shown
from leadbus.connector.stores.deliveries import Deliveries

MOST_LISTED = 30
HEADINGS = {
    "to_crm": "Your CRM does not accept these",
    "from_crm": "These cannot be read from your CRM",
}


class Refusals:
    """See the module. adapter_for: for links into the CRM; nothing is called."""

    def __init__(
        self,
        report: ErrorReport,
        deliveries: Deliveries,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
    ) -> None:
        self._report = report
        self._deliveries = deliveries
        self._adapter_for = adapter_for

    async def of_day(self, connection: Connection, day: date) -> list[Mail]:
        """To those who hear of the connection's state; none if there is nothing to list."""
        adapter = await self._adapter_for(connection)
        try:
            rows = grouped(await self._report.rows(connection, adapter))
        finally:
            await adapter.close()
        if not rows:
            return []
        listed = rows[:MOST_LISTED]
        groups = [
            [heading, [await self._shown(connection, row) for row in listed if row.direction == direction]]
            for direction, heading in HEADINGS.items()
        ]
        facts = {"count": len(rows), "more": len(rows) - len(listed), "groups": groups}
        said = (connection.id, day.isoformat())
        return mails(connection, connection.settings.notify, "refusals", facts, *said)

    async def _shown(self, connection: Connection, row: ErrorRow) -> dict[str, Any]:
        return {
            "what": row.object.capitalize(),
            "who": await self._who(connection, row),
            "at": shown(row.since, connection),
            "reason": row.reason,
            "field": row.field or "",
            "advice": row.advice,
            "url": row.url or "",
            "waiting": len(row.dependents),
        }

    async def _who(self, connection: Connection, row: ErrorRow) -> str:
        """Whom a delivery is about: one that the CRM refuses may have no record there to look at."""
        if row.direction != "to_crm" or row.prospect_id is None:
            return ""
        found = await self._deliveries.of_prospect(connection.settings.tenant_id, row.prospect_id)
        return next((d.email or "" for d in found if d.connection_id == connection.id), "")
