"""Leads a second and calls per 1,000 leads, against a plug-in that does one thing after the other.

Ours is the whole way: facts from Kafka, merged, worked off, settled, reported to Kafka. Its clock starts
when the first fact is published and stops when the last lead is reported with its note. Both sides have
signed in before, and Leadbus has delivered one lead: it goes carefully with a CRM that it has never met.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from bench.dynamics import Dynamics365, OnPremises
from bench.facts import Lead, new_leads, publish
from bench.figure import Figure, Goal, Measurement, Reading
from bench.plugins import dynamics_soap, dynamics_web_api, legacy, modern, soap
from bench.simulator import Simulator
from bench.stage import Place, Stage

LEADS, PLUGIN_LEADS = 2_000, 50
_TENANT = "acme"
_WITHIN = 600.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way into a CRM. name: how its figures' names begin. title: the same for people.

    plugin: see `bench.plugins`.
    """

    name: str
    title: str
    service: str
    crm: Callable[[Stage], AbstractAsyncContextManager[Simulator]]
    plugin: Callable[[str, Sequence[str]], float]


WAYS = (
    Way(
        "sugar_soap",
        "by SOAP",
        "connector-sugar",
        lambda stage: stage.crm("suitecrm-7-soap"),
        soap.work,
    ),
    Way(
        "sugar_rest",
        "by modern REST",
        "connector-sugar",
        lambda stage: stage.crm("sugar-14"),
        modern.work,
    ),
    Way(
        "sugar_legacy_rest",
        "by the older REST service",
        "connector-sugar",
        lambda stage: stage.crm("suitecrm-7"),
        legacy.work,
    ),
    Way(
        "dynamics_soap",
        "in Dynamics CRM 2013 by SOAP",
        "connector-dynamics",
        lambda stage: stage.dynamics(OnPremises),
        dynamics_soap.work,
    ),
    Way(
        "dynamics_web_api",
        "in Dynamics 365 by the Web API",
        "connector-dynamics",
        lambda stage: stage.dynamics(Dynamics365),
        dynamics_web_api.work,
    ),
)


async def _measure(way: Way, stage: Stage) -> Mapping[str, Reading]:
    leads = new_leads(_TENANT, stage.count(LEADS))
    others = new_leads("plug-in", stage.count(PLUGIN_LEADS))
    async with way.crm(stage) as crm, stage.place(way.service) as place:
        stage.progress(f"{way.name}: {len(others)} leads by a plug-in")
        seconds = await asyncio.to_thread(way.plugin, crm.url, [lead.email for lead in others])
        theirs, their_calls = len(others) / seconds, await crm.calls()
        connection = await place.connector.connect(_TENANT, crm)
        await place.connector.until_read(connection)
        await _deliver(place, connection, new_leads(_TENANT, 1))
        stage.progress(f"{way.name}: {len(leads)} leads by Leadbus")
        before, requests, began = await crm.calls_by_operation(), await crm.requests(), time.time()
        await _deliver(place, connection, leads)
        ours = len(leads) / (max(place.reports.done[lead.prospect] for lead in leads) - began)
        made = Counter(await crm.calls_by_operation()) - Counter(before)
        requested = await crm.requests() - requests
        stage.progress(f"{way.name}: {ours:.0f} leads/s, {theirs:.1f} by the plug-in; calls: {dict(made)}")
        await _judge(crm, leads)
    more = {} if requested == made.total() else {"requests": 1_000 * requested / len(leads)}
    return {
        f"{way.name}_rate": Reading(ours, theirs),
        f"{way.name}_calls": Reading(
            1_000 * made.total() / len(leads), 1_000 * their_calls / len(others), more=more
        ),
    }


async def _deliver(place: Place, connection: str, leads: Sequence[Lead]) -> None:
    await publish(place.publisher, [lead.fact(connection) for lead in leads])
    await place.reports.until(leads, _WITHIN)


async def _judge(crm: Simulator, leads: list[Lead]) -> None:
    """A rate counts only if every lead is there once, with its note."""
    expected = {lead.email: [1] for lead in leads}
    if await crm.notes_by_email(expected.keys()) != expected:
        raise RuntimeError("Not every lead arrived once, with its note.")


def _measurement(way: Way) -> Measurement:
    return Measurement(
        (
            Figure(
                f"{way.name}_rate",
                "leads/s",
                Goal(">=", 20),
                f"new leads with a note each, {way.title}, against a sequential plug-in",
            ),
            Figure(
                f"{way.name}_calls",
                "calls/1000 leads",
                Goal("<=", 0.1),
                f"what they cost in calls, {way.title}",
            ),
        ),
        partial(_measure, way),
    )


MEASUREMENTS = tuple(map(_measurement, WAYS))
