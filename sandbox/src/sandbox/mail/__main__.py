"""`python -m sandbox.mail`: the mail server as a process of its own, until it is told to end."""

import argparse
import asyncio
import contextlib

from .server import MailServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.mail", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the inbox in a browser; 0 = any free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 = any free one")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(**vars(parser.parse_args())))


async def _serve(port: int, smtp_port: int) -> None:
    server = MailServer(port=port, smtp_port=smtp_port)
    await server.start(owns_process=True)
    print(server.page, server.url, flush=True)
    await server.closed()


if __name__ == "__main__":
    main()
