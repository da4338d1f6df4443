"""`leadbus connections lists`: the lists of a CRM to choose from, and what the settings make of each."""

from typing import Annotated

import typer
from rich.table import Table

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import console


def register(connections: typer.Typer) -> None:
    """Adds `lists` to `leadbus connections`."""
    connections.command()(lists)


def lists(connection: Annotated[str, typer.Argument(help="The connection's name.")]) -> None:
    """Shows the CRM's lists of people, and which are read or pushed to: the settings lists and all_lists."""
    found = ask_connector("GET", f"{connection}/lists")
    table = Table("list", "id", "type", "of", "people", "read", "rule", "here")
    for row in found["lists"]:
        members = "" if row["members"] is None else str(row["members"])
        here = row["own_name"] or ""
        pushed = f"pushed from {row['list_id']}" if row["pushed"] else ""
        table.add_row(
            row["name"],
            row["record"]["id"],
            row["type"] or "",
            ", ".join(row["kinds"]) or "all people",
            members,
            row["read"],
            row["rule"] or "",
            ", ".join(filter(None, [here, pushed])),
        )
    console.print(table)
    for name in found["missing"]:
        console.print(f"The CRM has no list {name}, which has a rule under lists.")
