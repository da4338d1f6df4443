"""What a scanner that others wrote says of image and manifests, but for what is meant to be so."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TRIVY = ROOT / ".venv/trivy/bin/trivy"
KUBECTL = ROOT / ".venv/bin/kubectl"

MEANT = {
    "DS-0026": "Kubernetes asks by probes, and takes no notice of a HEALTHCHECK.",
    "KSV-0011": "A limit of CPU slows down a pod that has to answer Kafka in time; requests share nodes out.",
    "KSV-0109": "KAFKA_SASL_PASSWORD_FILE is the path of a file, not what is in it.",
    "KSV-01010": "A user's name at Kafka is no secret.",
    "KSV-0125": "Which registry is trusted is the operator's to say; ours is an example.",
}

needs_trivy = pytest.mark.skipif(not TRIVY.exists(), reason="trivy is not installed; .ci/run does it")


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By rule, one place where it was found."""
    folder = tmp_path_factory.mktemp("scanned")
    shutil.copy(ROOT / "deploy/Dockerfile", folder)
    built = subprocess.run(
        [KUBECTL, "kustomize", ROOT / "deploy/k8s/overlays/production"], capture_output=True, check=True
    )
    (folder / "production.yaml").write_bytes(built.stdout)
    told: dict[str, Any] = json.loads(_scan(folder))
    results = told["Results"]
    assert {Path(result["Target"]).name for result in results} == {"Dockerfile", "production.yaml"}
    assert sum(result["MisconfSummary"]["Successes"] for result in results) > 100
    return {m["ID"]: m["Message"] for result in results for m in result.get("Misconfigurations", [])}


def _scan(folder: Path) -> bytes:
    quiet = ("--skip-check-update", "--skip-version-check", "--disable-telemetry", "--quiet")
    command = [TRIVY, "config", *quiet, "--format", "json", folder]
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


@needs_trivy
def test_it_finds_nothing_but_what_is_meant(findings: dict[str, str]) -> None:
    assert {rule: message for rule, message in findings.items() if rule not in MEANT} == {}


@needs_trivy
def test_whatever_is_excused_is_still_found(findings: dict[str, str]) -> None:
    assert MEANT.keys() - findings.keys() == set()
