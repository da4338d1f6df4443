"""Which fields a changed mapping has made new: what is offered to be read again."""

from collections.abc import Awaitable, Callable

from leadbus.connector.api.unopened import unopened
from leadbus.connector.capabilities import Kind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.rereading import names_of, new_pairs
from leadbus.connector.stores.pulls import Pulls
from leadbus.connector.taking.table import TAKERS


async def new_fields(
    connection: Connection, pulls: Pulls, adapter_for: Callable[[Connection], Awaitable[Adapter]]
) -> dict[Kind, list[str]]:
    """Ours, by the kind of record that was read without them; a kind that has none is missing."""
    known = await pulls.of_connection(connection.id)
    async with unopened(connection, adapter_for) as adapter:
        if adapter is None:
            return {}
        fields = FieldMap.of(connection.settings, adapter.capabilities)
    new = {kind: sorted(names_of(new_pairs(known.get(kind), fields), ours=True)) for kind in TAKERS}
    return {kind: names for kind, names in new.items() if names}
