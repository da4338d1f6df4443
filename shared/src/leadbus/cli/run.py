"""`leadbus run` and `leadbus prepare`: services in the foreground, and what they need before."""

import os
from typing import Annotated

import typer
from rich.console import Console

from leadbus.installed import importing, installed

HELP = """Run services in the foreground until Ctrl-C or SIGTERM.

  leadbus run ingest                    one service, as in a pod
  leadbus run ingest scoring            two in one process
  leadbus run --all                     all that are installed

Exit codes: 0 stopped as asked, 1 crashed, 2 wrongly configured.
"""


PREPARE_HELP = """Make the collections, indexes and topics that services need, and end.

  leadbus prepare scoring               before its first pod, or before a release
  leadbus prepare --all                 of every installed service

It changes nothing that is there already, so it may be run any number of times, also beside running services.
It waits for MongoDB and Kafka. Exit codes: 0 all is there, 1 crashed, 2 wrongly configured.
"""


def register(root: typer.Typer) -> None:
    """Adds both."""
    root.command("run", help=HELP)(run)
    root.command("prepare", help=PREPARE_HELP)(prepare)


def run(
    services: Annotated[list[str] | None, typer.Argument(help="Names of services; see --list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every installed service.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Only name the installed services.")] = False,
) -> None:
    """See HELP."""
    if show:
        Console(highlight=False).print("\n".join(installed()))
        return
    names = _named(services, everything)
    # All that services need; other commands, and those who type them, do not wait for it.
    with importing():
        from leadbus import runner

    raise typer.Exit(runner.run(names, os.environ))


def prepare(
    services: Annotated[list[str] | None, typer.Argument(help="Names of services; see run --list.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every installed service.")] = False,
) -> None:
    """See PREPARE_HELP."""
    names = _named(services, everything)
    with importing():
        from leadbus import runner

    raise typer.Exit(runner.prepare(names, os.environ))


def _named(services: list[str] | None, everything: bool) -> list[str]:
    names = list(installed()) if everything else services or []
    if not names:
        Console(stderr=True).print("Name a service, or use --all; leadbus run --list names them.")
        from leadbus.runner import MISUSED

        raise typer.Exit(MISUSED)
    return names
