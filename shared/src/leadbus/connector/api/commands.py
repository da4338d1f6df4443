"""What a person does with connections: apply, change, test, on, off. Every pod may answer."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.checking.checks import Checking, Part, finding_of
from leadbus.connector.connection import Connection, Health, HealthState, Revision
from leadbus.connector.contract import Adapter, Finding
from leadbus.connector.delivering.profiles import synchronised
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settings.merge import merged
from leadbus.connector.settings.secret import changed_paths, keep_masked
from leadbus.connector.settings.validation import validated
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.descriptions import Descriptions
from leadbus.errors import LeadbusError, Transient
from leadbus.problems import Problem
from leadbus.publishing import Outgoing, Publisher
from leadbus.security.callers import OPERATOR
from leadbus.topics import CRM_CONNECTIONS

log = logging.getLogger(__name__)


class ConnectionCommands:
    """Stores what changes, then tells everybody; what a crash leaves untold is told at the next start.

    own_fields: names of a tenant's own fields. outgoing_address: where our calls to CRMs come from; empty =
    not known. active: told of a connection that was turned on, in the same transaction. by: the id of the
    API key that asks, for the history.
    """

    def __init__(
        self,
        crm: str,
        kind: type[ConnectionSettings],
        *,
        connections: Connections,
        deliveries: Deliveries,
        campaigns: Campaigns,
        descriptions: Descriptions,
        own_fields: Callable[[str], Awaitable[frozenset[str]]],
        publisher: Publisher,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
        changed: Callable[[str], None],
        outgoing_address: str = "",
        active: Callable[[Connection, AsyncClientSession], Awaitable[None]] | None = None,
    ) -> None:
        self._crm = crm
        self._kind = kind
        self._connections = connections
        self._deliveries = deliveries
        self._campaigns = campaigns
        self._descriptions = descriptions
        self._own_fields = own_fields
        self._publisher = publisher
        self._adapter_for = adapter_for
        self._changed = changed
        self._outgoing_address = outgoing_address
        self._active = active

    async def apply(
        self, tenant_id: str, connection_id: str, settings: Mapping[str, Any], *, by: str = OPERATOR
    ) -> Connection:
        """Creates or replaces the settings; a connection stays on or off as it was, and is tried again.

        A secret that comes back masked, as answers show it, stays what it is.

        Raises:
            Problem: 422 with every field at fault; 409 if the name is taken.
            Rejected: the address leads to an internal network. Conflict: somebody else was faster.
        """
        known = await self._connections.get(connection_id)
        if known is not None and known.settings.tenant_id != tenant_id:
            raise Problem(409, "A connection of this name exists already; choose another name.")
        values = {**settings, "tenant_id": tenant_id, "connection_id": connection_id}
        return await self._replace(known, values, by)

    async def change(self, known: Connection, patch: Mapping[str, Any], *, by: str = OPERATOR) -> Connection:
        """Changes some settings (`settings_merge`), the others stay.

        Refused credentials are tried again only if the patch is about access: each try could lock the user.

        Raises:
            As `apply`.
        """
        stored = known.settings.model_dump(mode="json")
        for name in ("tenant_id", "connection_id", "crm"):
            if name in patch and patch[name] != stored.get(name):
                raise Problem(422, f"{name} of a connection never changes: create another connection.")
        values = merged(self._kind, stored, patch)
        return await self._replace(known, values, by, tried_again="access" in patch)

    async def test(self, connection: Connection, part: Part = "all") -> tuple[Connection, list[Finding]]:
        """Checks the CRM as it is now, signing in once.

        Refused credentials pause the connection, as they would in its work; accepted ones end such a pause.
        """
        connection.require_readable()
        try:
            adapter = await self._adapter_for(connection)
        except LeadbusError as error:  # its address may not be called, or does not exist
            return connection, [finding_of(error)]
        try:
            own = await self._own_fields(connection.settings.tenant_id)
            checking = Checking(connection.settings, adapter, self._outgoing_address, own)
            findings = await checking.run(part)
            for kind, described in checking.described.items():
                await self._descriptions.keep(connection.id, kind, described)
        finally:
            await adapter.close()
        refused = next((finding for finding in findings if finding.refused), None)
        if refused is not None:
            connection = await self.shut_out(connection, refused.what)
        elif refused is None and checking.signed_in:
            connection = await self.let_in(connection)
        return connection, findings

    async def shut_out(self, connection: Connection, reason: str) -> Connection:
        """The CRM refuses the credentials: a pause, as each further try could lock the user."""
        if connection.health.state is HealthState.REFUSED:
            return connection
        return await self._fares(connection, HealthState.REFUSED, reason)

    async def let_in(self, connection: Connection) -> Connection:
        """The CRM has let us in: refused credentials no longer pause the connection."""
        if connection.health.state is not HealthState.REFUSED:
            return connection
        return await self._fares(connection, HealthState.WELL)

    async def turn(
        self, connection: Connection, *, on: bool, by: str = OPERATOR
    ) -> tuple[Connection, list[Finding]]:
        """Turns on, if the test finds nothing wrong, or off."""
        findings: list[Finding] = []
        if on:
            connection, findings = await self.test(connection)
            if not all(finding.ok for finding in findings):
                return connection, findings
        turned = replace(connection, on=on, revision=connection.revision + 1, health=_health())
        change = Revision(turned.revision, datetime.now(UTC), by, "turned on" if on else "turned off")
        active = self._active if on and not connection.on else None
        return await self._store(turned, change, active and partial(active, turned)), findings

    async def tell_all(self) -> None:
        """Publishes every connection as it stands; consumers drop what they know already."""
        for connection in await self._connections.all():
            await self._tell(connection)

    async def _replace(
        self, known: Connection | None, values: Mapping[str, Any], by: str, *, tried_again: bool = True
    ) -> Connection:
        readable = known if known and not known.unreadable else None
        valid = keep_masked(validated(self._kind, values), readable.settings if readable else None)
        connection = Connection(
            settings=valid,
            organisation_id=valid.organisation_id,
            on=known.on if known else False,
            revision=known.revision + 1 if known else 1,
            health=known.health if known and not tried_again else _health(),
        )
        if known is not None and known.organisation_id != connection.organisation_id:
            raise Problem(
                422,
                "This address leads to another CRM organisation: what is known of its records would be"
                " wrong there. Create a new connection for it.",
            )
        with suppress(Transient):  # a name that cannot be resolved just now is checked again at each use
            await (await self._adapter_for(connection)).close()
        paths = changed_paths(known.settings, valid) if known else ()
        change = Revision(
            connection.revision, datetime.now(UTC), by, "settings" if known else "created", paths
        )
        return await self._store(connection, change)

    async def _fares(self, connection: Connection, state: HealthState, reason: str = "") -> Connection:
        health = _health(state, reason)
        await self._connections.report_health(connection, health)
        self._changed(connection.organisation_id)
        return replace(connection, health=health)

    async def _store(
        self,
        connection: Connection,
        change: Revision,
        beside: Callable[[AsyncClientSession], Awaitable[None]] | None = None,
    ) -> Connection:
        await self._connections.save(connection, change, beside)
        await self._deliveries.resume_some(connection.id)  # the rest while it is worked: `catching_up`
        wanted = {profile for profile, writes in synchronised(connection).items() if writes}
        await self._deliveries.release(connection.id, wanted)
        await self._campaigns.resume(connection.id)
        self._changed(connection.organisation_id)
        await self._tell(connection)
        return connection

    async def _tell(self, connection: Connection) -> None:
        message = connection.changed(self._crm, str(uuid4()), datetime.now(UTC))
        (fault,) = await self._publisher.publish([Outgoing.of(CRM_CONNECTIONS, message)])
        if fault is not None:
            raise fault


def _health(state: HealthState = HealthState.WELL, reason: str = "") -> Health:
    return Health(state, reason, datetime.now(UTC))
