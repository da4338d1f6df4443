"""The error report of a connection, out of what is stored, and what is done about its rows."""

from collections.abc import Callable

from leadbus.connector.api.reporting import (
    ErrorRow,
    campaign_row_id,
    not_taken,
    parked,
    parked_id,
    pulled,
    pulled_id,
    refused_campaign,
    refused_list,
)
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import list_of
from leadbus.connector.pulling.shop import PullShop
from leadbus.messages import Record

MOST_ROWS = 10_000


class ErrorReport:
    """Pulled rows come from the mirror, refused deliveries from theirs; at most 10,000 of each."""

    def __init__(self, shop: PullShop) -> None:
        self._shop = shop

    async def rows(self, connection: Connection, adapter: Adapter | None) -> list[ErrorRow]:
        """Ungrouped. adapter: for links into the CRM; None = without them."""
        url_of = _url_of(adapter)
        mirrored = await self._shop.mirror.problems(connection.id, MOST_ROWS)
        found = [pulled(row, url_of) for row in mirrored]
        refused = await self._shop.deliveries.parked_of(connection.id, MOST_ROWS)
        records = await self._records_of(connection, refused)
        roots = await self._roots_of(connection, refused, adapter)
        for delivery in refused:
            root = roots.get((delivery.parked and delivery.parked.root) or "")
            record = records.get(delivery.prospect_id)
            found.append(parked(delivery, record, root, url_of))
            found += not_taken(delivery, record, url_of(record) if record else None)
        found += await self._campaigns(connection, url_of)
        return [row for row in found if row is not None]

    async def send_again(self, connection: Connection, ids: set[str] | None) -> int:
        """Parked ones become due, pulled ones are read at once, dependents too. ids: None = all. How many."""
        shop, name = self._shop, connection.id
        if ids is None:
            records = [row.record for row in await shop.mirror.problems(name, MOST_ROWS)]
            count = await shop.deliveries.resume(name) + await shop.campaigns.resume(name)
        else:
            known = await shop.mirror.problems(name, MOST_ROWS)
            records = [row.record for row in known if pulled_id(row.record) in ids]
            count = 0
            for delivery in await shop.deliveries.parked_of(name, MOST_ROWS):
                own = [parked_id(delivery.prospect_id, of) for of in ("", *delivery.memberships)]
                if not ids.isdisjoint(own):
                    count += await shop.deliveries.resume_one(name, delivery.prospect_id)
            for campaign_id in await shop.campaigns.refused(name):
                if campaign_row_id(campaign_id) in ids:
                    count += await shop.campaigns.resume(name, campaign_id)
            await shop.deliveries.resume_root(name, *(record.id for record in records))
        roots = [record.id for record in records]
        dependents = [record async for record in shop.mirror.dependents_of(name, roots)] if roots else []
        await shop.asked.records(name, [*records, *dependents])
        return count + len(records)

    async def _records_of(self, connection: Connection, refused: list[Delivery]) -> dict[str, Record]:
        prospects = [delivery.prospect_id for delivery in refused]
        links = await self._shop.links.of_prospects(
            connection.organisation_id, prospects, connection.settings.team_scope
        )
        return {prospect: link.record for prospect, link in links.items()}

    async def _campaigns(
        self, connection: Connection, url_of: Callable[[Record], str | None]
    ) -> list[ErrorRow | None]:
        links = await self._shop.campaigns.refused(connection.id)
        known = await self._shop.campaigns.of_tenant(connection.settings.tenant_id, links)
        return [refused_list(link) for name, link in links.items() if list_of(name) is not None] + [
            refused_campaign(link, known[name].facts.name, url_of(link.there.record) if link.there else None)
            for name, link in links.items()
            if name in known
        ]

    async def _roots_of(
        self, connection: Connection, refused: list[Delivery], adapter: Adapter | None
    ) -> dict[str, Record]:
        """Accounts, as far as the mirror or the CRM's own word for their table tell where they are."""
        ids = {d.parked.root for d in refused if d.parked is not None and d.parked.root}
        mirrored = await self._shop.mirror.get(connection.id, ids) if ids else {}
        module = adapter.capabilities.modules.get("account", ("",))[0] if adapter else ""
        guessed = {key: Record(module=module, id=key) for key in ids} if module else {}
        return guessed | {key: row.record for key, row in mirrored.items()}


def _url_of(adapter: Adapter | None) -> Callable[[Record], str | None]:
    return adapter.url_of if adapter is not None else lambda record: None
