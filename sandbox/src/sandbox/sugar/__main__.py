"""`python -m sandbox.sugar`: the CRM as a process of its own, until it is told to end."""

import argparse
import asyncio
import contextlib

from . import site
from .server import SugarCRM
from .site import Settings

_SITES = {
    "everything": site.EVERYTHING,
    "suitecrm-7": site.SUITECRM_7,
    "suitecrm-7-soap": site.SUITECRM_7_SOAP,
    "sugar-7": site.SUGAR_7,
    "sugar-12": site.SUGAR_12,
    "sugar-14": site.SUGAR_14,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.sugar", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--database", default=":memory:", metavar="FILE", help="SQLite file, kept")
    parser.add_argument("--site-url", help="what the WSDL says its address is")
    parser.add_argument("--dies", action="append", default=[], metavar="VERSION.OPERATION")
    parser.add_argument("--cost-per-call-ms", type=float, default=0.0)
    parser.add_argument("--cost-per-row-ms", type=float, default=0.0)
    parser.add_argument("--speaks", choices=list(_SITES), default="everything", help="which Sugar it is")
    parser.add_argument("--teams", action="store_true", help="records have teams")
    parser.add_argument("--hook-seconds", type=float, default=60.0, help="how often web hooks are sent")
    options = vars(parser.parse_args())
    options["protocols"] = _SITES[options.pop("speaks")]
    options["settings"] = Settings(hook_seconds=options.pop("hook_seconds"))
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
