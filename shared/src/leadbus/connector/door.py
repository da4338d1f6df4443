"""The way into a CRM with one user's credentials, shared by all connections that have them.

A refused sign-in counts against the user, who is locked out after a few, whichever connection tried.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel

from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.errors import AuthRefused


class Door:
    """Until the credentials are accepted one connection tries them, the others wait; refused once is refused.

    An adapter sees to it that its own calls sign in once.
    """

    def __init__(self, access: BaseModel) -> None:
        self.access = access
        self.refused: AuthRefused | None = None
        self._proven = False
        self._trying: str | None = None
        self._inside = 0
        self._news = asyncio.Event()

    @asynccontextmanager
    async def through(self, connection_id: str, *, proves: bool = True) -> AsyncIterator[None]:
        """For one call. proves: if it ends well, the credentials were accepted.

        Raises:
            AuthRefused: the credentials are refused, perhaps already.
        """
        while not self._proven and self.refused is None and self._trying not in (None, connection_id):
            await self._news.wait()
        if self.refused is not None:
            raise self.refused
        self._trying, self._inside = connection_id, self._inside + 1
        try:
            yield
            self._proven = self._proven or proves
        except AuthRefused as error:
            self.refused = error
            raise
        finally:
            self._inside -= 1
            self._trying = self._trying if self._inside else None
            self._news.set()
            self._news = asyncio.Event()


class Doors:
    """Of one organisation."""

    def __init__(self) -> None:
        self._doors: list[Door] = []

    def of(self, connection: Connection) -> Door:
        """For a connection that begins to work; one that was refused is tried again, as a person wants it."""
        access = connection.settings.access
        self._doors = [door for door in self._doors if door.refused is None]
        found = next((door for door in self._doors if door.access == access), None)
        if found is None:
            found = Door(access)
            self._doors.append(found)
        return found


def refused_to_another(connection: Connection, others: Sequence[Connection]) -> Health | None:
    """How a connection fares whose credentials were refused to another one since it was last corrected."""
    return next(
        (
            replace(other.health, since=datetime.now(UTC))
            for other in others
            if other.health.state is HealthState.REFUSED
            and other.health.since > connection.health.since
            and other.settings.access == connection.settings.access
            and not (other.unreadable or connection.unreadable)
        ),
        None,
    )
