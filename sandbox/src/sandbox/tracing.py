"""The traces of some leads: found by what CRMs and topics were told, looked up in Zipkin."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from sandbox.crms.tables import Tables
from sandbox.judge.topics import Heard
from sandbox.judge.verdict import clients
from sandbox.servers import Zipkin

THERE = frozenset({"ingest", "scoring", "connector"})
"""The way of a lead, from the HTTP call to the CRM, with what scoring made of it."""
BACK = frozenset({"connector"})
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Trace:
    """url: where a browser sees it. services: through which it went; empty if it was not found."""

    id: str
    url: str
    services: tuple[str, ...] = ()
    spans: int = 0

    def leads_through(self, hops: frozenset[str]) -> bool:
        """Whether it has all of these; any connector is one."""
        return hops <= {service.partition("-")[0] for service in self.services}


@dataclass(frozen=True, slots=True)
class Journey:
    """A person who became a lead in a CRM, was converted there, is a client here and has an opportunity.

    there, back: ids of traces; of the way back each once, in the order of the events.
    """

    lead: str
    there: str
    back: tuple[str, ...]


def trace_id(crms: Mapping[str, Tables]) -> str | None:
    """The trace that the newest traced record of ours came with."""
    traced = [r for tables in crms.values() for r in tables.records if r.ours and _is_kept(r.traceparent)]
    newest = max(traced, key=lambda record: record.created, default=None)
    return _trace_of(newest.traceparent) if newest and newest.traceparent else None


def won(heard: Heard) -> frozenset[str]:
    """Ids of records that prospects got by exceeding a threshold, in a trace that is kept."""
    qualified = {(m["connection_id"], m["prospect_id"]) for m in heard.of("leads.qualified")}
    return frozenset(
        m["record"]["id"]
        for m in heard.of("crm.deliveries")
        if (m["connection_id"], m["prospect_id"]) in qualified
        if m["outcome"] == "created" and _is_kept(m["traceparent"])
    )


def journey(heard: Heard, crms: Mapping[str, Tables], connection: str) -> Journey | None:
    """The newest that is told in traces, of who was won by marketing if there is one.

    Newest, because Zipkin forgets what an earlier run has told it.
    """
    became = {m["prospect_id"]: m for m in clients(heard, crms) if m["connection_id"] == connection}
    kept = [_trace_of(m["traceparent"]) for m in heard.of("crm.deliveries") if _is_kept(m["traceparent"])]
    age = {trace: -place for place, trace in enumerate(kept)}
    sales = [m for m in heard.once("crm.opportunities") if m["connection_id"] == connection]
    told = [m for m in sales if m["prospect_id"] in became and m.get("lead_trace_id") in age]
    by_marketing = {m["prospect_id"] for m in heard.of("leads.qualified") if m["connection_id"] == connection}
    sale = min(
        told, key=lambda m: (m["prospect_id"] not in by_marketing, age[m["lead_trace_id"]]), default=None
    )
    if sale is None:
        return None
    client = became[sale["prospect_id"]]
    back = dict.fromkeys(_trace_of(m["traceparent"]) for m in (client, sale) if m["traceparent"])
    return Journey(client["record"]["id"], sale["lead_trace_id"], tuple(back))


async def look_up(zipkin: Zipkin, wanted: str, hops: frozenset[str] = THERE) -> Trace:
    """Asks Zipkin until it has the whole trace, for a few seconds; spans are sent in batches."""
    found = Trace(wanted, f"{zipkin.url}traces/{wanted}")
    async with httpx.AsyncClient(base_url=zipkin.address, timeout=5, trust_env=False) as client:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not found.leads_through(hops):
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


def _trace_of(traceparent: str) -> str:
    return traceparent.split("-")[1]


def _is_kept(traceparent: str | None) -> bool:
    """Whether the trace is sampled."""
    return bool(traceparent) and int(str(traceparent)[-2:], 16) % 2 == 1
