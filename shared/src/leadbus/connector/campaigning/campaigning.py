"""Tells a CRM of its tenant's campaigns, for one connection, and wakes whoever waited for one to be there."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from leadbus.connector.campaigning.campaign import (
    DELETED,
    SAME_NAME,
    WITHOUT_LIST,
    Campaign,
    CampaignLink,
    as_sent,
    name_key,
)
from leadbus.connector.campaigning.lists import ListLinks
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
    """For as long as the connection's settings stay what they are; at the level `none`, for lists alone.

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
        self._lists = ListLinks(connection, adapter, campaigns, deliveries)
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
            await self._lists.begin()
            if self._level != "none":
                await self._begin()
            self._begun = True
        is_soon = await self._lists.turn()
        if self._level == "none":
            return 1.0 if is_soon else LOOK_EVERY_SECONDS
        due = await self._campaigns.due(self._connection.id, datetime.now(UTC), BATCH)
        if due:
            await self._tell(due)
        await self._wake_waiting()
        if len(due) == BATCH:
            return 0.0
        return 1.0 if is_soon or any(link.due for link in due) else LOOK_EVERY_SECONDS

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
        async with self._one_at_a_time:
            apart = await self._apart(asked)
            rows = [as_sent(campaign, link, self._level, settings.team_scope) for link, campaign in apart]
            outcomes = await self._adapter.write_campaigns(rows) if rows else []
            for (link, campaign), outcome in zip(apart, outcomes, strict=True):
                self._settle(link, campaign, outcome)
            await self._campaigns.settle([link for link, _ in asked])

    async def _apart(
        self, asked: Sequence[tuple[CampaignLink, Campaign]]
    ) -> list[tuple[CampaignLink, Campaign]]:
        """But for those that a CRM which knows campaigns by name would take for another of ours."""
        if self._adapter.capabilities.own_ids:
            return list(asked)
        names = {name_key(campaign.facts.name) for link, campaign in asked if not link.there}
        known = await self._campaigns.known_by(self._connection.organisation_id, names)
        apart: list[tuple[CampaignLink, Campaign]] = []
        for link, campaign in asked:
            whose = (campaign.tenant_id, campaign.campaign_id)
            if link.there or known.setdefault(name_key(campaign.facts.name), whose) == whose:
                apart.append((link, campaign))
            else:
                link.is_refused(campaign, self._level, _refusal(link, SAME_NAME))
        return apart

    def _settle(self, link: CampaignLink, campaign: Campaign, outcome: WrittenCampaign) -> None:
        if isinstance(outcome, CampaignThere) and link.there and link.there.lists and not outcome.lists:
            link.is_refused(campaign, self._level, _refusal(link, WITHOUT_LIST), gone=True)
        elif isinstance(outcome, CampaignThere):
            link.there, link.known_by = outcome, name_key(campaign.facts.name)
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
