"""Which packages are in the images: what the services require, and what that requires, as pip resolved it."""

from collections.abc import Iterable, Iterator
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name


def shipped(services: Iterable[str]) -> frozenset[str]:
    """Canonical names of all that an image of one of these holds; extras only where they are asked for.

    Raises:
        PackageNotFoundError: something is required that is not installed.
    """
    waiting = [(canonicalize_name(service), frozenset[str]()) for service in services]
    seen: set[tuple[NormalizedName, frozenset[str]]] = set()
    while waiting:
        wanted = waiting.pop()
        if wanted not in seen:
            seen.add(wanted)
            waiting += _required(*wanted)
    return frozenset(name for name, _ in seen)


def _required(
    name: NormalizedName, extras: frozenset[str]
) -> Iterator[tuple[NormalizedName, frozenset[str]]]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if not marker or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)
