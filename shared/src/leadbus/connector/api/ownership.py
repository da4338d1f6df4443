"""Whose connection a caller of the API asks about: another tenant's does not exist for it."""

from dataclasses import dataclass

from fastapi import Request

from leadbus.connector.connection import Connection
from leadbus.connector.stores.connections import Connections
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator, Caller


@dataclass(frozen=True, slots=True)
class Ownership:
    """Asked at the beginning of every route."""

    authenticator: Authenticator
    connections: Connections

    async def caller(self, request: Request, scope: Scope) -> Caller:
        """Who asks. Raises Problem: 401, or 403 without the scope."""
        found = await self.authenticator.authenticate(request)
        found.require(scope)
        return found

    async def connection(self, request: Request, connection_id: str, scope: Scope) -> Connection:
        """The caller's connection. Raises Problem: 401, 403, or 404 for one that is not the caller's."""
        return await self.own(await self.caller(request, scope), connection_id)

    async def own(self, who: Caller, connection_id: str) -> Connection:
        """The connection of a caller that is known already. Raises Problem: 404 as `connection`."""
        connection = await self.connections.get(connection_id)
        if connection is None or who.tenant_id not in (None, connection.settings.tenant_id):
            raise Problem(404, "There is no connection of this name; leadbus connections list shows yours.")
        return connection
