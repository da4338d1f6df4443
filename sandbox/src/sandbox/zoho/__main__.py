"""`python -m sandbox.zoho`: the CRM as a process of its own, until it is told to end."""

import argparse
import asyncio
import contextlib

from .limits import EDITIONS
from .server import Zoho


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.zoho", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="SQLite file, kept")
    parser.add_argument("--edition", choices=list(EDITIONS), default="enterprise")
    parser.add_argument("--zgid", default="20000000001", help="the organisation's number")
    parser.add_argument("--user", default="api@example.test", help="email of its first user")
    parser.add_argument("--client-id", default="1000.LEADBUS")
    parser.add_argument("--client-secret", default="secret")
    parser.add_argument("--call-seconds", type=float, default=0.0, help="the least a call takes")
    parser.add_argument("--row-seconds", type=float, default=0.0, help="what each written row adds")
    parser.add_argument("--credits", type=int, help="of a day; default by edition")
    parser.add_argument("--search-lag-seconds", type=float, default=0.0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(**vars(parser.parse_args())))


async def _serve(**options: object) -> None:
    crm = Zoho(**options)  # type: ignore[arg-type]
    await crm.start(owns_process=True)
    print(crm.url, flush=True)
    await crm.closed()
    crm.store.close()


if __name__ == "__main__":
    main()
