"""What kubectl renders of an overlay, read strictly: what is not understood is refused, never ignored."""

import base64
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from sandbox.servers import ServerError

Manifest = dict[str, Any]

_BUILD_SECONDS = 60


class ManifestError(ServerError):
    """A manifest says what the rehearsal cannot do, or names what is not there."""


@dataclass(frozen=True, slots=True)
class Probe:
    """By HTTP; a status from 200 to 399 is good. Defaults are Kubernetes's own."""

    path: str
    port: int
    period: float = 10.0
    timeout: float = 1.0
    failures: int = 3
    successes: int = 1
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """surge, unavailable: pods above and below the wanted number. settled: seconds that a pod is ready for
    before it counts as available."""

    surge: int
    unavailable: int
    settled: float


def build(overlay: Path) -> "Manifests":
    """What `kubectl kustomize` makes of a folder. Raises ManifestError."""
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.exists():
        raise ManifestError("kubectl is missing: install requirements-dev.txt (`make .venv`).")
    run = subprocess.run(
        [kubectl, "kustomize", overlay], capture_output=True, text=True, check=False, timeout=_BUILD_SECONDS
    )
    if run.returncode:
        raise ManifestError(f"{overlay} cannot be built: {run.stderr.strip()}")
    return Manifests(yaml.safe_load_all(run.stdout))


class Manifests:
    """Everything of an overlay."""

    def __init__(self, documents: Iterable[Manifest]) -> None:
        self._documents = [document for document in documents if document]

    def of(self, kind: str) -> Iterator[Manifest]:
        """All of a kind."""
        return (document for document in self._documents if document["kind"] == kind)

    def named(self, kind: str, name: str) -> Manifest:
        """One. Raises ManifestError if there is none."""
        for document in self.of(kind):
            if document["metadata"]["name"] == name:
                return document
        raise ManifestError(f"There is no {kind} {name}.")

    def values(self, kind: str, name: str) -> dict[str, str]:
        """What a ConfigMap or Secret holds, as text."""
        document = self.named(kind, name)
        data: dict[str, str] = document.get("data") or {}
        if kind == "ConfigMap":
            return dict(data)
        decoded = {key: base64.b64decode(value).decode() for key, value in data.items()}
        return decoded | (document.get("stringData") or {})

    def secret(self, key: str) -> str:
        """The value of this key, in whichever Secret. Raises ManifestError."""
        for document in self.of("Secret"):
            values = self.values("Secret", document["metadata"]["name"])
            if key in values:
                return values[key]
        raise ManifestError(f"No Secret has {key}.")


class PodTemplate:
    """The pods of a Deployment or Job, of one container. Raises ManifestError for what is not understood."""

    def __init__(self, manifests: Manifests, owner: Manifest) -> None:
        template = owner["spec"]["template"]
        self.manifests = manifests
        self.owner: str = owner["metadata"]["name"]
        self.namespace: str = owner["metadata"]["namespace"]
        self.labels: Mapping[str, str] = template["metadata"].get("labels", {})
        self.spec: Manifest = template["spec"]
        if len(self.spec["containers"]) != 1 or self.spec.get("initContainers"):
            raise ManifestError(f"{self.owner} has more than one container.")
        self.container: Manifest = self.spec["containers"][0]

    @property
    def command(self) -> list[str]:
        """The container's own; empty = the image's entry point, which `args` follow either way."""
        return list(self.container.get("command", []))

    @property
    def args(self) -> list[str]:
        """What follows the command."""
        return list(self.container.get("args", []))

    @property
    def grace(self) -> float:
        """Seconds from being told to stop until SIGKILL, the hook included."""
        return float(self.spec.get("terminationGracePeriodSeconds", 30))

    @cached_property
    def before_stop(self) -> float:
        """Seconds that the hook before SIGTERM sleeps."""
        hooks = self.container.get("lifecycle", {})
        hook = hooks.get("preStop", {"sleep": {"seconds": 0}})
        if set(hooks) - {"preStop"} or set(hook) != {"sleep"}:
            raise ManifestError(f"{self.owner} has hooks other than a preStop that sleeps.")
        return float(hook["sleep"]["seconds"])

    def port(self, name: str | int) -> int:
        """Of the container, by its name or number."""
        if isinstance(name, int):
            return name
        for port in self.container.get("ports", []):
            if port.get("name") == name:
                return int(port["containerPort"])
        raise ManifestError(f"{self.owner} has no port {name}.")

    def probe(self, kind: str) -> Probe | None:
        """kind: startup, readiness, liveness. None = there is none, and all is well."""
        written: Manifest | None = self.container.get(f"{kind}Probe")
        if written is None:
            return None
        fields = {
            "periodSeconds": "period",
            "timeoutSeconds": "timeout",
            "failureThreshold": "failures",
            "successThreshold": "successes",
            "initialDelaySeconds": "delay",
        }
        asks = written.get("httpGet", {})
        if written.keys() - fields.keys() != {"httpGet"} or not asks.keys() <= {"path", "port"}:
            raise ManifestError(f"{self.owner} has a {kind} probe other than by plain HTTP.")
        told = {ours: written[theirs] for theirs, ours in fields.items() if theirs in written}
        return Probe(asks.get("path", "/"), self.port(asks["port"]), **told)


def rollout(deployment: Manifest) -> Rollout:
    """How a Deployment says that it is rolled."""
    spec = deployment["spec"]
    how = spec.get("strategy", {}).get("rollingUpdate", {})
    surge, unavailable = how.get("maxSurge"), how.get("maxUnavailable")
    if not (isinstance(surge, int) and isinstance(unavailable, int) and surge + unavailable > 0):
        name = deployment["metadata"]["name"]
        raise ManifestError(f"{name}: maxSurge and maxUnavailable are whole numbers here, not both 0.")
    return Rollout(surge, unavailable, float(spec.get("minReadySeconds", 0)))
