"""`leadbus secrets`: what connectors keep encrypted."""

import typer

from leadbus.cli.calls import HOW, ServiceAway, ask, console, services

HELP = f"""What connectors keep encrypted: the credentials of connections, and tokens got with them.

  leadbus secrets renew                 encrypt all of it under the first key of LEADBUS_SECRET_KEY

To change the key: put the new one before the old one (new,old), restart connectors and feedback, renew, and
take the old one away 30 days later: links in mails are sealed with it, too.

{HOW}
"""

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)


def register(root: typer.Typer) -> None:
    """Adds `secrets`."""
    root.add_typer(commands, name="secrets")


@commands.callback()
def secrets() -> None:
    """Only here so that a single sub-command keeps its name."""


@commands.command()
def renew() -> None:
    """Encrypts all stored secrets anew; exit code 1 if some could not be."""
    missed = False
    for service in services("connector-"):
        try:
            answer = ask(service, "POST", "/v1/secrets/renew")
        except ServiceAway as away:
            missed = True
            console.print(str(away))
            continue
        told = "{connections} connections and {tokens} tokens are under the first key.".format(**answer)
        console.print(f"{service}: {told}")
        for connection in answer["unreadable"]:
            missed = True
            console.print(f"  {connection}: no key fits; apply it with its credentials.")
    if missed:
        raise typer.Exit(1)
