"""The services of this machine's packages: told without importing any of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points

GROUP = "leadbus.services"


def installed() -> dict[str, EntryPoint]:
    """The services of all installed packages, by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)}


@contextmanager
def importing() -> Iterator[None]:
    """Nobody looks for garbage meanwhile: there is none, and to look took a quarter of a service's start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
