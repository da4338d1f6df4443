"""Manifests that repeat what stands in the code are generated from it, or equal to it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from checks.environment import settings_of
from checks.rendering import ROOT, Manifest, Rendered, render

from ingest.hooks import ROUTE as HOOKS
from ingest.inputs import INPUTS
from leadbus.connector.api.sign_in_routes import PATH as SIGN_IN
from leadbus.connector.mailing.links import PATH as MAILS_OFF
from leadbus.provisioning import DEAD_LETTER_CONFIG
from leadbus.runner import build, installed
from leadbus.security.answer_links import PATH as ANSWERS
from leadbus.telemetry import names
from leadbus.topics import DEAD_LETTER_PARTITIONS, TOPICS

sys.path.insert(0, str(ROOT / "docs"))
from flows import CONNECTORS, CONSUMERS, TABLES, WRITERS

DEPLOYMENT = (ROOT / "docs/deployment.md").read_text()
GENERATED = ("components/strimzi/*.yaml", "components/keda/*.yaml")
ENVIRON = {"LEADBUS_SECRET_KEY": "A" * 43 + "=", "OTEL_SDK_DISABLED": "true"}


@pytest.fixture(scope="module")
def production() -> Rendered:
    return render("production")


def test_generated_manifests_have_not_drifted(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "docs")}
    script = ROOT / "deploy/generate.py"
    subprocess.run([sys.executable, script, tmp_path], check=True, timeout=60, env=environ)
    fresh = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*.yaml")}
    assert len(fresh) == 4
    stale = [name for name, text in fresh.items() if (ROOT / "deploy/k8s" / name).read_text() != text]
    assert stale == [], "run make docs"


def test_every_topic_is_there_as_it_would_be_provisioned(production: Rendered) -> None:
    made = {topic["metadata"]["name"]: topic["spec"] for topic in production.of("KafkaTopic")}
    dead = {t.dead_letters_of(c) for c, topics in CONSUMERS.items() for t in topics}
    assert made.keys() == {topic.name for topic in TOPICS} | dead
    for topic in TOPICS:
        assert made[topic.name]["partitions"] == topic.partitions
        assert made[topic.name]["config"].items() >= topic.config.items()
    for name in dead:
        assert made[name]["partitions"] == DEAD_LETTER_PARTITIONS
        assert made[name]["config"].items() >= DEAD_LETTER_CONFIG.items()


def test_the_page_on_sizes_counts_topics_and_partitions_as_they_are(production: Rendered) -> None:
    topics = [topic["spec"]["partitions"] for topic in production.of("KafkaTopic")]
    row = f"| partitions, of {len(topics)} topics: {sum(topics)} × 3 replicas / brokers "
    (brokers,) = [pool for pool in production.of("KafkaNodePool") if pool["spec"]["roles"] == ["broker"]]
    assert brokers["spec"]["replicas"] == 3
    assert f"{row}| {sum(topics)} a broker | {sum(topics)}, or {sum(topics) // 2} |" in DEPLOYMENT


def rights_of(production: Rendered, user: str) -> dict[tuple[str, str], set[str]]:
    found = production.named("KafkaUser", user)
    assert found is not None
    acls: list[Manifest] = found["spec"]["authorization"]["acls"]
    assert all(acl["resource"].get("patternType", "literal") == "literal" for acl in acls)
    assert all({"type", "host"}.isdisjoint(acl) for acl in acls)
    return {(a["resource"]["type"], a["resource"]["name"]): set(a["operations"]) for a in acls}


@pytest.mark.parametrize("service", sorted(WRITERS))
def test_a_service_may_do_at_its_topics_what_it_does_and_nothing_else(
    production: Rendered, service: str
) -> None:
    rights = rights_of(production, service)
    read = {t.name for t in CONSUMERS.get(service, ())}
    dead = {t.dead_letters_of(service) for t in CONSUMERS.get(service, ())}
    tables = {t.name for t in TABLES.get(service, ())}
    written = {t.name for t in WRITERS[service]}

    def with_right(kind: str, operation: str) -> set[str]:
        return {name for (k, name), operations in rights.items() if k == kind and operation in operations}

    assert with_right("topic", "Read") == read | dead | tables
    assert with_right("topic", "Write") == read | dead | written
    assert with_right("group", "Read") == ({service, f"{service}.replay"} if read else set())
    assert {o for operations in rights.values() for o in operations} <= {"Read", "Write"}
    assert {kind for kind, _ in rights} <= {"topic", "group"}


def test_who_reads_lag_can_read_nothing_else(production: Rendered) -> None:
    rights = rights_of(production, "keda")
    assert {name for kind, name in rights if kind == "group"} == CONSUMERS.keys()
    assert all(operations == {"Describe"} for operations in rights.values())


def test_every_consumer_is_scaled_by_each_topic_that_it_reads(production: Rendered) -> None:
    scaled = {s["metadata"]["name"]: s["spec"]["triggers"] for s in production.of("ScaledObject")}
    assert scaled.keys() == CONSUMERS.keys()
    for service, triggers in scaled.items():
        topics = [t["metadata"]["topic"] for t in triggers if t["type"] == "kafka"]
        assert topics == [topic.name for topic in CONSUMERS[service]]
    assert {t["metadata"]["name"] for t in production.of("HorizontalPodAutoscaler")} == {"ingest"}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_connectors_are_scaled_by_leads_that_are_late(production: Rendered, connector: str) -> None:
    found = production.named("ScaledObject", connector)
    monitor = production.named("PodMonitor", "leadbus")
    assert found is not None
    assert monitor is not None
    (late,) = [t["metadata"] for t in found["spec"]["triggers"] if t["type"] == "prometheus"]
    assert names.OLDEST_UNDELIVERED.name.replace(".", "_") + "_seconds" in late["query"]
    assert f'job="{connector}"' in late["query"]
    assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/name"


def test_the_way_in_is_for_what_others_call_and_nothing_else(production: Rendered) -> None:
    (ingress,) = production.of("Ingress")
    open_paths = {
        rule["http"]["paths"][0]["backend"]["service"]["name"]: {p["path"] for p in rule["http"]["paths"]}
        for rule in ingress["spec"]["rules"]
    }
    assert open_paths.pop("ingest") == {
        *(i.path for i in INPUTS),
        "/v1/cloudevents",
        "/" + HOOKS.split("/")[1],
    }
    assert open_paths.pop("feedback") == {"/v1/distributions", ANSWERS}
    assert open_paths.keys() == {*CONNECTORS}
    for service, paths in open_paths.items():
        (built,) = build([service], ENVIRON)
        served = built.api.openapi()["paths"].keys()
        signs_in = {SIGN_IN} if SIGN_IN in served else set()
        assert paths == {MAILS_OFF} | signs_in
        assert all(any(route.startswith(path) for route in served) for path in paths)


def test_addresses_that_are_told_lead_in(production: Rendered) -> None:
    (ingress,) = production.of("Ingress")
    settings = production.settings()
    hosts = {
        rule["http"]["paths"][0]["backend"]["service"]["name"]: rule["host"]
        for rule in ingress["spec"]["rules"]
    }
    told = {name: url for name, url in settings["data"].items() if name.endswith("_PUBLIC_URL")}
    assert told == {
        f"{service.upper().replace('-', '_')}_PUBLIC_URL": f"https://{host}"
        for service, host in hosts.items()
    }


@pytest.mark.parametrize("service", installed())
def test_a_service_is_found_where_its_settings_say(production: Rendered, service: str) -> None:
    found = production.named("Service", service)
    assert found is not None
    assert [p["port"] for p in found["spec"]["ports"]] == [settings_of(service).of({}).port]  # type: ignore[attr-defined]


def test_the_collector_keeps_what_is_always_kept_and_names_only_what_it_has(production: Rendered) -> None:
    deployment = production.named("Deployment", "collector")
    assert deployment is not None
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    mounted = production.named("ConfigMap", volume["configMap"]["name"])
    assert mounted is not None
    config = yaml.safe_load(mounted["data"]["config.yaml"])
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= config[kind].keys()
    policies = {p["name"]: p[p["type"]] for p in config["processors"]["tail_sampling"]["policies"]}
    assert policies["always"] == {"key": names.ALWAYS_SAMPLED, "value": True}
    assert policies["failed"] == {"status_codes": ["ERROR"]}
    settings = production.settings()
    assert settings["data"]["OTEL_TRACES_SAMPLER"] == "always_on"
    port = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert settings["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://collector:{port}"
