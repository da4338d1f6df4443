"""What a consumer is given, and what it answers with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.messages import Message
from leadbus.publishing import Outgoing


@dataclass(frozen=True, slots=True)
class Received:
    """One readable record.

    at: the broker's own time, in milliseconds since 1970. traceparent: the header as it came, to be
    handed on without being read.
    """

    topic: str
    partition: int
    offset: int
    at: int
    message: Message
    traceparent: bytes | None = None


async def _nothing(session: AsyncClientSession) -> None:
    """Writes nothing."""


@dataclass(slots=True)
class Effects:
    """What a batch changes: writes within the batch's transaction, and what to publish after it.

    write: called with the transaction's session; may be called again if the transaction is repeated,
    so it must do the same each time.
    """

    write: Callable[[AsyncClientSession], Awaitable[None]] = _nothing
    publish: list[Outgoing] = field(default_factory=list)


class Handler(Protocol):
    """A service's whole answer to a batch: reads, computes, and writes nothing itself."""

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """Raises nothing for a known fault of a record: a bad one is a dead letter before it gets here."""
        ...
