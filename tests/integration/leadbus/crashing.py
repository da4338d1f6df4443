"""A member that says where it has got to and waits there to be killed.

`crashing.py KAFKA MONGODB PREFIX publish|commit|beside`; beside = a batch is written, the next one computed.
"""

import asyncio
import sys
from types import SimpleNamespace

from conftest import Bench
from leadbus.storage.mongo import connect


async def main(bootstrap_servers: str, url: str, prefix: str, point: str) -> None:
    client = connect(url, app_name="crashing")
    bench = Bench(SimpleNamespace(bootstrap_servers=bootstrap_servers), None, client, prefix)  # type: ignore[arg-type]

    if point == "beside":
        await beside(bench)

    async def hang(*_: object) -> None:
        print("here", flush=True)
        await asyncio.sleep(600)

    member = bench.member(publisher=SimpleNamespace(publish=hang))  # type: ignore[arg-type]
    if point == "commit":
        handle = member.handler.handle

        async def handle_and_hang(batch):  # type: ignore[no-untyped-def]
            effects = await handle(batch)
            write = effects.write

            async def write_and_hang(session):  # type: ignore[no-untyped-def]
                await write(session)
                await hang()

            effects.write = write_and_hang
            return effects

        member.handler.handle = handle_and_hang
    await member.consumer.start()
    await asyncio.sleep(600)


async def beside(bench: Bench) -> None:
    await bench.publisher.start()
    member = bench.member(kind=bench.keeping, batch_records=10)
    written, computed = 0, 0
    reached = asyncio.Event()

    async def hang_in_the_second(_: object) -> None:
        nonlocal written
        written += 1
        if written == 2:
            reached.set()
            await asyncio.sleep(600)

    async def say_in_the_third(_: object) -> None:
        nonlocal computed
        computed += 1
        if computed == 3:
            await reached.wait()
            print("here", flush=True)
            await asyncio.sleep(600)

    member.handler.writing, member.handler.before = hang_in_the_second, say_in_the_third
    await member.consumer.start()
    await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
