"""The verbs that write: under ids of ours, so that what was written is not written again.

A row that Dynamics could not take is refused here, without a call, and leaves the others as they are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from connector_dynamics import values
from connector_dynamics.capabilities import CAPABILITIES
from connector_dynamics.client import Organisation
from connector_dynamics.metadata import Metadata
from connector_dynamics.settling import answered
from connector_dynamics.stating import lead_status
from connector_dynamics.translation import ACCOUNT, ACTIVITIES
from connector_dynamics.values import Shapes, Values
from connector_dynamics.wire import Option, Write
from leadbus.connector.contract import Created, NewAccount, NewActivity, NewPerson, Outcome, PersonChange
from leadbus.connector.settings import ConnectionSettings
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected
from leadbus.messages import Record

Result = TypeVar("Result")
Send = Callable[[str, Sequence[Write]], Awaitable[Sequence[Result]]]
Prepared = tuple[str, Write] | LeadbusError
"""A row for an entity, or why there is none."""

_REFERENCE_GONE = (
    "The owner, the company or another record that this one is to refer to is not there any more in the CRM:"
    " choose another one."
)


class Writing:
    """Writes for one connection."""

    def __init__(
        self, organisation: Organisation, metadata: Metadata, connection: ConnectionSettings
    ) -> None:
        self._organisation = organisation
        self._metadata = metadata
        self._score_field = connection.score_field
        self._record_as = connection.record_as

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """The records' ids; Conflict where a row with that id exists.

        Raises:
            LeadbusError: nothing could be settled.
        """
        rows = [await _prepared(self._new_person(new)) for new in people]
        return [_referring(outcome) for outcome in await self._sent(self._organisation.create, rows)]

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """As `create`."""
        rows: list[Prepared] = [
            (ACCOUNT, Write(new.id, values.new_account(new), traceparent=new.traceparent)) for new in accounts
        ]
        return [_referring(outcome) for outcome in await self._sent(self._organisation.create, rows)]

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """None for each row that was written, Gone where there is none (any more). Raises as `create`."""
        rows = [await _prepared(self._change(change)) for change in changes]
        outcomes = await self._sent(self._organisation.update, rows)
        refers = [not isinstance(row, LeadbusError) and row[1].refers for row in rows]
        return await self._told_apart(
            outcomes, [c.record if does else None for c, does in zip(changes, refers, strict=True)]
        )

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """The activities' ids; Gone where what they hang on is. Raises as `create`."""
        user_id = (await self._organisation.info()).user_id
        rows: list[Prepared] = [
            (
                ACTIVITIES[new.type],
                Write(new.id, values.new_activity(new, user_id), traceparent=new.traceparent),
            )
            for new in activities
        ]
        outcomes = await self._sent(self._organisation.create, rows)
        outcomes = await self._completed(activities, outcomes)
        return await self._told_apart(outcomes, [new.record if new.owner_id else None for new in activities])

    async def _completed(
        self, activities: Sequence[NewActivity], outcomes: Sequence[Created]
    ) -> list[Created]:
        """Of those that are done: a record begins open, whatever is said of its state (`wire.Write`).

        Also of one that was there already: its first try may have been broken off in between.
        """
        result = list(outcomes)
        done = [
            at
            for at, (new, outcome) in enumerate(zip(activities, outcomes, strict=True))
            if new.done and isinstance(outcome, str | Conflict)
        ]
        rows: list[Prepared] = [
            (
                ACTIVITIES[activities[at].type],
                Write(activities[at].id, values.COMPLETED, traceparent=activities[at].traceparent),
            )
            for at in done
        ]
        for at, closed in zip(done, await self._sent(self._organisation.update, rows), strict=True):
            result[at] = closed or result[at]
        return result

    async def _new_person(self, new: NewPerson) -> tuple[str, Write]:
        entity = CAPABILITIES.module_of(new.kind)
        source = await self._source(entity, new.lead_source, must=new.kind == self._record_as)
        written = await self._typed(
            entity, lambda shapes: values.new_person(new, self._score_field, shapes, source)
        )
        return entity, Write(new.id, written, traceparent=new.traceparent)

    async def _change(self, change: PersonChange) -> tuple[str, Write]:
        entity = change.record.module
        source = await self._source(entity, change.lead_source or "", must=False)
        written = await self._typed(entity, lambda shapes: self._changed(change, shapes, source))
        return entity, Write(change.record.id, written, change.version, change.traceparent)

    def _changed(self, change: PersonChange, shapes: Shapes, source: Option | None) -> Values:
        told = values.person_change(change, self._score_field, shapes, source)
        return told | (lead_status(change.status, shapes) if change.status else {})

    async def _typed(self, entity: str, make: Callable[[Shapes], Values]) -> Values:
        """What is made by the columns; made again where an option may have been added since."""
        try:
            return make(await self._metadata.shapes(entity))
        except Rejected:
            if not await self._metadata.asked_again(entity):
                raise
            return make(await self._metadata.shapes(entity))

    async def _source(self, entity: str, label: str, *, must: bool) -> Option | None:
        """The option; of kinds that people are not recorded as, none where the CRM does not offer it."""
        if not label:
            return None
        try:
            return await self._metadata.lead_source(entity, label)
        except Rejected:
            if must:
                raise
            return None

    async def _told_apart(
        self, outcomes: Sequence[Result | LeadbusError], referring: Sequence[Record | None]
    ) -> list[Result | LeadbusError]:
        """A record that is there is not gone: what the row names besides is, and its code is the same.

        referring: the record that a row is about, if the row names another one too.
        """
        doubtful: dict[str, set[str]] = defaultdict(set)
        for outcome, record in zip(outcomes, referring, strict=True):
            if isinstance(outcome, Gone) and record is not None:
                doubtful[record.module].add(record.id)
        there: set[str] = set()
        for entity, ids in doubtful.items():
            with suppress(LeadbusError):
                there |= {entry.id for entry in await self._organisation.retrieve(entity, sorted(ids), ())}
        return [
            Rejected(_REFERENCE_GONE)
            if isinstance(outcome, Gone) and record and record.id in there
            else outcome
            for outcome, record in zip(outcomes, referring, strict=True)
        ]

    async def _sent(self, send: Send[Result], rows: Sequence[Prepared]) -> list[Result | LeadbusError]:
        """What became of each, in order; entities side by side."""
        places: dict[str, list[int]] = defaultdict(list)
        results: dict[int, Result | LeadbusError] = {}
        for at, row in enumerate(rows):
            if isinstance(row, LeadbusError):
                results[at] = row
            else:
                places[row[0]].append(at)
        writes = [
            (entity, [row[1] for at in some if not isinstance(row := rows[at], LeadbusError)])
            for entity, some in places.items()
        ]
        parts = await asyncio.gather(*(_each(send, entity, some) for entity, some in writes))
        for some, outcomes in zip(places.values(), parts, strict=True):
            results |= zip(some, outcomes, strict=True)
        return answered([results[at] for at in range(len(rows))])


async def _prepared(coming: Awaitable[tuple[str, Write]]) -> Prepared:
    try:
        return await coming
    except Rejected as refused:
        return refused


async def _each(send: Send[Result], entity: str, rows: Sequence[Write]) -> Sequence[Result | LeadbusError]:
    """What went wrong with a whole call went wrong with each of its rows."""
    try:
        return await send(entity, rows)
    except LeadbusError as error:
        return [error] * len(rows)


def _referring(outcome: Created) -> Created:
    """A new record is not gone: what it refers to is."""
    return Rejected(_REFERENCE_GONE) if isinstance(outcome, Gone) else outcome
