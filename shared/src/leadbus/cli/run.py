"""`leadbus run`: services in the foreground."""

import os
from typing import Annotated

import typer
from rich.console import Console

from leadbus.installed import installed

HELP = """Run services in the foreground until Ctrl-C or SIGTERM.

  leadbus run ingest                    one service, as in a pod
  leadbus run ingest scoring            two in one process
  leadbus run --all                     all that are installed

Exit codes: 0 stopped as asked, 1 crashed, 2 wrongly configured.
"""


def register(root: typer.Typer) -> None:
    """Adds `run`."""
    root.command("run", help=HELP)(run)


def run(
    services: Annotated[list[str] | None, typer.Argument(help="Names of services; see --list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every installed service.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Only name the installed services.")] = False,
) -> None:
    """See HELP."""
    if show:
        Console(highlight=False).print("\n".join(installed()))
        return
    # All that a service needs; other commands, and those who type them, do not wait for it.
    from leadbus import runner

    names = list(installed()) if everything else services or []
    if not names:
        Console(stderr=True).print("Name a service, or use --all; leadbus run --list names them.")
        raise typer.Exit(runner.MISUSED)
    raise typer.Exit(runner.run(names, os.environ))
