"""What `pip-audit` found, less what is known and excused for a while."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Excuse:
    """id: of the advisory, or another of its names. until: the last day on which it is taken."""

    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Audit:
    """faults: sentences, for which a build fails. unchecked: packages of which the database knew nothing."""

    checked: int
    unchecked: tuple[str, ...]
    faults: tuple[str, ...]


def judged(report: Mapping[str, Any], excuses: Collection[Excuse], today: date) -> Audit:
    """Of pip-audit's report as JSON. An excuse that is too old, or not needed, is a fault, too."""
    faults, used = [], set()
    checked = [package for package in report["dependencies"] if "skip_reason" not in package]
    unchecked = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    for package in checked:
        for advisory in package["vulns"]:
            names = {advisory["id"], *advisory["aliases"]}
            excuse = next((e for e in excuses if e.package == package["name"] and e.id in names), None)
            if excuse:
                used.add(excuse)
            if not excuse or excuse.until < today:
                mended = ", ".join(advisory["fix_versions"]) or "no version"
                late = f", excused until {excuse.until}" if excuse else ""
                faults.append(
                    f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}{late}."
                )
    if not unchecked:
        faults += [f"{e.id} of {e.package} is excused and not found." for e in excuses if e not in used]
    return Audit(len(checked), tuple(unchecked), tuple(faults))
