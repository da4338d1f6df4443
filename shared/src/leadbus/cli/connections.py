"""`leadbus connections`: connect CRMs, test them, turn them on and off."""

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table

from leadbus.cli.calls import HOW, Refused, ServiceAway, ask, console, services
from leadbus.errors import LeadbusError

HELP = f"""Connections of tenants to their CRMs.

  leadbus connections apply acme.yaml       create it, or replace its settings
  leadbus connections test acme-sugar       address, credentials, permissions, options
  leadbus connections on acme-sugar         the same test; then leads begin to flow
  leadbus connections off acme-sugar        leads are kept for it until it is on again
  leadbus connections list

A file holds the settings of one connection, such as

  crm: sugar
  connection_id: acme-sugar
  tenant_id: acme
  access:
    url: https://crm.acme.example
    user: leadbus
    password: ${{ACME_PASSWORD}}
  marketing_automation: {{threshold: 50}}

where ${{NAME}} is taken from the environment, so that no password need stand in a file.

{HOW}
"""

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)

NAME = Annotated[str, typer.Argument(help="The connection's name.")]
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")


def register(root: typer.Typer) -> None:
    """Adds `connections`."""
    root.add_typer(commands, name="connections")


@commands.command()
def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Settings, as YAML or JSON.")],
) -> None:
    """Creates a connection or replaces its settings; it stays on or off as it was."""
    settings = _read(file)
    crm, name = settings.get("crm"), settings.get("connection_id")
    connectors = services("connector-")
    if f"connector-{crm}" not in connectors or not isinstance(name, str):
        known = ", ".join(connector.removeprefix("connector-") for connector in connectors)
        raise LeadbusError(f"{file} must name a crm ({known}) and a connection_id.")
    applied = ask(f"connector-{crm}", "PUT", f"/v1/connections/{name}", json=settings)
    state = "on" if applied["on"] else f"off; turn it on with: leadbus connections on {name}"
    console.print(f"Connection {name}, revision {applied['revision']}, is {state}")


@commands.command("list")
def list_connections() -> None:
    """Lists connections, with how they fare."""
    table = Table("connection", "tenant", "crm", "state", "threshold", "health")
    for connection in _all():
        settings, health = connection["settings"], connection["health"]
        table.add_row(
            connection["connection_id"],
            connection["tenant_id"],
            settings["crm"],
            "[green]on[/green]" if connection["on"] else "off",
            str(settings["marketing_automation"]["threshold"]),
            health["state"]
            if health["state"] == "well"
            else f"[red]{health['state']}[/red] {health['reason']}",
        )
    console.print(table)


@commands.command()
def test(connection: NAME) -> None:
    """Tests a connection; exit code 1 if something is wrong."""
    _show_findings(_command(connection, "test"))


@commands.command()
def on(connection: NAME) -> None:
    """Tests a connection and turns it on if nothing is wrong."""
    answer = _command(connection, "on")
    _show_findings(answer)
    console.print(f"Connection {connection} is on.")


@commands.command()
def off(connection: NAME) -> None:
    """Turns a connection off; what comes meanwhile is kept for it."""
    _command(connection, "off")
    console.print(f"Connection {connection} is off; leads are kept for it until it is on again.")


def _all() -> list[dict[str, Any]]:
    """Of every connector that answers."""
    found: list[dict[str, Any]] = []
    away: list[ServiceAway] = []
    connectors = services("connector-")
    for service in connectors:
        try:
            found += ask(service, "GET", "/v1/connections")["connections"]
        except ServiceAway as error:
            away.append(error)
    if away and len(away) == len(connectors):
        raise away[0]
    return found


def _command(connection: str, verb: str) -> dict[str, Any]:
    """Sends a command to the connector that knows the connection."""
    last: LeadbusError | None = None
    for service in services("connector-"):
        try:
            answer: dict[str, Any] = ask(service, "POST", f"/v1/connections/{connection}/{verb}")
        except (ServiceAway, Refused) as error:
            if isinstance(error, Refused) and error.status != 404:
                raise
            last = error
        else:
            return answer
    raise last or LeadbusError("No connector is known.")


def _show_findings(answer: dict[str, Any]) -> None:
    table = Table("", "what", "why", "what to do")
    for finding in answer["findings"]:
        mark = "[green]ok[/green]" if finding["ok"] else "[red]wrong[/red]"
        table.add_row(mark, finding["what"], finding["why"], finding["advice"])
    console.print(table)
    if not answer["ok"]:
        raise typer.Exit(1)


def _read(file: Path) -> dict[str, Any]:
    text = _VARIABLE.sub(lambda match: _variable(file, match[1]), file.read_text(encoding="utf-8"))
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise LeadbusError(f"{file} is not readable as YAML ({type(error).__name__}).") from None
    if not isinstance(settings, dict):
        raise LeadbusError(f"{file} must hold the settings of one connection.")
    return settings


def _variable(file: Path, name: str) -> str:
    if name not in os.environ:
        raise LeadbusError(f"{file} asks for the variable {name}, which is not set.")
    return os.environ[name]
