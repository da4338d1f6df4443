"""What each CRM organisation was called for, in `<service>.credits`: one document with the hours of a day."""

from leadbus.connector.credits import CreditLedger
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client

_CODEC = Codec(CreditLedger, maps=("hours",))


class Credits:
    """Written by the one worker that holds the organisation's lease."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.credits"]

    async def of(self, organisation_id: str) -> CreditLedger:
        """As last saved; an empty one if nothing was spent yet."""
        row = await self._collection.find_one({"_id": organisation_id})
        return _CODEC.decode(row) if row else CreditLedger()

    async def save(self, organisation_id: str, ledger: CreditLedger) -> None:
        """In place of what was saved before."""
        await self._collection.replace_one({"_id": organisation_id}, _CODEC.encode(ledger), upsert=True)
