"""Overlays as they are built, and ways to find things in them."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[3]
K8S = ROOT / "deploy/k8s"
OVERLAYS = tuple(path.name for path in sorted((K8S / "overlays").iterdir()))
_PODS = ("Deployment", "Job")
KUBECTL = Path(sys.executable).with_name("kubectl")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One overlay's manifests."""

    overlay: str
    documents: list[Manifest]

    def of(self, *kinds: str) -> Iterator[Manifest]:
        return (document for document in self.documents if document["kind"] in kinds)

    def named(self, kind: str, name: str) -> Manifest | None:
        return next((d for d in self.of(kind) if d["metadata"]["name"] == name), None)

    def settings(self) -> Manifest:
        """The ConfigMap of what every service is told; its name says what is in it."""
        named = [
            config
            for config in self.of("ConfigMap")
            if re.fullmatch(r"leadbus-[0-9a-z]{10}", config["metadata"]["name"])
            and "LEADBUS_HOST" in config["data"]
        ]
        (found,) = named
        return found

    def workloads(self) -> Iterator[Manifest]:
        return self.of(*_PODS)

    def services(self, *kinds: str) -> Iterator[Manifest]:
        """Those of our own images; by default Deployments and their Jobs."""
        ours = {"app.kubernetes.io/part-of": "leadbus"}
        return (w for w in self.of(*(kinds or _PODS)) if ours.items() <= w["metadata"]["labels"].items())

    def selected(self, selector: Manifest) -> list[Manifest]:
        """The workloads whose pods a label selector means."""
        return [w for w in self.workloads() if selects(selector, w["spec"]["template"]["metadata"]["labels"])]


@cache
def _built(folder: str) -> list[Manifest]:
    """What kubectl makes of a folder below deploy/k8s."""
    run = subprocess.run(
        [KUBECTL, "kustomize", K8S / folder], capture_output=True, text=True, check=False, timeout=30
    )
    assert run.returncode == 0, run.stderr
    return [d for d in yaml.load_all(run.stdout, yaml.CSafeLoader) if d]


def render(overlay: str) -> Rendered:
    """An overlay, by its name or the path of its folder; a copy of its own for each caller."""
    return Rendered(overlay, deepcopy(_built(str(Path("overlays", overlay)))))


def called(document: Manifest) -> str:
    return f"{document['kind']} {document['metadata']['name']}"


def pod_of(workload: Manifest) -> Manifest:
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def containers_of(workload: Manifest) -> list[Manifest]:
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """By matchLabels and matchExpressions, as Kubernetes has it; the empty selector means all."""
    equal: Mapping[str, str] = selector.get("matchLabels", {})
    return equal.items() <= labels.items() and all(
        _meets(expression, labels) for expression in selector.get("matchExpressions", [])
    )


def _meets(expression: Manifest, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values", [])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]
