"""Rows into modern REST, many in one bulk, with an outcome for each.

New rows carry an id of ours and, where the site has it, our id as `sync_key` too: creating is then an upsert
by that key, safe to repeat even on a site that gives ids of its own. Whatever gets no answer is looked up
before it is sent again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from connector_sugar import faults
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.modern import values
from connector_sugar.modern.client import ModernClient, Result
from connector_sugar.modern.faults import FailedWriting
from connector_sugar.modern.metadata import UNKNOWN, Metadata, Shapes
from connector_sugar.modern.reading import Reading
from connector_sugar.modern.requests import Answer, Request
from connector_sugar.wire import Change
from leadbus.connector.contract import Created, Outcome
from leadbus.connector.together import rows_per_call
from leadbus.errors import Conflict, Gone, LeadbusError, OutcomeUnknown, Rejected, Unsupported

SYNC_KEY = "sync_key"
UPSERT_SINCE = 10
"""The minor version of v11 from which records can be upserted by their sync_key."""

_SETTLED = (type(None), str, Rejected, Conflict, Gone)
"""Outcomes that concern the row itself; all others are trouble with the CRM."""
_BROKE_OFF = (faults.DiedWriting, FailedWriting)
"""One row may be what the server cannot bear."""
_Row = TypeVar("_Row", Created, Outcome)
_Outcomes = dict[str, Created | None]
"""By the rows' ids: what was created, or None for what was done."""
_Requests = Mapping[str, Request]
_LookUp = Callable[[Sequence[Change]], Awaitable[_Outcomes]]


class Writing:
    """Writes over one client."""

    def __init__(self, client: ModernClient, metadata: Metadata, reading: Reading) -> None:
        self._client = client
        self._metadata = metadata
        self._reading = reading
        # What is learnt from the first record that the site creates.
        self._takes_ids: bool | None = None
        self._has_upsert = True

    async def create(self, module: str, changes: Sequence[Change]) -> list[Created]:
        """The records' ids.

        Raises:
            LeadbusError: not one row could be settled.
        """
        shapes = await self._metadata.shapes(module)
        upserting = self._upserts(shapes)
        requests = {change.id: _creation(module, change, shapes, upserting) for change in changes}

        async def there(some: Sequence[Change]) -> _Outcomes:
            return await self._there(module, some, upserting)

        outcomes = await there(changes) if upserting else {}
        todo = [change for change in changes if change.id not in outcomes]
        outcomes |= await self._send(todo, requests, shapes)
        if upserting and any(isinstance(outcome, Unsupported) for outcome in outcomes.values()):
            self._has_upsert = False
            return await self.create(module, changes)
        refused = [change for change in todo if isinstance(outcomes[change.id], Rejected)]
        if refused and not upserting:
            outcomes |= await _if_answered(there, refused)
        repeats = upserting or self._takes_ids is True
        await self._without_answer(todo, outcomes, requests, shapes, there, repeats=repeats)
        outcomes |= await self._link(module, changes, outcomes)
        return _settled([_created(outcomes[change.id]) for change in changes])

    async def update(self, module: str, changes: Sequence[Change]) -> list[Outcome]:
        """None for each row that was written, Gone where there is none (any more).

        Raises:
            LeadbusError: not one row could be settled.
        """
        shapes = await self._metadata.shapes(module)
        bodies = {change.id: _body(change, shapes) for change in changes}
        asked = [change for change in changes if _is_to_read(change, bodies[change.id])]
        known = await self._reading.addresses(module, [change.id for change in asked]) if asked else {}
        outcomes: _Outcomes = {change.id: Gone(faults.DELETED) for change in asked if change.id not in known}
        for change in asked:
            emails = values.changed_emails(known.get(change.id), change.email, change.opted_out)
            if emails is not None:
                bodies[change.id]["email"] = emails
        requests = {change.id: _update(module, change, bodies[change.id]) for change in changes}
        outcomes |= {c.id: None for c in asked if c.id not in outcomes and not bodies[c.id]}
        todo = [change for change in changes if change.id not in outcomes]
        outcomes |= await self._send(todo, requests, shapes)

        async def nothing(some: Sequence[Change]) -> _Outcomes:
            await self._reading.by_id(module, [change.id for change in some], ())
            return {}

        await self._without_answer(todo, outcomes, requests, shapes, nothing, repeats=True)
        outcomes |= await self._link(module, changes, outcomes)
        return _settled([_done(outcomes[change.id]) for change in changes])

    async def _send(
        self, changes: Sequence[Change], requests: _Requests, shapes: Shapes, *, singly: bool = False
    ) -> _Outcomes:
        size = 1 if singly else rows_per_call(CAPABILITIES, len(changes))
        results = await self._client.bulk([requests[c.id] for c in changes], writing=True, size=size)
        return {c.id: self._outcome(c, r, shapes) for c, r in zip(changes, results, strict=True)}

    def _outcome(self, change: Change, result: Result, shapes: Shapes) -> Created:
        if not isinstance(result, Answer):
            return result
        if error := result.error(writing=True, fields=shapes):
            return error
        record = _id_in(result.contents)
        if record is None:
            return faults.UNREADABLE.error(writing=True)
        self._takes_ids = record == change.id
        return record

    async def _without_answer(
        self,
        changes: Sequence[Change],
        outcomes: _Outcomes,
        requests: _Requests,
        shapes: Shapes,
        look_up: _LookUp,
        *,
        repeats: bool,
    ) -> None:
        """Settles rows whose answer was lost: those that are there are done, the others go once more.

        A row on which the server dies even by itself, while it answers otherwise, is at fault.
        """
        for again in (False, True):
            lost = [change for change in changes if isinstance(outcomes[change.id], OutcomeUnknown)]
            if not lost:
                return
            try:
                there = await look_up(lost)
            except LeadbusError:
                return
            # It was not there before the call: this is our own write.
            outcomes |= {key: key if isinstance(found, Conflict) else found for key, found in there.items()}
            missing = [change for change in lost if change.id not in there]
            if again:
                died = [c for c in missing if isinstance(outcomes[c.id], faults.DiedWriting)]
                outcomes |= {change.id: Rejected(faults.REFUSED_ROW) for change in died}
            elif repeats:
                singly = any(isinstance(outcomes[change.id], _BROKE_OFF) for change in missing)
                outcomes |= await self._send(missing, requests, shapes, singly=singly)
            else:
                return

    async def _there(self, module: str, changes: Sequence[Change], upserting: bool) -> _Outcomes:
        """What exists of rows to be created: Conflict under our id; else the id that the site gave."""
        ids = {change.id for change in changes}
        found: _Outcomes = {}
        for entry in await self._reading.by_id(
            module, ids, (SYNC_KEY,), also=SYNC_KEY if upserting else None
        ):
            if entry.id in ids:
                found[entry.id] = Conflict(faults.EXISTS)
            else:
                found.setdefault(entry.values[SYNC_KEY], Gone(faults.DELETED) if entry.deleted else entry.id)
        return found

    async def _link(self, module: str, changes: Sequence[Change], outcomes: _Outcomes) -> _Outcomes:
        """Relates what is there to others; also what was there already, as its links may have failed then."""
        there = [c for c in changes if isinstance(outcomes[c.id], str | Conflict | None)]
        asked = [(change, link) for change in there for link, ids in change.links.items() if ids]
        requests = [_relation(module, change, link, outcomes[change.id]) for change, link in asked]
        failed: _Outcomes = {}
        for (change, _), result in zip(asked, await self._client.bulk(requests, writing=True), strict=True):
            if not isinstance(result, Answer):
                failed[change.id] = result
            elif result.error(writing=True):
                failed[change.id] = Rejected(faults.NOT_LINKED)
        return failed

    def _upserts(self, shapes: Shapes) -> bool:
        major, _, minor = self._client.version.partition("_")
        return self._has_upsert and SYNC_KEY in shapes and major == "v11" and int(minor or 0) >= UPSERT_SINCE


# Requests ---------------------------------------------------------------------------------------------


def _creation(module: str, change: Change, shapes: Shapes, upserting: bool) -> Request:
    body = {"id": change.id, **_body(change, shapes)}
    if change.email:
        body["email"] = values.new_emails(change.email, change.opted_out)
    if upserting:
        body[SYNC_KEY] = change.id
        path = f"/integrate/{module}/{SYNC_KEY}/{change.id}"
        return Request("PATCH", path, f"PATCH integrate/{module}", body, traceparent=change.traceparent)
    return Request("POST", f"/{module}", f"POST {module}", body, traceparent=change.traceparent)


def _update(module: str, change: Change, body: Mapping[str, Any]) -> Request:
    path = f"/{module}/{change.id}"
    return Request("PUT", path, f"PUT {module}", body, traceparent=change.traceparent)


def _relation(module: str, change: Change, link: str, outcome: Created | None) -> Request:
    record = outcome if isinstance(outcome, str) else change.id
    body = {"link_name": link, "ids": list(change.links[link])}
    return Request("POST", f"/{module}/{record}/link", f"POST {module}/link", body)


def _body(change: Change, shapes: Shapes) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in change.values.items():
        shape = shapes.get(name, UNKNOWN)
        body[name] = values.write(shape.kind, value, shape.length)
    if change.teams and "team_name" in shapes:
        body["team_name"] = values.team_list(change.teams)
    return body


def _is_to_read(change: Change, body: Mapping[str, Any]) -> bool:
    """An address list is written as a whole; and of what needs no writing only its existence is asked."""
    return change.email is not None or change.opted_out is not None or not body


# Outcomes ---------------------------------------------------------------------------------------------


def _id_in(contents: Any) -> str | None:
    """The record that was written: itself, or what names it."""
    found = contents.get("id", contents.get("record")) if isinstance(contents, dict) else None
    if isinstance(found, dict):
        found = found.get("id")
    return found if isinstance(found, str) and found else None


async def _if_answered(look_up: _LookUp, changes: Sequence[Change]) -> _Outcomes:
    """What the look shows; nothing, where it fails."""
    try:
        return await look_up(changes)
    except LeadbusError:
        return {}


def _created(outcome: Created | None) -> Created:
    return faults.UNREADABLE.error(writing=True) if outcome is None else outcome


def _done(outcome: Created | None) -> Outcome:
    return outcome if isinstance(outcome, LeadbusError) else None


def _settled(outcomes: list[_Row]) -> list[_Row]:
    failure = next((outcome for outcome in outcomes if not isinstance(outcome, _SETTLED)), None)
    if isinstance(failure, LeadbusError) and not any(isinstance(o, _SETTLED) for o in outcomes):
        raise failure
    return outcomes
