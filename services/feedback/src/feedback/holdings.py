"""What feedback holds of a person."""

from pymongo.asynchronous.client_session import AsyncClientSession

from feedback.store import DISTRIBUTIONS
from leadbus.erasing.holdings import Holding, Person


async def holdings(person: Person, session: AsyncClientSession | None = None) -> list[Holding]:
    """Distributions. Once they are erased, their suppliers find them no more."""
    return [Holding(DISTRIBUTIONS, person._asdict())]
