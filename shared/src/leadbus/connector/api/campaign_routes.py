"""A connector's HTTP API: what each connection has made of its tenant's campaigns."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request

from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.unopened import unopened
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.pulling.shop import PullShop
from leadbus.security.api_keys import Scope


def campaign_routes(
    *,
    ownership: Ownership,
    shop: PullShop,
    adapter_for: Callable[[Connection], Awaitable[Adapter]],
) -> APIRouter:
    """The routes, every one bound to the caller's tenant; a part of `reading_routes`."""
    routes = APIRouter()

    @routes.get("/connections/{connection_id}/campaigns")
    async def campaigns(request: Request, connection_id: str) -> dict[str, Any]:
        """Campaigns that are set to sync, or have been: where they stand in the CRM, and who is in them.

        level: what the CRM is told of them. members: how many people were put in. refused: why the CRM does
        not take it, or that somebody has deleted it there.
        """
        connection = await ownership.connection(request, connection_id, Scope.READ)
        links = await shop.campaigns.links(connection.id)
        known = await shop.campaigns.of_tenant(connection.settings.tenant_id)
        members = await shop.deliveries.in_campaigns(connection.id)
        shown = []
        async with unopened(connection, adapter_for) as adapter:
            for name, campaign in sorted(known.items(), key=lambda item: (item[1].facts.name, item[0])):
                link = links.get(name)
                record = link.there.record if link and link.there else None
                if record is None and not campaign.facts.sync:
                    continue
                shown.append(
                    {
                        "campaign_id": name,
                        "name": campaign.facts.name,
                        "sync": campaign.facts.sync,
                        "record": record.model_dump() if record else None,
                        "url": adapter.url_of(record) if adapter and record else None,
                        "level": link.level if link else "none",
                        "members": members.get(name, 0),
                        "refused": link.refused.reason if link and link.refused else None,
                        "field": link.refused.field if link and link.refused else None,
                    }
                )
        return {
            "connection_id": connection.id,
            "level": connection.settings.campaigns,
            "campaigns": shown,
        }

    return routes
