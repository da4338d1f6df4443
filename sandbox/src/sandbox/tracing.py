"""One lead's trace: found by what the CRM was called with, looked up in Zipkin."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from sandbox.judge.tables import Tables
from sandbox.servers import Zipkin

_HOPS = {"ingest", "scoring", "connector-sugar"}
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Trace:
    """url: where a browser sees it. services: through which it went; empty if it was not found."""

    id: str
    url: str
    services: tuple[str, ...] = ()
    spans: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether it leads from the HTTP call to the CRM, with what scoring made of it."""
        return set(self.services) >= _HOPS


def trace_id(crms: Mapping[str, Tables]) -> str | None:
    """The trace that the newest traced record of ours came with."""
    traced = [r for tables in crms.values() for r in tables.records if r.ours and r.row.get("traceparent")]
    newest = max(traced, key=lambda record: record.created, default=None)
    return newest.row["traceparent"].split("-")[1] if newest else None


async def look_up(zipkin: Zipkin, wanted: str) -> Trace:
    """Asks Zipkin until it has the whole trace, for a few seconds; spans are sent in batches."""
    found = Trace(wanted, f"{zipkin.url}traces/{wanted}")
    async with httpx.AsyncClient(base_url=zipkin.address, timeout=5, trust_env=False) as client:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not found.is_whole:
                    found = await _ask(client, found)
                    await asyncio.sleep(0.3)
        except TimeoutError:
            pass
    return found


async def _ask(client: httpx.AsyncClient, trace: Trace) -> Trace:
    try:
        answer = await client.get(f"/api/v2/trace/{trace.id}")
    except httpx.TransportError:
        return trace
    spans = answer.json() if answer.is_success else []
    services = sorted({span.get("localEndpoint", {}).get("serviceName", "") for span in spans})
    return Trace(trace.id, trace.url, tuple(services), len(spans))
