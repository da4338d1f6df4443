"""What no schema tells of manifests: each check is a function that yields a sentence per fault."""

from collections.abc import Callable, Iterator

from checks import environment, pods, references, rollouts, scaling, security, traffic
from checks.rendering import Rendered

Check = Callable[[Rendered], Iterator[str]]

CHECKS: tuple[Check, ...] = (
    *pods.CHECKS,
    *references.CHECKS,
    *environment.CHECKS,
    *security.CHECKS,
    *rollouts.CHECKS,
    *scaling.CHECKS,
    *traffic.CHECKS,
)


def faults(rendered: Rendered) -> list[str]:
    """All that any check finds."""
    return [fault for check in CHECKS for fault in check(rendered)]
