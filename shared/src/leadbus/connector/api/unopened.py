"""An adapter for what needs no call: names, and addresses of records."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.errors import LeadbusError


@asynccontextmanager
async def unopened(
    connection: Connection, adapter_for: Callable[[Connection], Awaitable[Adapter]]
) -> AsyncIterator[Adapter | None]:
    """None if it may not be opened now."""
    try:
        connection.require_readable()
        adapter = await adapter_for(connection)
    except LeadbusError:
        yield None
        return
    try:
        yield adapter
    finally:
        await adapter.close()
