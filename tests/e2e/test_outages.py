"""What takes long and needs servers of its own: told aside, so that here only the ends are awaited."""

import pytest
from rig.aside import LONGEST, Aside
from rig.stories import killed_before_publishing, servers_gone

pytestmark = pytest.mark.timeout(LONGEST + 20)


async def test_scoring_killed_between_the_transaction_and_the_publishing_publishes_when_it_is_back(
    aside: Aside,
) -> None:
    await aside.told(killed_before_publishing)


async def test_half_a_minute_without_kafka_and_mongodb_costs_nothing_but_time_and_services_stop_when_told_to(
    aside: Aside,
) -> None:
    await aside.told(servers_gone)
