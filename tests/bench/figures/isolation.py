"""One slow CRM delays nobody else: how long another connection's leads take, with it and without it.

Both connections live in one connector process. The rounds alternate; in half of them the slow CRM's
connection is on and is given more leads than it can get rid of.
"""

import asyncio
from collections.abc import Mapping, Sequence
from statistics import median, quantiles

from bench.facts import Lead, new_leads, publish_at_rate
from bench.figure import Figure, Goal, Measurement, Reading
from bench.stage import Place, Stage

LEADS, ROUNDS = 2_000, 5
PER_SECOND = 50.0
SLOW_SECONDS = 5.0
SLOW_SHARE = 2
"""The slow CRM's leads are one to so many of the other's: a rate of 25 a second, where it takes 18."""
_WITHIN = 300.0


async def _measure(stage: Stage) -> Mapping[str, Reading]:
    count = stage.count(LEADS)
    alone: list[float] = []
    beside: list[float] = []
    async with stage.crm("sugar-14") as crm, stage.crm("sugar-14") as slow, stage.place() as place:
        name = await place.connector.connect("quick", crm)
        slow_name = await place.connector.connect("slow", slow)
        for connection in (name, slow_name):
            await place.connector.until_read(connection)
        for number in range(ROUNDS if stage.size >= 1 else 1):
            await place.connector.turn(slow_name, "off")
            alone.append(await _p99(place, name, new_leads("quick", count)))
            await place.connector.turn(slow_name, "on")
            await slow.slow(SLOW_SECONDS)
            others = new_leads("slow", count // SLOW_SHARE)
            rate = PER_SECOND / SLOW_SHARE
            feeding = asyncio.create_task(publish_at_rate(place.publisher, slow_name, others, rate))
            beside.append(await _p99(place, name, new_leads("quick", count)))
            await feeding
            await slow.slow(0)
            await place.reports.until(others, _WITHIN)
            stage.progress(
                f"Round {number + 1}: p99 {1000 * alone[-1]:.0f} ms alone, {1000 * beside[-1]:.0f} ms beside"
            )
    ratios = [with_it / without for with_it, without in zip(beside, alone, strict=True)]
    return {"crm_isolation": Reading(1000 * median(beside), 1000 * median(alone), median(ratios))}


async def _p99(place: Place, connection: str, leads: Sequence[Lead]) -> float:
    """Seconds from a fact's publication to the report that its lead and note are in the CRM."""
    handed = await publish_at_rate(place.publisher, connection, leads, PER_SECOND)
    await place.reports.until(leads, _WITHIN)
    return quantiles((place.reports.done[name] - at for name, at in handed.items()), n=100)[-1]


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "crm_isolation",
                "ms",
                Goal("<=", 1.25),
                f"p99 from fact to report beside a CRM that takes {SLOW_SECONDS:g} s a call, against without",
            ),
        ),
        _measure,
    ),
)
