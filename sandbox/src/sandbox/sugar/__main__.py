"""`python -m sandbox.sugar`: the CRM as a process of its own, until it is told to end."""

import argparse
import asyncio
import contextlib

from .server import SugarCRM


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.sugar", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="SQLite file, kept")
    parser.add_argument("--site-url", help="what the WSDL says its address is")
    parser.add_argument("--dies", action="append", default=[], metavar="VERSION.OPERATION")
    parser.add_argument("--cost-per-call-ms", type=float, default=0.0)
    parser.add_argument("--cost-per-row-ms", type=float, default=0.0)
    options = vars(parser.parse_args())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(port=options.pop("port"), options=options))


async def _serve(port: int, options: dict[str, object]) -> None:
    crm = SugarCRM(**options)  # type: ignore[arg-type]
    await crm.start(port, owns_process=True)
    print(crm.url, flush=True)
    await crm.closed()
    crm.store.close()


if __name__ == "__main__":
    main()
