"""Writes topics, users and scaling under deploy/k8s, from what the services say of themselves.

`PYTHONPATH=docs python deploy/generate.py [FOLDER]` (make docs); a test fails when what is committed differs.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from flows import CONNECTORS, CONSUMERS, TABLES, WRITERS

from leadbus.provisioning import DEAD_LETTER_CONFIG, IN_SYNC, REPLICAS
from leadbus.telemetry import names
from leadbus.topics import DEAD_LETTER_PARTITIONS, PARTITIONS, TOPICS

Manifest = dict[str, Any]

HERE = Path(__file__).parent / "k8s"
CLUSTER = "leadbus"
BOOTSTRAP = f"{CLUSTER}-kafka-bootstrap:9093"
LAG_READER = "keda"
"""The user by which KEDA reads how far groups are."""

LAG_PER_POD: Mapping[str, int] = {"scoring": 20_000, "feedback": 2_000, **dict.fromkeys(CONNECTORS, 2_000)}
"""Records that one pod may be behind on a topic: some seconds of its work (docs/performance.md)."""
LATE_SECONDS = 30
LATE_PER_POD = 4
"""Connections whose oldest due lead is late, per pod. Not the age itself: one CRM that is away for an hour
would have a dozen pods started for an organisation that only one can work."""
FEWEST_PODS = 2


def manifests() -> dict[str, list[Manifest]]:
    """Every generated file by its path below deploy/k8s."""
    return {
        "components/strimzi/topics.yaml": list(_topics()),
        "components/strimzi/users.yaml": [*map(_user, WRITERS), _lag_reader()],
        "components/strimzi/passwords.yaml": [patch for service in WRITERS for patch in _password(service)],
        "components/keda/scaledobjects.yaml": [_scaled(service) for service in CONSUMERS],
    }


def _topics() -> Iterator[Manifest]:
    for topic in TOPICS:
        yield _topic(topic.name, topic.partitions, topic.config)
    for consumer, topics in CONSUMERS.items():
        for topic in topics:
            yield _topic(topic.dead_letters_of(consumer), DEAD_LETTER_PARTITIONS, DEAD_LETTER_CONFIG)


def _topic(name: str, partitions: int, config: Mapping[str, str]) -> Manifest:
    spec = {"partitions": partitions, "replicas": REPLICAS, "config": {**IN_SYNC, **config}}
    return _of_strimzi("KafkaTopic", name, spec)


def _user(service: str) -> Manifest:
    """Consumers write where they read, too: what is on a wrong partition is forwarded, the dead replayed."""
    read, tables = CONSUMERS.get(service, ()), TABLES.get(service, ())
    allowed: dict[str, set[str]] = {}
    for topics, operations in (
        ([t.name for t in WRITERS[service]], {"Write"}),
        ([t.name for t in tables], {"Read"}),
        ([t.name for t in read], {"Read", "Write"}),
        ([t.dead_letters_of(service) for t in read], {"Read", "Write"}),
    ):
        for topic in topics:
            allowed.setdefault(topic, set()).update(operations)
    groups = (service, f"{service}.replay") if read else ()
    return _of_strimzi(
        "KafkaUser",
        service,
        {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    *(_acl("topic", topic, *sorted(operations)) for topic, operations in allowed.items()),
                    *(_acl("group", group, "Read") for group in groups),
                ],
            },
        },
    )


def _lag_reader() -> Manifest:
    topics = {topic.name: None for topics in CONSUMERS.values() for topic in topics}
    return _of_strimzi(
        "KafkaUser",
        LAG_READER,
        {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    *(_acl("topic", topic, "Describe") for topic in topics),
                    *(_acl("group", group, "Describe") for group in CONSUMERS),
                ],
            },
        },
    )


def _acl(kind: str, name: str, *operations: str) -> Manifest:
    return {"resource": {"type": kind, "name": name}, "operations": list(operations)}


def _of_strimzi(kind: str, name: str, spec: Manifest) -> Manifest:
    metadata = {"name": name, "labels": {"strimzi.io/cluster": CLUSTER}}
    return {"apiVersion": "kafka.strimzi.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _password(service: str) -> Iterator[Manifest]:
    """Where each pod finds the password that Strimzi made for its user: in the Secret of the user's name."""
    volume = {"name": "kafka-user", "secret": {"secretName": service}}
    for version, kind, name in (
        ("apps/v1", "Deployment", service),
        ("batch/v1", "Job", f"prepare-{service}"),
    ):
        yield {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"template": {"spec": {"volumes": [volume]}}},
        }


def _scaled(service: str) -> Manifest:
    late = [_late(service)] if service in CONNECTORS else []
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": service},
        "spec": {
            "scaleTargetRef": {"name": service},
            "minReplicaCount": FEWEST_PODS,
            "maxReplicaCount": PARTITIONS,
            "pollingInterval": 15,
            "fallback": {
                "failureThreshold": 4,
                "replicas": FEWEST_PODS,
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _BEHAVIOUR}},
            "triggers": [*(_lag(service, topic.name) for topic in CONSUMERS[service]), *late],
        },
    }


_BEHAVIOUR = {
    # Each step makes the group share out its partitions anew, during which nothing is read.
    "scaleUp": {
        "stabilizationWindowSeconds": 30,
        "policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 600,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
    },
}


def _lag(service: str, topic: str) -> Manifest:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": BOOTSTRAP,
            "consumerGroup": service,
            "topic": topic,
            "lagThreshold": str(LAG_PER_POD[service]),
            "offsetResetPolicy": "earliest",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": "kafka-lag"},
    }


def _late(connector: str) -> Manifest:
    metric = f"{names.OLDEST_UNDELIVERED.name.replace('.', '_')}_seconds"
    label = names.CONNECTION.replace(".", "_")
    worst = f'max by ({label}) ({metric}{{job="{connector}"}})'
    return {
        "type": "prometheus",
        "metadata": {
            "serverAddress": "http://prometheus-operated.monitoring:9090",
            "query": f"count({worst} > {LATE_SECONDS}) or vector(0)",
            "threshold": str(LATE_PER_POD),
        },
    }


def write(folder: Path) -> None:
    """Writes all."""
    for name, documents in manifests().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump_all(documents, sort_keys=False, width=110)
        path.write_text(f"# Generated by deploy/generate.py (make docs).\n{text}", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
