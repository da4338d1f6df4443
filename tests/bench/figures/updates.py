"""Updates a second and credits per 1,000 of them, against a client that searches each lead and puts it.

Ours is the whole way: facts from Kafka, merged, worked off, settled, reported to Kafka. Its clock starts
when the first fact is published and stops when the last lead is reported as written. Leadbus has brought all
leads there before, and both sides have signed in.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping

from bench.facts import new_leads, publish
from bench.figure import Figure, Goal, Measurement, Reading
from bench.plugins import zoho as plugin
from bench.stage import Stage

LEADS, PLUGIN_LEADS = 2_000, 50
_TENANT = "acme"
_WITHIN = 600.0
_THEIRS, _OURS = "Engineer", "Countess"


async def _measure(stage: Stage) -> Mapping[str, Reading]:
    leads = new_leads(_TENANT, stage.count(LEADS))
    others = leads[: stage.count(PLUGIN_LEADS)]
    emails = {lead.email for lead in leads}
    async with stage.zoho() as crm, stage.place("connector-zoho") as place:
        terms = {"marketing_automation": {"field_updates": True}}
        connection = await place.connector.connect(_TENANT, crm, **terms)
        await place.connector.until_read(connection)
        stage.progress(f"zoho: {len(leads)} leads are brought there")
        await publish(place.publisher, [lead.fact(connection) for lead in leads])
        await place.reports.until(leads, _WITHIN)

        stage.progress(f"zoho: {len(others)} of them are changed by a plug-in")
        access, before = await crm.access(), await crm.credits()
        wanted = [lead.email for lead in others]
        seconds = await asyncio.to_thread(plugin.work, crm.url, access, wanted, _THEIRS)
        theirs, their_credits = len(others) / seconds, await crm.credits() - before

        stage.progress(f"zoho: {len(leads)} are changed by Leadbus")
        calls, before, began = await crm.calls_by_operation(), await crm.credits(), time.time()
        await publish(place.publisher, [lead.promotion(_OURS) for lead in leads])
        await place.reports.until_changed(leads, _WITHIN)
        ours = len(leads) / (max(place.reports.changed[lead.prospect] for lead in leads) - began)
        our_credits = await crm.credits() - before
        made = Counter(await crm.calls_by_operation()) - Counter(calls)
        stage.progress(f"zoho: {ours:.0f} leads/s, {theirs:.1f} by the plug-in; calls: {dict(made)}")
        rows = [row for row in await crm.records("Leads") if row["Email"] in emails]
        if len(rows) != len(leads) or any(row["Designation"] != _OURS for row in rows):
            raise RuntimeError("Not every lead was changed.")
    return {
        "zoho_updates_rate": Reading(ours, theirs),
        "zoho_updates_credits": Reading(
            1_000 * our_credits / len(leads), 1_000 * their_credits / len(others)
        ),
    }


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "zoho_updates_rate",
                "updates/s",
                Goal(">=", 40),
                "changes of leads that are there, in Zoho CRM, against a sequential search-then-put client",
            ),
            Figure(
                "zoho_updates_credits",
                "credits/1000 updates",
                Goal("<=", 0.1),
                "what they cost of the day's credits",
            ),
        ),
        _measure,
    ),
)
