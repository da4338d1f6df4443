"""Finds the lists of the CRM that lists here are pushed to, and wakes whoever waits to be put on them.

Lists are made and named by people in the CRM: one that is missing is said, and looked for again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from leadbus.connector.campaigning.campaign import CampaignLink, ListThere
from leadbus.connector.campaigning.finding import advice_of, lists_meant, open_lists, why_not
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, CampaignThere
from leadbus.connector.delivering.parts import Parked, list_of, of_list
from leadbus.connector.settings.lists import MOST_LISTS, pushes
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.deliveries import Deliveries

LOOK_AGAIN = timedelta(minutes=5)
"""For a list that is missing, or closed; people also ask for it by *send again*."""


class ListLinks:
    """For as long as the connection's settings stay what they are."""

    def __init__(
        self, connection: Connection, adapter: Adapter, campaigns: Campaigns, deliveries: Deliveries
    ) -> None:
        self._connection = connection
        self._adapter = adapter
        self._campaigns = campaigns
        self._deliveries = deliveries
        self._rules = pushes(connection.settings.lists)

    async def begin(self) -> None:
        """Settings may name other lists than before: those are forgotten, and all others looked for anew."""
        known = await self._campaigns.links_of_lists(self._connection.id)
        left = [link for name, link in known.items() if (list_of(name) or "") not in self._rules]
        for link in left:
            link.there = None
            link.is_left()
        await self._campaigns.settle(left)
        await self._campaigns.mark_due([(self._connection, of_list(name)) for name in self._rules])

    async def turn(self) -> bool:
        """Looks for lists that are to be found, and makes those due who wait for one that is there.

        True = some were looked for: who has found them missing a moment ago begins to wait now.

        Raises:
            LeadbusError: the CRM failed; what is to be found is looked for again.
        """
        if not self._rules:
            return False
        name, now = self._connection.id, datetime.now(UTC)
        if due := await self._campaigns.due(name, now, MOST_LISTS, lists=True):
            await self._find(due, now)
        links = await self._campaigns.links(name, [of_list(list_id) for list_id in self._rules])
        there = {
            list_id: rule
            for list_id, rule in self._rules.items()
            if (link := links.get(of_list(list_id))) is not None and link.there is not None
        }
        if there:
            await self._deliveries.wake_listed(name, there, now)
        return bool(due)

    async def _find(self, due: Sequence[CampaignLink], now: datetime) -> None:
        rules = {link.campaign_id: self._rules.get(list_of(link.campaign_id) or "") for link in due}
        found = await lists_meant(self._adapter, [rule for rule in rules.values() if rule is not None])
        for link in due:
            rule = rules[link.campaign_id]
            fitting = open_lists(rule, found) if rule is not None else []
            first = fitting[0].record if fitting else None
            link.there = CampaignThere(first, (first,)) if first else None
            if fitting:
                earlier = {one.record for one in link.choices}
                link.choices = tuple(ListThere(row.record, row.holds) for row in fitting)
                if earlier - {one.record for one in link.choices}:
                    await self._deliveries.rejoin(self._connection.id, link.campaign_id)
            before = link.refused
            link.is_left()
            if rule is not None and not fitting:
                reason = f"{why_not(rule, found)} {advice_of(rule, self._adapter.capabilities)}"
                since = before.since if before and before.reason == reason else now
                link.refused = Parked(reason, since, field="lists", object="list")
                link.due, link.next_try = True, now + LOOK_AGAIN
        await self._campaigns.settle(due)
