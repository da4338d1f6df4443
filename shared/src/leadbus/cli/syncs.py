"""`leadbus connections sync` and `progress`: read from a CRM now, and see how far that is."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import console

NAME = Annotated[str, typer.Argument(help="The connection's name.")]
KINDS = "lead, contact, target, account, user, opportunity, activity, list"


def register(connections: typer.Typer) -> None:
    """Adds both to `leadbus connections`."""
    connections.command()(sync)
    connections.command()(progress)


def sync(
    connection: NAME,
    full: Annotated[bool, typer.Option("--full", help="Everything, not only what has changed.")] = False,
    new_fields: Annotated[
        bool, typer.Option("--new-fields", help="Only fields mapped since, of every record.")
    ] = False,
    kind: Annotated[list[str] | None, typer.Option(help=f"Only this ({KINDS}); may be repeated.")] = None,
) -> None:
    """Reads from the CRM now instead of at the next scheduled time.

    \b
      leadbus connections sync acme-sugar                    what has changed since the last time
      leadbus connections sync acme-sugar --kind contact     only contacts
      leadbus connections sync acme-sugar --full             everything, compared with what is known
      leadbus connections sync acme-sugar --new-fields       nothing but fields that were mapped since

    A full sync goes on in the background, survives restarts, and publishes only what is news;
    leadbus connections progress shows how far it is.
    """
    fields = "new" if new_fields else "all"
    asked = {"kinds": kind or None, "full": full, "fields": fields}
    answer = ask_connector("POST", f"{connection}/sync", asked)
    if not answer["kinds"]:
        console.print(f"Every field that is mapped has been read: {connection} has no new ones.")
        return
    what = "everything" if answer["full"] else "new fields" if new_fields else "changes"
    console.print(f"Reading {what} of {connection}: {', '.join(answer['kinds'])}.")
    console.print(f"leadbus connections progress {connection} shows how far it is.")


def progress(connection: NAME) -> None:
    """Shows how reading from the CRM goes: state, rows, skipped and refused ones, last and next time.

    skipped: people without a (valid) email address, who make no prospect; refused: records with something
    wrong. leadbus errors lists both, with what to do.
    """
    table = Table("kind", "state", "read", "skipped", "refused", "last", "next")
    pulls = ask_connector("GET", f"{connection}/pulls")["pulls"]
    for pull in pulls:
        table.add_row(
            pull["kind"],
            _state(pull),
            f"{pull['read']} of {pull['total']}" if pull["total"] is not None else str(pull["read"]),
            str(pull["skipped"]),
            str(pull["refused"]),
            _time(pull["last_run_at"]),
            _time(pull["next_at"]),
        )
    console.print(table)
    for pull in pulls:
        if pull["error"]:
            console.print(Text.assemble((pull["kind"], "red"), f": {pull['error']}"))
        if pull["new_fields"] and pull["state"] != "new fields":
            names = ", ".join(pull["new_fields"])
            how = f"leadbus connections sync {connection} --new-fields"
            console.print(f"{pull['kind']}: {names} was mapped since; {how}")


def _state(pull: dict[str, Any]) -> Text:
    colour = {"failed": "red", "current": "green"}.get(pull["state"], "")
    return Text.assemble((pull["state"], colour), ", asked for" if pull["asked"] else "")


def _time(text: str | None) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""
