"""Groups of commands, to which services add their own: packages name theirs in `leadbus.commands`."""

from collections.abc import Callable
from importlib.metadata import entry_points

import typer

GROUP = "leadbus.commands"
Register = Callable[[typer.Typer], object]


def of_services() -> list[Register]:
    """What the installed packages add to the command."""
    return [entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)]


def group(root: typer.Typer, name: str, help_: str) -> typer.Typer:
    """The group of that name: the one there is, else a new one."""
    for known in root.registered_groups:
        if known.name == name and known.typer_instance is not None:
            return known.typer_instance
    made = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=help_)
    root.add_typer(made, name=name)
    return made
