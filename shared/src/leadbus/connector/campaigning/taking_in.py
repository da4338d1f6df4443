"""Takes campaigns in: the newest facts of each are kept for its tenant. Writes MongoDB alone."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.campaigning.campaign import Campaign
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.connections import Connections
from leadbus.consuming.records import Effects, Handler, Received
from leadbus.messages import CampaignChanged, CampaignFacts


class CampaignHandler:
    """A connector's handler, with campaigns taken in beside what `inner` does.

    They are kept whatever a connection's settings say now: those may change, and another connection be made.
    """

    def __init__(self, inner: Handler, connections: Connections, campaigns: Campaigns) -> None:
        self._inner = inner
        self._connections = connections
        self._campaigns = campaigns

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """See `Handler`."""
        told = [campaign for received in batch if (campaign := _campaign(received)) is not None]
        if not told:
            return await self._inner.handle(batch)
        effects = await self._inner.handle([r for r in batch if not isinstance(r.message, CampaignChanged)])
        newest: dict[tuple[str, str], Campaign] = {}
        for campaign in told:
            name = (campaign.tenant_id, campaign.campaign_id)
            newest[name] = max(newest.get(name, campaign), campaign, key=lambda one: one.rank)
        connections = defaultdict(list)
        for connection in await self._connections.of_tenants({campaign.tenant_id for campaign in told}):
            connections[connection.settings.tenant_id].append(connection)
        write = effects.write

        async def both(session: AsyncClientSession) -> None:
            await write(session)
            news = await self._campaigns.keep(list(newest.values()), session)
            await self._campaigns.mark_due(
                [
                    (connection, campaign.campaign_id)
                    for campaign in news
                    for connection in connections[campaign.tenant_id]
                ],
                session,
            )

        return Effects(both, effects.publish)


def _campaign(received: Received) -> Campaign | None:
    message = received.message
    if not isinstance(message, CampaignChanged):
        return None
    facts = CampaignFacts.model_validate(message.model_dump(include=set(CampaignFacts.model_fields)))
    return Campaign(
        tenant_id=message.tenant_id,
        campaign_id=message.campaign_id,
        facts=facts,
        at=message.occurred_at,
        event_id=message.event_id,
        traceparent=received.traceparent,
    )
