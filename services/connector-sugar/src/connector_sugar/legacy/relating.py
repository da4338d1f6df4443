"""Rows related, and parted, by the older services: those of one row and one link in one call.

Recorded on SuiteCRM 7.12.5: set_relationship may be repeated, and says the same of rows that do not exist;
it fails only for a link or module that there is not.
"""

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from connector_sugar import faults
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.legacy.client import LegacyClient
from connector_sugar.wire import Relation
from leadbus.connector.contract import Outcome
from leadbus.connector.together import chunks
from leadbus.errors import LeadbusError, Rejected

_Group: TypeAlias = tuple[str, str, str, bool]


async def relate(client: LegacyClient, relations: Sequence[Relation]) -> list[Outcome]:
    """An outcome for each; what fails of one call leaves the others as they are.

    Raises:
        LeadbusError: not one call was answered.
    """
    groups: dict[_Group, list[int]] = {}
    for place, relation in enumerate(relations):
        key = (relation.module, relation.id, relation.link, relation.on)
        groups.setdefault(key, []).append(place)
    calls = [some for places in groups.values() for some in chunks(places, CAPABILITIES.rows_per_write)]
    at_once = asyncio.Semaphore(CAPABILITIES.calls_per_verb or len(calls))

    async def one(some: Sequence[int]) -> Outcome:
        async with at_once:
            return await _one(client, [relations[at] for at in some])

    results = await asyncio.gather(*map(one, calls))
    if results and all(isinstance(r, LeadbusError) and not isinstance(r, Rejected) for r in results):
        raise results[0] or faults.UNREADABLE.error(writing=True)
    outcomes = {at: result for some, result in zip(calls, results, strict=True) for at in some}
    return [outcomes[place] for place in range(len(relations))]


async def _one(client: LegacyClient, relations: Sequence[Relation]) -> Outcome:
    """Of relations that differ in the other row alone."""
    first = relations[0]
    try:
        done = await client.call(
            "set_relationship",
            *(first.module, first.id, first.link, [r.other for r in relations], {}, int(not first.on)),
            writing=True,
            traces=[relation.traceparent for relation in relations if relation.traceparent],
        )
    except LeadbusError as error:
        return error
    return None if done else Rejected(faults.NOT_LINKED)
