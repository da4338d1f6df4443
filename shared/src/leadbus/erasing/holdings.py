"""What a service holds of a person: said once, as queries, by which it is erased and exported."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.storage.mongo import Document

_NO_NUMBERS = ("nan", "inf", "-inf")
"""Floats that JSON has no way to write."""


class Person(NamedTuple):
    """Names a prospect; with the tenant, so that a forged prospect id reaches nobody else's."""

    tenant_id: str
    prospect_id: str


def as_json(value: Any) -> Any:
    """A document as JSON has it: bytes in base64, whatever else it does not know as text."""
    match value:
        case dict():
            return {str(name): as_json(member) for name, member in value.items()}
        case list() | tuple():
            return [as_json(member) for member in value]
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str() if str(value) not in _NO_NUMBERS:
            return value
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Holding:
    """Documents of one collection that hold something of a person.

    which: the query that finds them. without: the update that takes the person out, with its array filters,
    where others are in the same document; None = they are deleted. shown: one of them, for its export.
    """

    collection: str
    which: Document
    without: Document | None = None
    array_filters: Sequence[Document] | None = None
    shown: Callable[[Document], Any] = as_json


Holdings = Callable[[Person, AsyncClientSession | None], Awaitable[Sequence[Holding]]]
"""Asked within the transaction that erases, or without one; finds nothing twice."""


async def erase(
    database: AsyncDatabase[Document], holdings: Holdings, person: Person, session: AsyncClientSession
) -> None:
    """Forgets the person, within the session's transaction."""
    await erase_found(database, await holdings(person, session), session)


async def erase_found(
    database: AsyncDatabase[Document], found: Sequence[Holding], session: AsyncClientSession | None = None
) -> None:
    """Erases what was found, within the session's transaction if there is one."""
    for held in found:
        collection = database[held.collection]
        if held.without is None:
            await collection.delete_many(held.which, session=session)
        else:
            await collection.update_many(
                held.which, held.without, array_filters=held.array_filters, session=session
            )


async def export(
    database: AsyncDatabase[Document], holdings: Holdings, person: Person
) -> dict[str, list[Any]]:
    """All that is held, as JSON, by collection; those that hold nothing are absent."""
    found: dict[str, list[Any]] = {}
    for held in await holdings(person, None):
        rows = [held.shown(row) async for row in database[held.collection].find(held.which)]
        if rows:
            found.setdefault(held.collection, []).extend(rows)
    return found
