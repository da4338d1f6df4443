"""What a consumer is given, and what it answers with."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.messages import Message
from leadbus.publishing import Outgoing


class Received(NamedTuple):
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
    stale: what they make stale of what a `Keeper` keeps, by its own keys, if no batch was the cause; None =
    all of the partitions.
    """

    write: Callable[[AsyncClientSession], Awaitable[None]] = _nothing
    publish: list[Outgoing] = field(default_factory=list)
    stale: Collection[Hashable] | None = None

    def __bool__(self) -> bool:
        """Whether they change anything."""
        return self.write is not _nothing or bool(self.publish)


class Handler(Protocol):
    """A service's whole answer to a batch: reads, computes, and writes nothing itself."""

    async def handle(self, batch: Sequence[Received]) -> Effects:
        """Raises nothing for a known fault of a record: a bad one is a dead letter before it gets here."""
        ...


@runtime_checkable
class Keeper(Handler, Protocol):
    """A handler that keeps what it has computed from one batch to the next.

    So it may be given the next batch while the last one's effects are still being written, and must answer
    as if they were: whatever the batch before changed is read from what is kept, never from MongoDB.
    Its effects hold what they write as it was when the batch was handled, and may be written late.
    """

    def forget(
        self, partitions: Collection[int] | None = None, keys: Collection[Hashable] | None = None
    ) -> None:
        """Drops what is kept of these partitions (None = of all): MongoDB may know otherwise.

        keys: only these (None = all).
        """
        ...

    def knows(self, topic: str, value: bytes) -> bool:
        """Whether the record is certain to change nothing; then it is passed over unread. Costs far less than
        to read it, or is False at once."""
        ...
