"""The verbs that write: people and companies are upserted, by email and by name.

Plain inserts are not safe to repeat after a lost answer, and these are; activities, which have nothing that
they are known by, are inserted, and looked for by the kit before they are inserted again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from connector_zoho import values
from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.metadata import Metadata
from connector_zoho.sending import Sent, created, send
from connector_zoho.settings import ZohoConnection
from connector_zoho.settling import answered
from connector_zoho.translation import ACCOUNTS, ACTIVITIES
from connector_zoho.upserting import Upserting
from connector_zoho.values import Shapes
from leadbus.connector.contract import Created, NewAccount, NewActivity, NewPerson, Outcome, PersonChange
from leadbus.errors import LeadbusError


class Writing:
    """Writes for one connection."""

    def __init__(self, client: ZohoClient, connection: ZohoConnection, metadata: Metadata) -> None:
        self._client = client
        self._score_field = connection.score_field
        self._zone = ZoneInfo(connection.time_zone)
        self._metadata = metadata

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """The records' ids: of new ones, or of those that had the email already.

        Raises:
            LeadbusError: nothing could be settled.
        """
        modules = [CAPABILITIES.module_of(new.kind) for new in people]
        shapes = await self._shapes(modules)
        unique = {module: await self._metadata.unique(module) for module in shapes}
        rows = [
            Sent(module, values.new_person(new, self._score_field, shapes[module]), (new.traceparent,))
            for module, new in zip(modules, people, strict=True)
        ]
        return await Upserting(self._client, values.EMAIL, unique).run(rows)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """The accounts' ids: of new ones, or of those that had the name already. Raises as `create`."""
        rows = [Sent(ACCOUNTS, values.new_account(new), (new.traceparent,)) for new in accounts]
        return await Upserting(self._client, values.ACCOUNT_NAME, {}).run(rows)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """None for each row that was written, Gone where there is none (any more). Raises as `create`."""
        shapes = await self._shapes([change.record.module for change in changes])
        rows = [
            Sent(
                change.record.module,
                values.person_change(change, self._score_field, shapes[change.record.module]),
                (change.traceparent,),
            )
            for change in changes
        ]
        outcomes = await self._send("PUT", rows)
        return [outcome if isinstance(outcome, LeadbusError) else None for outcome in outcomes]

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """The activities' ids; Gone where what they hang on is. Raises as `create`."""
        now = datetime.now(UTC)
        rows = [
            Sent(ACTIVITIES[new.type], values.new_activity(new, self._zone, now), (new.traceparent,))
            for new in activities
        ]
        return await self._send("POST", rows)

    async def _send(self, method: str, rows: Sequence[Sent]) -> list[Created]:
        results = answered(await send(self._client, method, rows))
        return [created(result, row.module) for result, row in zip(results, rows, strict=True)]

    async def _shapes(self, modules: Sequence[str]) -> dict[str, Shapes]:
        return {module: await self._metadata.shapes(module) for module in sorted(set(modules))}
