"""A pod that says where it has got to and waits there to be killed: `crashing.py MONGODB DATABASE POINTS`.

POINTS: by the CRM's address, as JSON; one that is at no other point stops where it would publish.
"""

import asyncio
import json
import sys
from types import SimpleNamespace

from conftest import Bench, Pod
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry


async def here(*_: object) -> None:
    print("here", flush=True)
    await asyncio.sleep(600)


class Stopping:
    """An adapter that gets no further than its create."""

    def __init__(self, adapter, point):  # type: ignore[no-untyped-def]
        self._adapter, self._point = adapter, point

    def __getattr__(self, name):  # type: ignore[no-untyped-def]
        return getattr(self._adapter, name)

    async def create(self, people):  # type: ignore[no-untyped-def]
        if self._point == "before create":
            await here()
        outcomes = await self._adapter.create(people)
        if self._point == "after create":
            await here()
        return outcomes


async def main(url: str, database: str, points: str) -> None:
    point_of = json.loads(points)
    client = connect(url, app_name="crashing")

    async def publish(records):  # type: ignore[no-untyped-def]
        if records:
            await here()
        return []

    kit = SimpleNamespace(
        publisher=SimpleNamespace(publish=publish), telemetry=Telemetry("connector-sugar", {})
    )
    bench = Bench(kit, client, client[database])  # type: ignore[arg-type]
    await Pod(bench, wrap=lambda adapter: Stopping(adapter, point_of[adapter._connection.access.url])).start()  # type: ignore[arg-type,return-value]
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
