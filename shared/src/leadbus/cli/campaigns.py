"""`leadbus connections campaigns`: where campaigns stand in a CRM, and how many people were put in them."""

from typing import Annotated

import typer
from rich.table import Table

from leadbus.cli.asking import ask_connector
from leadbus.cli.calls import console


def register(connections: typer.Typer) -> None:
    """Adds `campaigns` to `leadbus connections`."""
    connections.command()(campaigns)


def campaigns(connection: Annotated[str, typer.Argument(help="The connection's name.")]) -> None:
    """Shows the campaigns that are set to sync, or were: where each stands in the CRM, and who is in it.

    What is told of them is the connection's setting campaigns: none, name or full.
    """
    found = ask_connector("GET", f"{connection}/campaigns")
    table = Table("campaign", "name", "sync", "in the CRM", "people", "what is wrong")
    for row in found["campaigns"]:
        record = row["record"]
        where = row["url"] or (f"{record['module']}/{record['id']}" if record else "not yet")
        sync = "on" if row["sync"] else "off"
        table.add_row(row["campaign_id"], row["name"], sync, where, str(row["members"]), row["refused"] or "")
    console.print(table)
    if found["level"] == "none":
        console.print(f"The CRM is told of none: leadbus connections set {connection} campaigns=name")
