"""Manifests keep to Kubernetes' schemas, oldest and newest supported, and to those of the operators."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from checks.rendering import ROOT, Manifest, Rendered, called, render

OLDEST, NEWEST = "1.33", "1.37"
DEFINITIONS = ROOT / "../shared/contracts/k8s-crds"
# By no schema that is here: this one is read by eye, and by tests/deploy/checks.
UNKNOWN = {"external-secrets.io"}

needs_definitions = pytest.mark.skipif(
    not DEFINITIONS.is_dir(), reason="../shared/contracts/k8s-crds is not beside this checkout"
)


def group(manifest: Manifest) -> str:
    return str(manifest["apiVersion"]).partition("/")[0] if "/" in manifest["apiVersion"] else ""


def is_kubernetes_own(manifest: Manifest) -> bool:
    return "." not in group(manifest) or group(manifest).endswith(".k8s.io")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_of_kubernetes_is_valid_by_the_strict_schema(rendered: Rendered, version: str) -> None:
    own = [manifest for manifest in rendered.documents if is_kubernetes_own(manifest)]
    for manifest in own:
        kubernetes_validate.validate(manifest, version, strict=True)
    assert len(own) > 30


@needs_definitions
def test_every_manifest_of_an_operator_is_valid_by_its_definition(rendered: Rendered) -> None:
    others = [m for m in rendered.documents if not is_kubernetes_own(m) and group(m) not in UNKNOWN]
    for manifest in others:
        found = [f"{e.json_path}: {e.message}" for e in validator(manifest).iter_errors(manifest)]
        assert found == [], called(manifest)
    kinds = {m["kind"] for m in others}
    if rendered.overlay == "production":
        wanted = {"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser", "ScaledObject", "PodMonitor"}
        assert wanted <= kinds


WRONG = [
    ("ScaledObject", "scoring", ("spec", "maxReplicas"), 3),
    ("ScaledObject", "scoring", ("spec", "triggers", 0, "metadata", "lagThreshold"), 100),
    ("KafkaTopic", "marketing.events", ("spec", "partitions"), 0),
    ("KafkaTopic", "marketing.events", ("spec", "replica"), 3),
    ("KafkaUser", "scoring", ("spec", "authorization", "acls", 0, "operations"), ["Reed"]),
    ("PodMonitor", "leadbus", ("spec", "podMetricsEndpoints", 0, "paths"), "/metrics"),
]


@needs_definitions
@pytest.mark.parametrize(("kind", "name", "place", "value"), WRONG)
def test_a_planted_fault_is_found(kind: str, name: str, place: tuple[Any, ...], value: object) -> None:
    found = render("production").named(kind, name)
    assert found is not None
    *way, last = place
    section: Any = found
    for step in way:
        section = section[step]
    section[last] = value
    assert not validator(found).is_valid(found)


def test_a_version_that_is_gone_is_found() -> None:
    scaler = render("production").named("HorizontalPodAutoscaler", "ingest")
    assert scaler is not None
    with pytest.raises(kubernetes_validate.SchemaNotFoundError):
        kubernetes_validate.validate({**scaler, "apiVersion": "autoscaling/v2beta2"}, OLDEST, strict=True)


@cache
def definitions() -> dict[tuple[str, str], Manifest]:
    """Schemas by apiVersion and kind; only those versions that are served."""
    found = {}
    for path in sorted(Path(DEFINITIONS).glob("*.yaml")):
        spec = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]
        for version in spec["versions"]:
            if version["served"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                # What every object has; definitions leave it out.
                schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def validator(manifest: Manifest) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(definitions()[manifest["apiVersion"], manifest["kind"]])


def strict(schema: Manifest) -> Manifest:
    """A definition's schema as JSON Schema that lets nothing through which it does not name."""
    made = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if schema.get("x-kubernetes-int-or-string"):
        made = {"type": ["integer", "string"]}
    if "properties" in schema:
        made["properties"] = {name: strict(value) for name, value in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = strict(schema["items"])
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    made.pop("nullable", None)
    return made
