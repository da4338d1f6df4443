"""Rows to Zoho in few calls side by side, with an outcome for each."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_zoho import duplicates, faults
from connector_zoho.capabilities import CAPABILITIES, ROWS_PER_CREDIT
from connector_zoho.client import ZohoClient
from connector_zoho.settling import error_of
from connector_zoho.values import Body
from connector_zoho.wire import outcomes
from leadbus.connector.contract import Created
from leadbus.connector.together import rows_per_call
from leadbus.errors import LeadbusError

Result = Mapping[str, Any] | LeadbusError
"""What became of one row: its part of the answer, or why there was none."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A row to send. traces: of all for whom it is written."""

    module: str
    body: Body
    traces: tuple[bytes | None, ...]

    def with_later(self, row: "Sent") -> "Sent":
        """Both in one, where the later one decides."""
        return Sent(self.module, {**self.body, **row.body}, self.traces + row.traces)


async def send(
    client: ZohoClient,
    method: str,
    rows: Sequence[Sent],
    action: str = "",
    extra: Mapping[str, Any] | None = None,
) -> list[Result]:
    """What became of each; what fails of one call leaves the others as they are.

    action: below the module's path; extra: what stands beside the rows in each call's body.
    """
    parts = [
        (module, part) for module in dict.fromkeys(r.module for r in rows) for part in _parts(rows, module)
    ]
    answers = await asyncio.gather(
        *(
            _call(client, method, f"/{module}{action}", [rows[at] for at in part], extra or {})
            for module, part in parts
        )
    )
    results = {
        at: result
        for (_, part), answer in zip(parts, answers, strict=True)
        for at, result in zip(part, answer, strict=True)
    }
    return [results[at] for at in range(len(rows))]


async def _call(
    client: ZohoClient, method: str, path: str, rows: Sequence[Sent], extra: Mapping[str, Any]
) -> Sequence[Result]:
    try:
        answer = await client.call(
            f"{method} {path.removeprefix('/')}",
            method,
            path,
            body={"data": [row.body for row in rows], **extra},
            writing=True,
            traces=[trace for row in rows for trace in row.traces],
        )
    except LeadbusError as error:
        return [error] * len(rows)
    found = outcomes(answer)
    if len(found) != len(rows):
        return [faults.UNREADABLE.error(writing=True)] * len(rows)
    return found


def created(result: Result, module: str) -> Created:
    """The record's id, or what is wrong with the row; whose answer decides, not the HTTP status."""
    if isinstance(result, LeadbusError):
        return result
    if (other := duplicates.named(result, module)) is not None:
        return duplicates.refusal(other, is_same=False)
    if result.get("status") != "success":
        return error_of(result)
    details = result.get("details")
    record = details.get("id") if isinstance(details, Mapping) else None
    return str(record) if record else faults.UNREADABLE.error(writing=True)


def _parts(rows: Sequence[Sent], module: str) -> Iterator[list[int]]:
    """Places of a module's rows, spread over calls; by tens, as each ten begun costs a credit."""
    places = [at for at, row in enumerate(rows) if row.module == module]
    size = rows_per_call(CAPABILITIES, len(places), step=ROWS_PER_CREDIT)
    return (places[at : at + size] for at in range(0, len(places), size))
