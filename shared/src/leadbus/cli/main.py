"""`leadbus`: one table of command modules, each with one job."""

import sys
from collections.abc import Callable

import typer
from rich.console import Console

from leadbus.cli import (
    addresses,
    connections,
    dead_letters,
    errors,
    feedback,
    fields,
    groups,
    keys,
    lead,
    persons,
    rules,
    run,
    secrets,
)
from leadbus.errors import LeadbusError

HELP = """Leadbus carries leads between marketing and CRMs.

[bold]Run services[/bold] (settings come from the environment)

  leadbus run --list                    which services are installed
  leadbus run ingest                    one service, as in a pod
  leadbus run --all                     every installed service in one process
  leadbus prepare scoring               the indexes and topics it needs, before a release

[bold]Let somebody post events[/bold]

  leadbus keys create acme --scope ingest     a new API key for the tenant acme, shown once
  leadbus keys list acme                      its keys, without their secrets
  leadbus addresses list acme                 from where its keys may be used

[bold]Connect a CRM[/bold]

  leadbus connections apply acme.yaml   its settings; then test, then on
  leadbus connections settings sugar    every setting there is, with its help
  leadbus connections list              how each of them fares
  leadbus connections sync acme-sugar   read from it now; progress shows how far that is
  leadbus errors acme-sugar             what it refused or could not be taken in, and what to do
  leadbus fields list acme              a tenant's own fields, beside those that everybody has

[bold]Follow a lead[/bold]

  leadbus lead anna@example.com --tenant acme     every hop so far, and the record in the CRM
  leadbus feedback list --tenant acme   what became of leads that suppliers handed over
  leadbus feedback answer ID accepted   for the tenant; the supplier hears of it

[bold]Erase a person, or say what is held of one[/bold]

  leadbus erase anna@example.com --tenant acme    from every service, without a way back
  leadbus export anna@example.com --tenant acme   everything that every service holds

[bold]Say what gives points, and find points that mean something[/bold]

  leadbus rules show --tenant acme      the rules in force; preview, set, apply-to-history
  leadbus rules fit leads.csv --outcome Converted   learn them from what became of leads
  leadbus rules fit --tenant acme       propose them from what CRMs told; nothing is put in force

[bold]Change the key that encrypts stored secrets[/bold]

  leadbus secrets renew                 all of them under the first key of LEADBUS_SECRET_KEY

[bold]Mend what could not be read[/bold]

  leadbus dead-letters list             what lies there, and why
  leadbus dead-letters replay scoring   publish it again

Every command explains itself: leadbus COMMAND --help
"""

COMMANDS: tuple[Callable[[typer.Typer], object], ...] = (
    run.register,
    keys.register,
    addresses.register,
    connections.register,
    dead_letters.register,
    errors.register,
    fields.register,
    lead.register,
    persons.register,
    rules.register,
    feedback.register,
    secrets.register,
)


def app() -> typer.Typer:
    """The command with all its sub-commands."""
    root = typer.Typer(
        help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False
    )

    @root.callback()
    def leadbus() -> None:
        """Only here so that a single sub-command keeps its name."""

    for register in (*COMMANDS, *groups.of_services()):
        register(root)
    return root


def main() -> None:
    """Runs the command; an error we know is one sentence, not a traceback."""
    try:
        app()()
    except LeadbusError as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False)
        sys.exit(1)
