"""Leads a second and calls per 1,000 leads, against a plug-in that does one thing after the other.

Ours is the whole way: facts from Kafka, merged, worked off, settled, reported to Kafka. Its clock starts
when the first fact is published and stops when the last lead is reported with its note. Both sides have
signed in before, and Leadbus has delivered one lead: it goes carefully with a CRM that it has never met.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from bench.facts import Lead, new_leads, publish
from bench.figure import Figure, Goal, Measurement, Reading
from bench.plugins import BY_PROTOCOL
from bench.simulator import Simulator
from bench.stage import Place, Stage

LEADS, PLUGIN_LEADS = 2_000, 50
_TENANT = "acme"
_SPEAKS = {"soap": "suitecrm-7-soap", "rest": "sugar-14", "legacy_rest": "suitecrm-7"}
_WITHIN = 600.0


async def _measure(protocol: str, stage: Stage) -> Mapping[str, Reading]:
    leads = new_leads(_TENANT, stage.count(LEADS))
    others = new_leads("plug-in", stage.count(PLUGIN_LEADS))
    async with stage.crm(_SPEAKS[protocol]) as crm, stage.place() as place:
        stage.progress(f"{protocol}: {len(others)} leads by a plug-in")
        seconds = await asyncio.to_thread(BY_PROTOCOL[protocol], crm.url, [lead.email for lead in others])
        theirs, their_calls = len(others) / seconds, await crm.calls()
        connection = await place.connector.connect(_TENANT, crm)
        await place.connector.until_read(connection)
        await _deliver(place, connection, new_leads(_TENANT, 1))
        stage.progress(f"{protocol}: {len(leads)} leads by Leadbus")
        before, began = await crm.calls_by_operation(), time.time()
        await _deliver(place, connection, leads)
        ours = len(leads) / (max(place.reports.done[lead.prospect] for lead in leads) - began)
        made = Counter(await crm.calls_by_operation()) - Counter(before)
        stage.progress(f"{protocol}: {ours:.0f} leads/s, {theirs:.1f} by the plug-in; calls: {dict(made)}")
        await _judge(crm, leads)
    return {
        f"sugar_{protocol}_rate": Reading(ours, theirs),
        f"sugar_{protocol}_calls": Reading(
            1_000 * made.total() / len(leads), 1_000 * their_calls / len(others)
        ),
    }


async def _deliver(place: Place, connection: str, leads: Sequence[Lead]) -> None:
    await publish(place.publisher, [lead.fact(connection) for lead in leads])
    await place.reports.until(leads, _WITHIN)


async def _judge(crm: Simulator, leads: list[Lead]) -> None:
    """A rate counts only if every lead is there once, with its note."""
    expected = {lead.email for lead in leads}
    ids = {row["id"]: row["email"] for row in await crm.records("Leads") if row["email"] in expected}
    noted = Counter(ids[row["parent_id"]] for row in await crm.records("Notes") if row["parent_id"] in ids)
    if len(ids) != len(leads) or noted != Counter(expected):
        raise RuntimeError("Not every lead arrived once, with its note.")


def _measurement(protocol: str, title: str) -> Measurement:
    return Measurement(
        (
            Figure(
                f"sugar_{protocol}_rate",
                "leads/s",
                Goal(">=", 20),
                f"new leads with a note each, {title}, against a sequential plug-in",
            ),
            Figure(
                f"sugar_{protocol}_calls",
                "calls/1000 leads",
                Goal("<=", 0.1),
                f"what they cost in calls, {title}",
            ),
        ),
        partial(_measure, protocol),
    )


MEASUREMENTS = (
    _measurement("soap", "by SOAP"),
    _measurement("rest", "by modern REST"),
    _measurement("legacy_rest", "by the older REST service"),
)
