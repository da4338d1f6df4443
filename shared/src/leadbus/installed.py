"""The services of this machine's packages: told without importing any of them."""

from importlib.metadata import EntryPoint, entry_points

GROUP = "leadbus.services"


def installed() -> dict[str, EntryPoint]:
    """The services of all installed packages, by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}
