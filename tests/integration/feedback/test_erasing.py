"""A person is erased in the middle of a batch, late facts come after, and everything comes once more."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from feedback.handlers import FeedbackHandler
from feedback.holdings import holdings
from feedback.store import MongoDistributions
from leadbus.consuming.records import Handler, Received
from leadbus.erasing.erasing import Erasing
from leadbus.ids import prospect_id
from leadbus.messages import ProspectErased, ProspectMessage
from leadbus.telemetry import Telemetry
from leadbus.topics import PROSPECTS_FORGOTTEN

if TYPE_CHECKING:
    from conftest import House

EMAIL = "ada@example.com"
SOON = 1_900_000_000_000


class Desk:
    """Feedback's handler as the service has it; batches are applied by hand."""

    def __init__(self, house: "House") -> None:
        self.house = house
        database = house.client[house.database]
        self.distributions = database["feedback.distributions"]
        inner = FeedbackHandler(MongoDistributions(database), Telemetry("feedback", {}))
        self.handler: Handler = Erasing(f"test-{uuid4().hex}", database, holdings).handler(inner)

    async def feed(self, *said: tuple[float, ProspectMessage]) -> list[str]:
        """What has been said when (broker time, ms after SOON); who was confirmed to be forgotten."""
        batch = [Received("any", 0, n, SOON + int(at), message) for n, (at, message) in enumerate(said)]
        effects = await self.handler.handle(batch)
        async with self.house.client.start_session() as session:
            await session.with_transaction(effects.write)
        topic = PROSPECTS_FORGOTTEN
        found = [r for r in effects.publish if r.topic == topic.name]
        return [topic.message.model_validate_json(r.value).prospect_id for r in found]  # type: ignore[attr-defined]

    async def known(self, tenant: str) -> list[str]:
        return sorted(
            [row["distribution_id"] async for row in self.distributions.find({"tenant_id": tenant})]
        )


def erased(house: "House", tenant: str, **facts: Any) -> ProspectMessage:
    return house.said(ProspectErased, tenant, EMAIL, **{"erasure_id": "e", **facts})


async def test_what_was_said_before_an_erasure_is_gone_and_stays_away_in_whatever_order_it_comes(
    house: "House", tenant: str
) -> None:
    desk, person = Desk(house), prospect_id(tenant, email=EMAIL)
    one = lambda name, email=EMAIL: house.lead(tenant, name, email=email)  # noqa: E731
    gone = erased(house, tenant)
    await desk.feed((1, one("old")), (1, one("another's", "bob@example.com")))
    batch = [(4, one("newer, before")), (3, gone), (2, one("older, after")), (5, one("newer, after"))]
    assert await desk.feed(*batch) == [person]
    assert await desk.known(tenant) == ["another's", "newer, after", "newer, before"]
    assert await desk.feed((1, one("late")), (3, one("as late")), (6, one("new"))) == []
    assert await desk.known(tenant) == ["another's", "new", "newer, after", "newer, before"]


async def test_an_erasure_that_comes_again_is_confirmed_again_and_erases_nothing_newer(
    house: "House", tenant: str
) -> None:
    desk, person = Desk(house), prospect_id(tenant, email=EMAIL)
    gone = erased(house, tenant)
    await desk.feed((3, gone))
    await desk.feed((5, house.lead(tenant, "new")))
    assert await desk.feed((3, gone)) == [person]
    assert await desk.known(tenant) == ["new"]
    assert await desk.feed((6, erased(house, tenant)), (7, erased(house, tenant))) == [person, person]
    assert await desk.known(tenant) == []


async def test_a_distribution_that_goes_on_after_the_erasure_begins_anew(house: "House", tenant: str) -> None:
    desk = Desk(house)
    await desk.feed((1, house.lead(tenant)))
    await desk.feed((2, erased(house, tenant)), (3, house.answer(tenant, "accepted", 1)))
    found = await desk.distributions.find_one({"tenant_id": tenant})
    assert found is not None
    assert found["brought"] is None
    assert EMAIL not in str(found)
