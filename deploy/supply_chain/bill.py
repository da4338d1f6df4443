"""The bill of materials (CycloneDX), cut down to what is in the images."""

from collections.abc import Mapping, Set
from typing import Any

from packaging.utils import canonicalize_name

Bill = dict[str, Any]


def name_of(component: Mapping[str, Any]) -> str:
    """As packages are compared by."""
    return str(canonicalize_name(component["name"]))


def cut_down(bill: Bill, names: Set[str]) -> Bill:
    """The bill with these components only, each once and with nothing of the machine that it was made on.

    A package that is being developed is found twice: by its sources, and as installed. The first knows what
    it requires.
    """
    graph = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    kept: dict[str, dict[str, Any]] = {}
    for component in sorted(bill["components"], key=lambda c: not graph.get(c["bom-ref"])):
        if name_of(component) in names:
            kept.setdefault(name_of(component), _portable(component))
    refs = {component["bom-ref"] for component in kept.values()}
    return {
        **bill,
        "components": [kept[name] for name in sorted(kept)],
        "dependencies": [
            {"ref": ref, "dependsOn": [other for other in graph.get(ref, ()) if other in refs]}
            for ref in sorted(refs)
        ],
    }


def _portable(component: dict[str, Any]) -> dict[str, Any]:
    elsewhere = [r for r in component.get("externalReferences", ()) if not r["url"].startswith("file:")]
    return {key: value for key, value in component.items() if key != "externalReferences"} | (
        {"externalReferences": elsewhere} if elsewhere else {}
    )
