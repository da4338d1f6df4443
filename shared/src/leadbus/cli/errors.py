"""`leadbus errors`: what a CRM refused and what could not be taken in, and what to do about it."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import HOW, console

HELP = f"""The error report of a connection: what the CRM refused (out) and what could not be taken in (in).

  leadbus errors acme-sugar                       all of them
  leadbus errors acme-sugar --object account      only accounts, with what depends on them
  leadbus errors acme-sugar --send-again ID       try one again, once it is corrected
  leadbus errors acme-sugar --send-again all      try all again

Rows that wait for another record stand below it, indented: correct that one, and they follow by themselves.
A corrected record is taken up by itself too, when it is next read; --send-again does it at once. A notice is
a row that was taken in all the same, but not wholly.

{HOW}
"""


def register(root: typer.Typer) -> None:
    """Adds `errors`."""
    root.command("errors", help=HELP)(errors)


def errors(
    connection: Annotated[str, typer.Argument(help="The connection's name.")],
    object_: Annotated[
        str | None,
        typer.Option("--object", help="lead, contact, target, account, opportunity, activity or campaign."),
    ] = None,
    send_again: Annotated[str | None, typer.Option(help="The id of a row, or all: try it again now.")] = None,
) -> None:
    """See HELP."""
    if send_again is not None:
        ids = "all" if send_again == "all" else [send_again]
        answer = ask_connector("POST", f"{connection}/errors/send-again", {"ids": ids})
        count = answer["sent_again"]
        console.print(f"{_rows(count)} of {connection} {'is' if count == 1 else 'are'} tried again.")
        return
    params = {"object": object_} if object_ else None
    groups = ask_connector("GET", f"{connection}/errors", params=params)["errors"]
    if not groups:
        console.print(f"Nothing is wrong with the records of {connection}.")
        return
    rows = [row for group in groups for row in (_cells(group), *_below(group))]
    if console.is_terminal:
        table = Table("object", "record", "field", "reason", "what to do", "since", "id")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    else:  # one line each, so that they can be searched
        for row in rows:
            console.print("  ".join(filter(None, row)), soft_wrap=True)
    console.print(f"{_rows(len(rows))}, {len(groups)} to be corrected.")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _below(group: dict[str, Any]) -> list[list[str]]:
    return [_cells(row, indent="  ") for row in group["dependents"]]


def _cells(row: dict[str, Any], indent: str = "") -> list[str]:
    record = row["record"]
    where = row["url"] or (f"{record['module']}/{record['id']}" if record else "no record yet")
    arrow = {"to_crm": "out", "from_crm": "in"}[row["direction"]]
    notice = "" if row["blocking"] else ", notice"
    return [
        f"{indent}{row['object']} ({arrow}{notice})",
        where,
        row["field"] or "",
        row["reason"],
        row["advice"],
        datetime.fromisoformat(row["since"]).astimezone().strftime("%Y-%m-%d %H:%M"),
        row["id"],
    ]
