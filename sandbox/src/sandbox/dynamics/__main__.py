"""`python -m sandbox.dynamics`: the CRM as a process of its own, until it is told to end."""

import argparse
import asyncio
import contextlib

from .server import Dynamics
from .site import VERSIONS, Settings


def main() -> None:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m sandbox.dynamics", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="SQLite file, kept")
    parser.add_argument("--version", choices=list(VERSIONS), default=usual.version)
    parser.add_argument("--online", action=argparse.BooleanOptionalAction, help="by default from 9.2 on")
    parser.add_argument("--organisation", default=usual.organisation)
    parser.add_argument("--user", default=usual.user, help="who may sign in by NTLM")
    parser.add_argument("--password", default=usual.password)
    parser.add_argument("--domain", default=usual.domain)
    parser.add_argument("--client-id", default=usual.client_id, help="of the application, online")
    parser.add_argument("--client-secret", default=usual.client_secret)
    parser.add_argument("--tenant", default=usual.tenant)
    parser.add_argument("--call-seconds", type=float, default=0.0, help="the least a call takes")
    parser.add_argument("--row-seconds", type=float, default=0.0, help="what each written row adds")
    parser.add_argument("--trusted-header", default="", help="a proxy in front names the user in it")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(**vars(parser.parse_args())))


async def _serve(**options: object) -> None:
    crm = Dynamics(**options)  # type: ignore[arg-type]
    await crm.start(owns_process=True)
    print(crm.url, flush=True)
    await crm.closed()
    crm.store.close()


if __name__ == "__main__":
    main()
