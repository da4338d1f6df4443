"""Tells a CRM of its tenant's campaigns, for one connection, and wakes whoever waited for one to be there."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from leadbus.connector.campaigning.campaign import (
    DELETED,
    WITHOUT_LIST,
    Campaign,
    CampaignLink,
    as_sent,
)
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, CampaignThere, WrittenCampaign
from leadbus.connector.delivering.parts import Parked
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.errors import Conflict, Gone, Rejected, Unsupported

BATCH = 50
LOOK_EVERY_SECONDS = 5.0
"""What is due rings a bell; this finds what a lost one was for, and who began to wait meanwhile."""
LONGEST_DELAY = timedelta(minutes=15)


class Campaigning:
    """For as long as the connection's settings stay what they are; its level is not `none`.

    one_at_a_time: of the organisation, so that no two connections make one campaign each where it is found
    by its name.
    """

    def __init__(
        self,
        connection: Connection,
        adapter: Adapter,
        campaigns: Campaigns,
        deliveries: Deliveries,
        one_at_a_time: asyncio.Lock,
    ) -> None:
        self._connection = connection
        self._level = connection.settings.campaigns
        self._adapter = adapter
        self._campaigns = campaigns
        self._deliveries = deliveries
        self._one_at_a_time = one_at_a_time
        self._bell = asyncio.Event()
        self._begun = False

    def ring(self) -> None:
        """Something is due."""
        self._bell.set()

    async def rest(self, seconds: float) -> None:
        """Until the next turn, or until something is due."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), seconds)
        self._bell.clear()

    async def turn(self) -> float:
        """Tells what is due; seconds until the next turn.

        Raises:
            LeadbusError: the CRM failed; all of it is due again.
        """
        if not self._begun:
            await self._begin()
            self._begun = True
        due = await self._campaigns.due(self._connection.id, datetime.now(UTC), BATCH)
        if due:
            await self._tell(due)
        await self._wake_waiting()
        if len(due) == BATCH:
            return 0.0
        return 1.0 if any(link.due for link in due) else LOOK_EVERY_SECONDS

    async def _begin(self) -> None:
        """A new connection, or another level: campaigns of before are told too."""
        tenant = self._connection.settings.tenant_id
        links = await self._campaigns.links(self._connection.id)
        untold = [
            name
            for name, campaign in (await self._campaigns.of_tenant(tenant)).items()
            if campaign.facts.sync and not _is_known(links.get(name), campaign, self._level)
        ]
        await self._campaigns.mark_due([(self._connection, name) for name in untold])

    async def _tell(self, due: Sequence[CampaignLink]) -> None:
        settings = self._connection.settings
        known = await self._campaigns.of_tenant(settings.tenant_id, [link.campaign_id for link in due])
        asked: list[tuple[CampaignLink, Campaign]] = []
        for link in due:
            campaign = known.get(link.campaign_id)
            if campaign is not None and campaign.facts.sync:
                link.begun = None if link.there else campaign.facts.name
                asked.append((link, campaign))
            else:  # what was made before is left as it is
                link.is_left()
        await self._campaigns.settle(due)
        if not asked:
            return
        rows = [as_sent(campaign, link, self._level, settings.team_scope) for link, campaign in asked]
        async with self._one_at_a_time:
            outcomes = await self._adapter.write_campaigns(rows)
        for (link, campaign), outcome in zip(asked, outcomes, strict=True):
            self._settle(link, campaign, outcome)
        await self._campaigns.settle([link for link, _ in asked])

    def _settle(self, link: CampaignLink, campaign: Campaign, outcome: WrittenCampaign) -> None:
        if isinstance(outcome, CampaignThere) and link.there and link.there.lists and not outcome.lists:
            link.is_refused(campaign, self._level, _refusal(link, WITHOUT_LIST), gone=True)
        elif isinstance(outcome, CampaignThere):
            link.there = outcome
            link.is_told(campaign, self._level)
        elif isinstance(outcome, Gone):
            link.is_refused(campaign, self._level, _refusal(link, DELETED), gone=True)
        elif isinstance(outcome, Rejected | Unsupported | Conflict):
            refused = _refusal(link, str(outcome), getattr(outcome, "field", None))
            link.is_refused(campaign, self._level, refused)
        else:
            link.attempts += 1
            seconds = min(LONGEST_DELAY.total_seconds(), 2.0 ** min(link.attempts - 1, 12))
            link.next_try = datetime.now(UTC) + timedelta(seconds=seconds * random.uniform(0.5, 1.0))

    async def _wake_waiting(self) -> None:
        """Whoever came second, the campaign or the person, this finds both."""
        waited_for = await self._deliveries.waited_for(self._connection.id)
        if not waited_for:
            return
        links = await self._campaigns.links(self._connection.id, waited_for)
        there = [name for name, link in links.items() if link.there is not None]
        if there:
            await self._deliveries.wake_waiting(self._connection.id, there, datetime.now(UTC))


def _refusal(link: CampaignLink, reason: str, field: str | None = None) -> Parked:
    since = link.refused.since if link.refused and link.refused.reason == reason else datetime.now(UTC)
    record = link.there.record.id if link.there else None
    return Parked(reason, since, field=field, object="campaign", record=record)


def _is_known(link: CampaignLink | None, campaign: Campaign, level: str) -> bool:
    return link is not None and (link.event_id, link.level) == (campaign.event_id, level)
