"""Rows to write, in batches side by side: each of a few rows, as Microsoft's documentation advises."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from connector_dynamics import faults, http
from connector_dynamics.entities import ENTITIES
from connector_dynamics.spreading import spread
from connector_dynamics.web_api import values
from connector_dynamics.web_api.batch import Answer, Part
from connector_dynamics.web_api.client import Api, error_of, part_headers
from connector_dynamics.web_api.values import Navigation
from connector_dynamics.wire import Reference, Write
from leadbus.connector.contract import Created, Outcome
from leadbus.errors import Conflict, LeadbusError, OutcomeUnknown, RateLimited, Rejected

_CREATE: Mapping[str, str] = {
    # Only if there is none: a PATCH to an id makes the record otherwise, or changes the one that is there.
    "If-None-Match": "*",
    "MSCRM.SuppressDuplicateDetection": "false",
}


class Writing:
    """Creates, changes and deletes rows of one organisation."""

    def __init__(self, api: Api, navigation: Callable[[str], Awaitable[Navigation]]) -> None:
        self._api = api
        self._navigation = navigation

    async def create(self, entity: str, rows: Sequence[Write]) -> list[Created]:
        """See `Organisation`."""
        outcomes = await self._written(f"create {entity}", entity, rows, lambda row: _CREATE)
        return [
            row.id
            if outcome is None
            # 412 without a code: the condition that there is none was not met.
            else (faults.EXISTS.error(writing=True) if type(outcome) is Conflict else outcome)
            for row, outcome in zip(rows, outcomes, strict=True)
        ]

    async def update(self, entity: str, rows: Sequence[Write]) -> list[Outcome]:
        """See `Organisation`."""
        return await self._written(
            f"update {entity}", entity, rows, lambda row: {"If-Match": row.version or "*"}
        )

    async def delete(self, entity: str, ids: Sequence[str]) -> list[Outcome]:
        """See `Organisation`."""
        parts = [Part("DELETE", self._url(entity, id_), part_headers({})) for id_ in ids]
        return await self._sent(f"delete {entity}", parts, [None] * len(parts))

    async def _written(
        self,
        operation: str,
        entity: str,
        rows: Sequence[Write],
        headers: Callable[[Write], Mapping[str, str]],
    ) -> list[Outcome]:
        navigation = await self._navigation(entity) if any(map(_has_lookup, rows)) else {}
        outcomes: list[Outcome] = [None] * len(rows)
        places, parts = [], []
        for place, row in enumerate(rows):
            try:
                content = http.encode(values.body(entity, row.values, navigation))
            except Rejected as error:
                outcomes[place] = error
                continue
            places.append(place)
            sent = part_headers(headers(row), row.traceparent)
            parts.append(Part("PATCH", self._url(entity, row.id), sent, content))
        traces = [rows[place].traceparent for place in places]
        for place, outcome in zip(places, await self._sent(operation, parts, traces), strict=True):
            outcomes[place] = outcome
        return outcomes

    async def _sent(
        self, operation: str, parts: Sequence[Part], traces: Sequence[bytes | None]
    ) -> list[Outcome]:
        return await spread(
            len(parts),
            self._api.shared.limiter.calls,
            lambda part: self._batch(operation, parts[part], traces[part]),
        )

    async def _batch(
        self, operation: str, parts: Sequence[Part], traces: Sequence[bytes | None]
    ) -> list[Outcome]:
        answers, _ = await self._api.batch(operation, parts, writing=True, traces=traces)
        lost = OutcomeUnknown(faults.UNREADABLE.sentence)
        outcomes = [_outcome(answer) for answer in answers[: len(parts)]]
        for outcome in outcomes:
            if isinstance(outcome, RateLimited):
                self._api.shared.limiter.pause(outcome)
        return [*outcomes, *(lost for _ in parts[len(outcomes) :])]

    def _url(self, entity: str, id_: str) -> str:
        return self._api.url(f"{ENTITIES[entity].set}({id_})")


def _outcome(answer: Answer) -> LeadbusError | None:
    return error_of(answer, writing=True, by_id=True)


def _has_lookup(row: Write) -> bool:
    return any(isinstance(value, Reference) or value is None for value in row.values.values())
