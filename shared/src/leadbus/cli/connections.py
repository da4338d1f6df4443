"""`leadbus connections`: connect CRMs, test them, change their settings, turn them on and off."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from leadbus.cli import campaigns, crm_fields, crm_lists, products, syncs
from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import HOW, Refused, ServiceAway, ask, console, services
from leadbus.cli.settings_given import patch_of, settings_in
from leadbus.errors import LeadbusError

HELP = f"""Connections of tenants to their CRMs.

  leadbus connections supported             which CRMs can be connected, in which versions
  leadbus connections settings sugar        the same of one, and every setting there is, with its help
  leadbus connections apply acme.yaml       create it, or replace its settings
  leadbus connections sign-in acme-zoho     the address at which to sign in to a CRM that asks for a browser
  leadbus connections test acme-sugar --access    only whether Leadbus gets in
  leadbus connections test acme-sugar       address, credentials, permissions, options, fields
  leadbus connections on acme-sugar         the same test; then leads begin to flow
  leadbus connections off acme-sugar        leads are kept for it until it is on again
  leadbus connections set acme-sugar lead_source=Campaign access.password=-
  leadbus connections sync acme-sugar       read from the CRM now, instead of at the next scheduled time
  leadbus connections progress acme-sugar   how far reading is, per kind of record
  leadbus connections fields acme-sugar     the fields of the CRM's leads and what they offer
  leadbus connections lists acme-sugar      the CRM's lists to choose from, and which are read
  leadbus connections dry-run acme-sugar --email ann@example.com    what would be written, and why
  leadbus connections campaigns acme-sugar  where campaigns stand in the CRM, and how many are in them
  leadbus connections history acme-sugar    who changed what, and when
  leadbus connections list

A file holds the settings of one connection. These are enough to save and test it, all else has a default:

  crm: sugar
  connection_id: acme-sugar
  tenant_id: acme
  access:
    url: https://crm.acme.example
    user: leadbus
    password: ${{ACME_PASSWORD}}

where ${{NAME}} is taken from the environment, so that no password need stand in a file.

{HOW}
"""

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)

NAME = Annotated[str, typer.Argument(help="The connection's name.")]


def register(root: typer.Typer) -> None:
    """Adds `connections`."""
    syncs.register(commands)
    campaigns.register(commands)
    crm_fields.register(commands)
    crm_lists.register(commands)
    products.register(commands)
    root.add_typer(commands, name="connections")


@commands.command("settings")
def show_settings(
    crm: Annotated[str, typer.Argument(help="The CRM, such as sugar.")],
    path: Annotated[str, typer.Option(help="Only what is below, such as access or schedules.lead.")] = "",
) -> None:
    """Shows what can be connected, and every setting: type, default, allowed values and help."""
    table = Table("setting", "type", "default", "allowed", "what it is")
    told, below = _told(crm), (f"{path}.", f"{path}[")
    rows = [row for row in told["settings"] if not path or f"{row['path']}.".startswith(below)]
    if not rows:
        raise LeadbusError(f"There is no setting {path}; leadbus connections settings {crm} lists all.")
    for row in rows:
        default = "" if row["default"] is None else str(row["default"])
        needed = f" (needed {row['needed']})" if row["needed"] else ""
        table.add_row(row["path"], row["type"], default, row["allowed"], row["help"] + needed)
    if not path:
        products.show(told)
    console.print(table)


@commands.command()
def apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Settings, as YAML or JSON.")],
) -> None:
    """Creates a connection or replaces its settings; it stays on or off as it was."""
    settings = settings_in(file)
    crm, name = settings.get("crm"), settings.get("connection_id")
    connectors = services("connector-")
    if f"connector-{crm}" not in connectors or not isinstance(name, str):
        known = ", ".join(connector.removeprefix("connector-") for connector in connectors)
        raise LeadbusError(f"{file} must name a crm ({known}) and a connection_id.")
    _show_revision(ask(f"connector-{crm}", "PUT", f"/v1/connections/{name}", json=settings))


@commands.command("set")
def change(
    connection: NAME,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH=VALUE...",
            help="Settings to change, such as lead_source=Campaign or schedules.lead.every_seconds=60. A"
            " value - is asked for without being shown, for passwords. Lists and sections are given as YAML:"
            " event_types='[web_view, form_submission]'. null empties a setting.",
        ),
    ],
) -> None:
    """Changes some settings of a connection; the others stay.

    A new password ends the pause of a connection whose credentials were refused.
    """
    crm = _known(connection)
    rows = _told(crm)["settings"]
    patch = patch_of(settings, rows, hidden=lambda path: typer.prompt(path, hide_input=True))
    _show_revision(ask(f"connector-{crm}", "PATCH", f"/v1/connections/{connection}", json=patch))


@commands.command()
def history(connection: NAME) -> None:
    """Shows who changed which settings and when; values are not kept."""
    table = Table("revision", "when", "by", "what", "settings")
    for change in ask_connector("GET", f"{connection}/revisions")["revisions"]:
        table.add_row(
            str(change["revision"]), change["at"], change["by"], change["what"], " ".join(change["changed"])
        )
    console.print(table)


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
            Text("on", "green") if connection["on"] else "off",
            str(settings["marketing_automation"]["threshold"]),
            health["state"]
            if health["state"] == "well"
            else Text.assemble((health["state"], "red"), " ", health["reason"]),
        )
    console.print(table)


@commands.command("test")
def check(
    connection: NAME,
    access: Annotated[bool, typer.Option("--access", help="Only whether Leadbus gets in.")] = False,
) -> None:
    """Tests a connection; exit code 1 if something is wrong.

    It signs in once: refused credentials pause the connection, since more tries could lock the user out.
    """
    _show_findings(ask_connector("POST", f"{connection}/test", {"part": "access" if access else "all"}))


@commands.command("sign-in")
def sign_in(connection: NAME) -> None:
    """Prints the address at which a person signs in to the CRM with a browser and lets Leadbus in.

    \b
      leadbus connections sign-in acme-zoho

    Open it in a browser and sign in as the user, and to the organisation, that
    the connection's settings name; another one is refused. The CRM then leads
    back to a page of Leadbus that says how it went.

    The address serves once, for ten minutes, and until the connection is
    changed. No password passes through Leadbus, and what it was allowed can be
    taken back in the CRM at any time.
    """
    try:
        url = ask(f"connector-{_known(connection)}", "POST", f"/v1/connections/{connection}/sign-in")["url"]
    except Refused as error:
        if error.status != 404:
            raise
        raise LeadbusError(
            "Nobody signs in to this CRM with a browser: it takes the credentials among the connection's"
            f" settings, which leadbus connections test {connection} --access tries."
        ) from None
    console.print("Open this address in a browser, within ten minutes:\n")
    console.print(url, soft_wrap=True)
    console.print(
        "\nSign in there as the user and in the organisation that the connection names, and accept. The page"
        f" that follows says how it went; then: leadbus connections test {connection}"
    )


@commands.command()
def on(connection: NAME) -> None:
    """Tests a connection and turns it on if nothing is wrong."""
    answer = ask_connector("POST", f"{connection}/on")
    _show_findings(answer)
    console.print(f"Connection {connection} is on.")


@commands.command()
def off(connection: NAME) -> None:
    """Turns a connection off; what comes meanwhile is kept for it."""
    ask_connector("POST", f"{connection}/off")
    console.print(f"Connection {connection} is off; leads are kept for it until it is on again.")


def _known(connection: str) -> str:
    """The CRM of a connection."""
    known = next((c for c in _all() if c["connection_id"] == connection), None)
    if known is None:
        raise LeadbusError("There is no connection of this name; leadbus connections list shows yours.")
    return str(known["settings"]["crm"])


def _told(crm: str) -> dict[str, Any]:
    told: dict[str, Any] = ask(f"connector-{crm}", "GET", "/v1/settings")
    return told


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


def _show_revision(applied: dict[str, Any]) -> None:
    name = applied["connection_id"]
    state = "on" if applied["on"] else f"off; turn it on with: leadbus connections on {name}"
    console.print(f"Connection {name}, revision {applied['revision']}, is {state}")
    if applied.get("reread"):
        kinds = " and ".join(f"{kind}s" for kind in applied["reread"])
        console.print(
            f"Fields of {kinds} are mapped that were not read before. Those of records that do not change are"
            f" read at the next comparison, or now with: leadbus connections sync {name} --new-fields"
        )


def _show_findings(answer: dict[str, Any]) -> None:
    table = Table("", "what", "why", "what to do")
    for finding in answer["findings"]:
        good = Text("warning", "yellow") if finding["advice"] else Text("ok", "green")
        mark = good if finding["ok"] else Text("wrong", "red")
        table.add_row(mark, finding["what"], finding["why"], finding["advice"])
    console.print(table)
    if not answer["ok"]:
        raise typer.Exit(1)
