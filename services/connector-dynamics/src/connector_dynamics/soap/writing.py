"""Rows to write, by ExecuteMultiple where there is such, else one by one side by side.

Before 7.1 an Update does not take state and owner (contract notes, [doc]): SetState and Assign do.
"""

import asyncio
from collections.abc import Sequence

from connector_dynamics import faults, products
from connector_dynamics.soap.client import Client
from connector_dynamics.soap.decoding import Failure
from connector_dynamics.soap.encoding import Concurrency, Message, Row, Settings
from connector_dynamics.spreading import spread
from connector_dynamics.wire import Option, Reference, Value, Write
from leadbus.connector.contract import Created, Outcome
from leadbus.errors import LeadbusError, OutcomeUnknown, RateLimited

_OPEN = Option(0)


class Writing:
    """Creates, changes and deletes rows of one organisation. version: the server's, as numbers."""

    def __init__(self, client: Client, version: tuple[int, ...]) -> None:
        self._client = client
        self._in_bulk = version >= products.FIRST_IN_BULK
        self._with_state = version >= products.FIRST_WITH_KEYS

    async def create(self, entity: str, rows: Sequence[Write]) -> list[Created]:
        """See `Organisation`."""
        outcomes = await self._sent(rows, [[_creation(entity, row)] for row in rows])
        return [row.id if outcome is None else outcome for row, outcome in zip(rows, outcomes, strict=True)]

    async def update(self, entity: str, rows: Sequence[Write]) -> list[Outcome]:
        """See `Organisation`."""
        return await self._sent(rows, [self._change(entity, row) for row in rows])

    async def delete(self, entity: str, ids: Sequence[str]) -> list[Outcome]:
        """See `Organisation`."""
        rows = [Write(id_, {}) for id_ in ids]
        return await self._sent(
            rows, [[Message("Delete", {"Target": Reference(entity, id_)})] for id_ in ids]
        )

    # Messages of one row

    def _change(self, entity: str, row: Write) -> list[Message]:
        if self._with_state:
            target = Row(entity, row.id, row.values, row.version)
            matching = {"ConcurrencyBehavior": Concurrency("IfRowVersionMatches")} if row.version else {}
            return [Message("Update", {"Target": target, **matching})]
        values, closing = self._apart(entity, row)
        messages = []
        if (owner := values.pop("ownerid", None)) is not None:
            messages = [Message("Assign", {"Target": Reference(entity, row.id), "Assignee": owner})]
        if values or not (messages or closing):
            messages = [Message("Update", {"Target": Row(entity, row.id, values)}), *messages]
        return [*messages, *closing]

    def _apart(self, entity: str, row: Write) -> tuple[dict[str, Value], list[Message]]:
        """The values without the state, and the message that sets it, last: it may close the record."""
        values = dict(row.values)
        state, status = values.pop("statecode", None), values.pop("statuscode", None)
        if state is None and status is None:
            return values, []
        parameters = {
            "EntityMoniker": Reference(entity, row.id),
            "State": state if state is not None else _OPEN,
            # -1: the state's own default
            "Status": status if status is not None else Option(-1),
        }
        return values, [Message("SetState", parameters)]

    # Sending

    async def _sent(self, rows: Sequence[Write], messages: Sequence[list[Message]]) -> list[Outcome]:
        calls = self._client.shared.limiter.calls
        if self._in_bulk:
            return await spread(len(rows), calls, lambda part: self._together(rows[part], messages[part]))
        outcomes = await asyncio.gather(*(self._one(r, m) for r, m in zip(rows, messages, strict=True)))
        return list(outcomes)

    async def _together(self, rows: Sequence[Write], messages: Sequence[list[Message]]) -> list[Outcome]:
        owners = [place for place, some in enumerate(messages) for _ in some]
        request = Message(
            "ExecuteMultiple",
            {"Requests": [message for some in messages for message in some], "Settings": Settings()},
        )
        results, _ = await self._client.execute(
            request, writing=True, traces=[row.traceparent for row in rows]
        )
        failures = results.get("Responses")
        if failures is None and results.get("IsFaulted") is False:
            failures = ()
        outcomes: list[Outcome] = [None] * len(rows)
        if not isinstance(failures, tuple) or not all(isinstance(f, Failure) for f in failures):
            return [OutcomeUnknown(faults.UNREADABLE.sentence)] * len(rows)
        for failure in failures:
            place = owners[failure.index]
            error = failure.fault.error(writing=True)
            if isinstance(error, RateLimited):
                self._client.shared.limiter.pause(error)
            outcomes[place] = outcomes[place] or error
        return outcomes

    async def _one(self, row: Write, messages: Sequence[Message]) -> Outcome:
        try:
            for message in messages:
                await self._client.execute(message, writing=True, traces=[row.traceparent])
        except LeadbusError as error:
            return error
        return None


def _creation(entity: str, row: Write) -> Message:
    target = Row(entity, row.id, row.values)
    return Message("Create", {"Target": target, "SuppressDuplicateDetection": False})
