"""What a person does with connections: apply, test, on, off. Every pod may answer."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Adapter, Finding
from leadbus.connector.secret_settings import keep_masked
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.errors import Transient
from leadbus.problems import Problem
from leadbus.publishing import Outgoing, Publisher
from leadbus.topics import CRM_CONNECTIONS

log = logging.getLogger(__name__)


class ConnectionCommands:
    """Stores what changes, then tells everybody; what a crash leaves untold is told at the next start."""

    def __init__(
        self,
        crm: str,
        kind: type[ConnectionSettings],
        *,
        connections: Connections,
        deliveries: Deliveries,
        publisher: Publisher,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
        changed: Callable[[str], None],
    ) -> None:
        self._crm = crm
        self._kind = kind
        self._connections = connections
        self._deliveries = deliveries
        self._publisher = publisher
        self._adapter_for = adapter_for
        self._changed = changed

    async def apply(self, tenant_id: str, connection_id: str, settings: dict[str, Any]) -> Connection:
        """Creates or replaces the settings; a connection stays on or off as it was.

        A secret that comes back masked, as answers show it, stays what it is.

        Raises:
            Problem: 422 with every field at fault; 409 if the name is taken.
            Rejected: the address leads to an internal network. Conflict: somebody else was faster.
        """
        known = await self._connections.get(connection_id)
        if known is not None and known.settings.tenant_id != tenant_id:
            raise Problem(409, "A connection of this name exists already; choose another name.")
        valid = self._validate(settings | {"tenant_id": tenant_id, "connection_id": connection_id})
        valid = keep_masked(valid, known.settings if known else None)
        now = datetime.now(UTC)
        connection = Connection(
            settings=valid,
            organisation_id=valid.organisation_id,
            on=known.on if known else False,
            revision=known.revision + 1 if known else 1,
            health=Health(HealthState.WELL, "", now),
        )
        if known is not None and known.organisation_id != connection.organisation_id:
            raise Problem(
                422,
                "This address leads to another CRM organisation: what is known of its records would be"
                " wrong there. Create a new connection for it.",
            )
        with suppress(Transient):  # a name that cannot be resolved just now is checked again at each use
            await (await self._adapter_for(connection)).close()
        return await self._store(connection, previous=known.revision if known else 0)

    async def test(self, connection: Connection) -> list[Finding]:
        """Checks the CRM as it is now; changes nothing."""
        connection.require_readable()
        adapter = await self._adapter_for(connection)
        try:
            return await adapter.check()
        finally:
            await adapter.close()

    async def turn(self, connection: Connection, *, on: bool) -> tuple[Connection, list[Finding]]:
        """Turns on, if the test finds nothing wrong, or off."""
        findings = await self.test(connection) if on else []
        if on and not all(finding.ok for finding in findings):
            return connection, findings
        health = Health(HealthState.WELL, "", datetime.now(UTC))
        turned = replace(connection, on=on, revision=connection.revision + 1, health=health)
        return await self._store(turned, previous=connection.revision), findings

    async def tell_all(self) -> None:
        """Publishes every connection as it stands; consumers drop what they know already."""
        for connection in await self._connections.all():
            await self._tell(connection)

    async def _store(self, connection: Connection, *, previous: int) -> Connection:
        await self._connections.save(connection, previous=previous)
        await self._deliveries.resume(connection.id)
        self._changed(connection.organisation_id)
        await self._tell(connection)
        return connection

    async def _tell(self, connection: Connection) -> None:
        message = connection.changed(self._crm, str(uuid4()), datetime.now(UTC))
        (fault,) = await self._publisher.publish([Outgoing.of(CRM_CONNECTIONS, message)])
        if fault is not None:
            raise fault

    def _validate(self, settings: dict[str, Any]) -> ConnectionSettings:
        try:
            return self._kind.model_validate(settings)
        except ValidationError as error:
            errors = [
                {"field": ".".join(str(part) for part in fault["loc"]), "reason": fault["msg"]}
                for fault in error.errors(include_input=False, include_url=False, include_context=False)
            ]
            raise Problem(
                422,
                f"The settings are not valid. {errors[0]['field']}: {errors[0]['reason']}.",
                errors=errors,
            ) from None
