"""Memory is flat: a connector that reads a large CRM for the first time against one that reads a small one.

Each is a process of its own; its peak (VmHWM) counts, from its start to the end of the first full sync.
"""

import time
from collections.abc import Iterator, Mapping

from bench.figure import Figure, Goal, Measurement, Reading
from bench.stage import Stage

MANY, FEW = 200_000, 20_000


async def _measure(stage: Stage) -> Mapping[str, Reading]:
    few, few_rate = await _peak(stage, stage.count(FEW))
    many, many_rate = await _peak(stage, stage.count(MANY))
    return {"first_sync_memory": Reading(many, few, more={"contacts_per_s": many_rate, "of_few": few_rate})}


async def _peak(stage: Stage, count: int) -> tuple[float, float]:
    """MiB, and contacts a second."""
    async with stage.crm("sugar-14", call_ms=0, row_ms=0) as crm, stage.place() as place:
        stage.progress(f"First sync: a CRM with {count} contacts is made")
        await crm.load("Contacts", _contacts(count))
        began = time.monotonic()
        connection = await place.connector.connect("acme", crm)
        stage.progress(f"First sync: {count} contacts are read")
        await place.connector.until_read(connection)
        rate = count / (time.monotonic() - began)
        read = (await place.connector.pulls(connection))["contact"]["read"]
        if read != count:
            raise RuntimeError(f"{read} of {count} contacts were read.")
        stage.progress(f"First sync: {count} contacts, {rate:.0f}/s, {place.connector.peak_mib():.0f} MiB")
        return place.connector.peak_mib(), rate


def _contacts(count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        yield {
            "first_name": "Ada",
            "last_name": f"Lovelace {number}",
            "phone_work": f"+44 20 {number:08}",
            "primary_address_city": "London",
            "email1": f"p{number}@acme.example",
        }


MEASUREMENTS = (
    Measurement(
        (
            Figure(
                "first_sync_memory",
                "MiB",
                Goal("<=", 1.15),
                f"peak memory of the first sync of {MANY:,} contacts, against that of {FEW:,}",
            ),
        ),
        _measure,
    ),
)
