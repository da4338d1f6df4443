"""All that a service needs so that persons can be erased from it and exported, put together."""

from fastapi import APIRouter
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.consuming.records import Handler
from leadbus.erasing.handler import ErasingHandler
from leadbus.erasing.holdings import Holdings
from leadbus.erasing.routes import export_routes
from leadbus.erasing.tombstones import Tombstones
from leadbus.security.callers import Authenticator
from leadbus.storage.mongo import Document


class Erasing:
    """Of a service that reads `prospects.erased` and whose handler keeps no state."""

    def __init__(self, service: str, database: AsyncDatabase[Document], holdings: Holdings) -> None:
        self._service = service
        self._database = database
        self._holdings = holdings
        self._tombstones = Tombstones(database, service)

    async def prepare(self) -> None:
        """Creates the index."""
        await self._tombstones.prepare()

    def handler(self, inner: Handler) -> Handler:
        """The consumer's handler, with erasing in front of it."""
        return ErasingHandler(
            inner,
            service=self._service,
            database=self._database,
            tombstones=self._tombstones,
            holdings=self._holdings,
        )

    def routes(self, authenticator: Authenticator) -> APIRouter:
        """The export."""
        return export_routes(authenticator, self._service, self._database, self._holdings)
