"""The Kubernetes manifests build, are valid, and name only what the services know."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from leadbus.runner import STOP_SECONDS, installed
from leadbus.settings import Settings

ROOT = Path(__file__).parents[2]
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests() -> list[Manifest]:
    kubectl = Path(sys.executable).with_name("kubectl")
    run = subprocess.run(
        [kubectl, "kustomize", ROOT / "deploy/k8s/base"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return [document for document in yaml.safe_load_all(run.stdout) if document]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_every_manifest_is_valid_by_the_strict_schema(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)
    assert len(manifests) == 1 + 2 * len(installed())


def test_every_service_has_one_deployment_that_runs_it(manifests: list[Manifest]) -> None:
    deployments = of_kind(manifests, "Deployment")
    assert {d["metadata"]["name"] for d in deployments} == set(installed())
    for deployment in deployments:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["run", deployment["metadata"]["name"]]


def test_selectors_match_the_pods_they_are_for(manifests: list[Manifest]) -> None:
    pods = {
        d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"]
        for d in of_kind(manifests, "Deployment")
    }
    for deployment in of_kind(manifests, "Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert selector.items() <= pods[deployment["metadata"]["name"]].items()
    for service in of_kind(manifests, "Service"):
        assert service["spec"]["selector"].items() <= pods[service["metadata"]["name"]].items()


def test_pods_are_restricted_and_have_time_to_finish(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["terminationGracePeriodSeconds"] > STOP_SECONDS
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/healthz/ready"


def test_settings_name_only_variables_that_services_know(manifests: list[Manifest]) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    (settings,) = of_kind(manifests, "ConfigMap")
    unknown = {name for name in settings["data"] if name not in known and not name.startswith("OTEL_")}
    assert unknown == set()
