"""What a pod's process is started with, from what its manifest says."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.rehearsal.manifests import ManifestError, Manifests, PodTemplate, Probe, build, rollout
from sandbox.rehearsal.translation import Identity, command, environment, files

ROOT = Path(__file__).parents[4]
WRITTEN = """
apiVersion: v1
kind: ConfigMap
metadata: {name: common}
data: {BROKERS: "kafka:9092", HOST: 0.0.0.0, NETWORKS: "10.0.0.0/8,127.0.0.0/8", LEVEL: info}
---
apiVersion: v1
kind: Secret
metadata: {name: sealed}
data: {KEY: czNjcjN0, URL: a2Fma2E6OTA5Mg==}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scoring, namespace: leadbus}
spec:
  minReadySeconds: 7
  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 1}}
  template:
    metadata: {labels: {app.kubernetes.io/version: 1.2.3}}
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - name: leadbus
          args: [run, "$(SERVICE)", "$(UNKNOWN)"]
          envFrom: [{configMapRef: {name: common}}, {prefix: S_, secretRef: {name: sealed}}]
          env:
            - {name: SERVICE, value: scoring}
            - {name: LEVEL, value: debug}
            - {name: KEY_FILE, value: /etc/leadbus/sealed/KEY}
            - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: ADDRESS, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - name: VERSION
              valueFrom: {fieldRef: {fieldPath: "metadata.labels['app.kubernetes.io/version']"}}
            - {name: KEY, valueFrom: {secretKeyRef: {name: sealed, key: KEY}}}
            - {name: TOLD, value: "pod=$(POD),later=$(LATER),price=$$(POD)"}
            - {name: LATER, value: known}
          ports: [{name: http, containerPort: 8081}]
          lifecycle: {preStop: {sleep: {seconds: 5}}}
          readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 3, failureThreshold: 2}
          livenessProbe: {httpGet: {path: /live, port: 8082}, timeoutSeconds: 4, initialDelaySeconds: 6}
          volumeMounts: [{name: sealed, mountPath: /etc/leadbus/sealed}, {name: tmp, mountPath: /tmp}]
      volumes: [{name: sealed, secret: {secretName: sealed, defaultMode: 288}}, {name: tmp, emptyDir: {}}]
"""
POD = Identity("scoring-1", "127.1.2.3", Path("/pod"), {"kafka:9092": "127.0.0.1:29092"})


def template(change: Callable[[Any], None] = lambda container: None) -> PodTemplate:
    """Of the Deployment, after a change of its container."""
    documents = deepcopy(list(yaml.safe_load_all(WRITTEN)))
    change(documents[2]["spec"]["template"]["spec"]["containers"][0])
    manifests = Manifests(documents)
    return PodTemplate(manifests, manifests.named("Deployment", "scoring"))


def test_variables_are_those_of_the_manifest_at_addresses_and_paths_of_the_pod() -> None:
    assert environment(template(), POD) == {
        "BROKERS": "127.0.0.1:29092",
        "HOST": "127.1.2.3",
        "NETWORKS": "10.0.0.0/8,127.0.0.0/8",
        "LEVEL": "debug",
        "S_KEY": "s3cr3t",
        "S_URL": "127.0.0.1:29092",
        "SERVICE": "scoring",
        "KEY_FILE": "/pod/etc/leadbus/sealed/KEY",
        "POD": "scoring-1",
        "ADDRESS": "127.1.2.3",
        "VERSION": "1.2.3",
        "KEY": "s3cr3t",
        "TOLD": "pod=scoring-1,later=$(LATER),price=$(POD)",
        "LATER": "known",
    }


def test_files_are_those_of_the_volumes_with_their_modes() -> None:
    found = {str(file.path): (file.text, file.mode) for file in files(template(), POD)}
    assert found == {
        "/pod/etc/leadbus/sealed/KEY": ("s3cr3t", 0o440),
        "/pod/etc/leadbus/sealed/URL": ("127.0.0.1:29092", 0o440),
    }


def test_the_images_program_runs_with_the_arguments_of_the_manifest(tmp_path: Path) -> None:
    image = tmp_path / "Dockerfile"
    image.write_text('FROM a\nENTRYPOINT ["/first"]\nFROM b\nENTRYPOINT ["/opt/bin/leadbus", "-v"]\n')
    variables = {"SERVICE": "scoring"}
    started = command(template(), image, Path("/venv"), variables)
    assert started == ["/venv/leadbus", "-v", "run", "scoring", "$(UNKNOWN)"]
    own = template(lambda container: container.update(command=["/usr/bin/other"]))
    assert command(own, image, Path("/venv"), variables)[0] == "/venv/other"


def test_probes_hooks_and_grace_are_as_written_and_kubernetes_own_where_nothing_is() -> None:
    made = template()
    assert made.probe("readiness") == Probe("/ready", 8081, period=3, timeout=1, failures=2)
    assert made.probe("liveness") == Probe("/live", 8082, period=10, timeout=4, failures=3, delay=6)
    assert made.probe("startup") is None
    assert (made.before_stop, made.grace) == (5, 45)
    how = rollout(made.manifests.named("Deployment", "scoring"))
    assert (how.surge, how.unavailable, how.settled) == (2, 1, 7)


WRONG: dict[str, tuple[Callable[[Any], None], Callable[[PodTemplate], object]]] = {
    "which is in no volume": (
        lambda c: c["env"].append({"name": "X_FILE", "value": "/etc/elsewhere/X"}),
        lambda made: environment(made, POD),
    ),
    "has no NOTHING": (
        lambda c: c["env"].append(
            {"name": "X", "valueFrom": {"secretKeyRef": {"name": "sealed", "key": "NOTHING"}}}
        ),
        lambda made: environment(made, POD),
    ),
    "There is no ConfigMap gone": (
        lambda c: c["envFrom"].append({"configMapRef": {"name": "gone"}}),
        lambda made: environment(made, POD),
    ),
    "spec.hostIP is not known": (
        lambda c: c["env"].append({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.hostIP"}}}),
        lambda made: environment(made, POD),
    ),
    "cannot be made": (
        lambda c: c["volumeMounts"].append({"name": "gone", "mountPath": "/gone"}),
        lambda made: files(made, POD),
    ),
    "other than by plain HTTP": (
        lambda c: c["readinessProbe"].update(exec={"command": ["true"]}),
        lambda made: made.probe("readiness"),
    ),
    "has no port web": (
        lambda c: c["readinessProbe"]["httpGet"].update(port="web"),
        lambda made: made.probe("readiness"),
    ),
    "hooks other than": (
        lambda c: c["lifecycle"].update(preStop={"exec": {"command": ["true"]}}),
        lambda made: made.before_stop,
    ),
}


@pytest.mark.parametrize("complaint", WRONG)
def test_what_cannot_be_done_as_written_is_refused(complaint: str) -> None:
    change, read = WRONG[complaint]
    with pytest.raises(ManifestError, match=complaint):
        read(template(change))


def test_every_pod_of_the_local_overlay_is_understood() -> None:
    manifests = build(ROOT / "deploy/k8s/overlays/local")
    addresses = {"kafka:9092": "127.0.0.1:1", "mongodb://mongodb:27017/?replicaSet=rs0": "mongodb://here"}
    pod = Identity("a", "127.1.2.3", Path("/pod"), addresses)
    owners = [*manifests.of("Deployment"), *manifests.of("Job")]
    assert len(owners) == 12
    for owner in owners:
        made = PodTemplate(manifests, owner)
        told = environment(made, pod)
        texts = {file.path.name: file.text for file in files(made, pod)}
        assert (told["KAFKA_BOOTSTRAP_SERVERS"], texts["MONGODB_URL"]) == ("127.0.0.1:1", "mongodb://here")
        assert told["LEADBUS_HOST"] == "127.1.2.3"
        assert told["LEADBUS_ALLOW_INTERNAL_ADDRESSES"].startswith("127.0.0.0/8,10.0.0.0/8,")
        assert all("$(" not in value for value in told.values())
        is_served = owner["kind"] == "Deployment"
        assert [made.probe(kind) is not None for kind in ("startup", "readiness", "liveness")] == [
            is_served
        ] * 3
