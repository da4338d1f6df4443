"""Makes the bill of materials, looks at its licences, asks for advisories; ends with 1 if one is wrong."""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from supply_chain.advisories import Excuse, judged
from supply_chain.bill import Bill, cut_down, name_of
from supply_chain.licences import Rules, licences_of, not_allowed
from supply_chain.packages import shipped

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv/supply-chain/bin"
"""Tools in an environment of their own, so that they pin nothing of ours (tests/extra/supply-chain.txt)."""
PATIENCE_SECONDS = 300


def main(folder: Path) -> int:
    """Writes `leadbus.cdx.json`, `licences.txt` and, where they can be had, `advisories.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    told = tomllib.loads((Path(__file__).parent / "rules.toml").read_text(encoding="utf-8"))
    rules = Rules(frozenset(told["allowed"]), told["meant"], told["told"])
    everything = _everything()
    services = [name for c in everything["components"] if _is_service(name := name_of(c))]
    bill = cut_down(everything, shipped(services))
    (folder / "leadbus.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    print(f"Bill of materials: {len(bill['components'])} packages in the images: {folder}/leadbus.cdx.json")
    faults = _licences(bill, everything, rules, folder / "licences.txt")
    faults += _advisories([Excuse(**excuse) for excuse in told.get("excused", ())], folder)
    for fault in faults:
        print(f"WRONG: {fault}")
    return 1 if faults else 0


def _is_service(name: str) -> bool:
    return name.startswith("leadbus-") and name != "leadbus-sandbox"


def _everything() -> Bill:
    command = ["environment", "--short-PURLs", "--output-format", "JSON", sys.executable]
    run = subprocess.run([BIN / "cyclonedx-py", *command], capture_output=True, check=True)
    found: Bill = json.loads(run.stdout)
    return found


def _licences(bill: Bill, everything: Bill, rules: Rules, file: Path) -> list[str]:
    lines = [
        f"{c['name']} {c['version']}: {', '.join(licences_of(c, rules)) or '?'}" for c in bill["components"]
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    counts = Counter(licence for c in bill["components"] for licence in licences_of(c, rules))
    print("Licences: " + ", ".join(f"{licence} {n}" for licence, n in counts.most_common()))
    ours = {name_of(component) for component in bill["components"]}
    apart = [c for c in everything["components"] if name_of(c) not in ours]
    others = [sentence.removesuffix(".") for sentence in not_allowed(apart, rules)]
    print(f"In no image, for developing only, and under other licences: {'; '.join(others) or 'none'}.")
    return not_allowed(bill["components"], rules)


def _advisories(excuses: list[Excuse], folder: Path) -> list[str]:
    pins = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split() if "==" in line]
    file = folder / "advisories.json"
    file.unlink(missing_ok=True)
    today = datetime.now(UTC).date()
    # One first: where the database cannot be reached, a hundred more questions tell no more.
    if not judged(_audited(pins[:1]), (), today).checked:
        print("Advisories: NOT CHECKED, as no database of advisories could be reached from here.")
        return []
    report = _audited(pins)
    file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    audit = judged(report, excuses, today)
    print(f"Advisories: {audit.checked} packages checked, {len(audit.faults)} faults.")
    if audit.unchecked:
        print(f"Advisories: the database does not know, so NOT CHECKED: {', '.join(audit.unchecked)}.")
    return list(audit.faults)


def _audited(pins: list[str]) -> dict[str, Any]:
    """pip-audit's report; an empty one where it got no answer."""
    with tempfile.TemporaryDirectory() as folder:
        asked, report = Path(folder, "pins.txt"), Path(folder, "report.json")
        asked.write_text("\n".join(pins) + "\n", encoding="utf-8")
        quiet = ("--no-deps", "--disable-pip", "--progress-spinner", "off")
        kept = ("--format", "json", "--output", str(report))
        command = [str(BIN / "pip-audit"), "--requirement", str(asked), *quiet, *kept]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
            )
        except subprocess.TimeoutExpired:
            print(f"Advisories: pip-audit got no answer within {PATIENCE_SECONDS} s.")
            return {"dependencies": []}
        if not report.exists():
            print(f"Advisories: pip-audit says: {(run.stderr.strip().splitlines() or ['nothing'])[-1]}")
            return {"dependencies": []}
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
