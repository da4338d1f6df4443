"""From where a tenant may be called for: its authorised addresses. None = from everywhere."""

from typing import Protocol

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from leadbus.security.networks import Network, network_of
from leadbus.storage.mongo import Document

MOST_ADDRESSES = 200


class AuthorisedAddressStore(Protocol):
    """Where they are kept; written by ingest only, read by every service."""

    async def of_tenant(self, tenant_id: str) -> list[str]: ...
    async def replace(self, tenant_id: str, before: list[str], after: list[str]) -> bool: ...


class MongoAuthorisedAddresses:
    """The collection `authorised_addresses`: one document per tenant that has, or had, a limit."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._tenants = database["authorised_addresses"]

    async def of_tenant(self, tenant_id: str) -> list[str]:
        """Addresses and networks as they were written, in the order in which they were authorised."""
        row = await self._tenants.find_one({"_id": tenant_id})
        return list(row["addresses"]) if row else []

    async def networks_of(self, tenant_id: str) -> tuple[Network, ...]:
        """The same, ready to be compared with."""
        return tuple(network_of(text) for text in await self.of_tenant(tenant_id))

    async def replace(self, tenant_id: str, before: list[str], after: list[str]) -> bool:
        """False if they are not `before` any more: somebody else has changed them."""
        try:
            done = await self._tenants.update_one(
                {"_id": tenant_id, "addresses": before}, {"$set": {"addresses": after}}, upsert=not before
            )
        except DuplicateKeyError:
            return False
        return done.matched_count == 1 or done.upserted_id is not None
