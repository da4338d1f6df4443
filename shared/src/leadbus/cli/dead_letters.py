"""`leadbus dead-letters`: records that a service could not read."""

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from leadbus.cli.calls import HOW, ask, console, services

HELP = f"""Records that a service could not read: what lies there and why, and publishing it again.

  leadbus dead-letters list                  of every service
  leadbus dead-letters replay scoring        once their cause is gone; each counts once

{HOW}
"""

commands = typer.Typer(no_args_is_help=True, help=HELP, rich_markup_mode=None)


def register(root: typer.Typer) -> None:
    """Adds `dead-letters`."""
    root.add_typer(commands, name="dead-letters")


@commands.command("list")
def list_dead_letters(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Of each service.")] = 100,
) -> None:
    """Lists dead letters that are not replayed yet, without their content."""
    table = Table("since", "service", "topic", "partition/offset", "tries", "why")
    for service in _consumers():
        for letter in ask(service, "GET", "/v1/dead-letters", params={"limit": limit})["dead_letters"]:
            table.add_row(
                datetime.fromisoformat(letter["at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
                service,
                letter["origin_topic"],
                f"{letter['origin_partition']}/{letter['origin_offset']}",
                str(letter["attempts"]),
                f"{letter['kind']}: {letter['reason']}",
            )
    console.print(table if table.row_count else "There are no dead letters.")


@commands.command()
def replay(
    service: Annotated[str, typer.Argument(help="Whose, such as scoring.")],
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, oldest first.")] = None,
) -> None:
    """Publishes dead letters again on the topics they came from."""
    if service not in _consumers():
        raise typer.BadParameter(f"there is no consumer of this name; there are {', '.join(_consumers())}")
    params = {"limit": limit} if limit else {}
    answer = ask(service, "POST", "/v1/dead-letters/replay", params=params)
    console.print(f"{answer['replayed']} dead letters of {service} were published again.")


def _consumers() -> list[str]:
    """Ingest reads no topic."""
    return [service for service in services() if service != "ingest"]
