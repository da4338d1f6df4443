"""What is watched is there: rules, dashboards and runbook agree with the declared signals."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from leadbus.telemetry import Telemetry, names
from observability.__main__ import documents
from observability.checking import (
    OF_PROMETHEUS_ITSELF,
    Known,
    declared,
    exposed,
    queries_of,
    unknown_in,
)
from observability.levels import PROMISED_SECONDS
from observability.promql import of, total
from observability.rules import runbook_page

ROOT = Path(__file__).parents[2]
DOCUMENTS = documents()
RULES: dict[str, Any] = yaml.safe_load(DOCUMENTS["components/prometheus/rules.yaml"])
EACH = [rule for group in RULES["spec"]["groups"] for rule in group["rules"]]
ALERTS = sorted({rule["alert"] for rule in EACH if "alert" in rule})
BOARDS = {name: json.loads(text) for name, text in DOCUMENTS.items() if name.endswith(".json")}


def known() -> Known:
    kept = {rule["record"]: frozenset[str]() for rule in EACH if "record" in rule}
    return {**declared(), **kept, **OF_PROMETHEUS_ITSELF}


def test_generated_rules_and_dashboards_have_not_drifted() -> None:
    folder = ROOT / "deploy/k8s"
    boards = (folder / "components/grafana/dashboards").glob("*.json")
    assert {path.relative_to(folder).as_posix() for path in boards} == BOARDS.keys()
    stale = [name for name, text in DOCUMENTS.items() if (folder / name).read_text() != text]
    assert stale == [], "run make docs"


@pytest.mark.parametrize("board", BOARDS, ids=lambda name: Path(name).stem)
def test_every_query_of_a_dashboard_asks_for_declared_metrics_by_their_labels(board: str) -> None:
    queries = list(queries_of(BOARDS[board]))
    assert len(queries) >= 8
    assert {query: unknown_in(query, known()) for query in queries if unknown_in(query, known())} == {}


def test_every_rule_asks_for_declared_metrics_by_their_labels() -> None:
    assert len(EACH) > 20
    asked = {rule["expr"]: unknown_in(rule["expr"], known()) for rule in EACH}
    assert {query: unknown for query, unknown in asked.items() if unknown} == {}


def test_what_a_service_exposes_is_what_is_declared() -> None:
    telemetry = Telemetry("t", {})
    for metric in names.METRICS:
        labels = dict.fromkeys(metric.labels, "x")
        if metric.kind == "counter":
            telemetry.counter(metric).add(1, labels)
        elif metric.kind == "histogram":
            telemetry.histogram(metric).record(1, labels)
        else:
            telemetry.gauge(metric).set(1, labels)
    told = exposed(telemetry.exposition().decode())
    assert {series: told.get(series, frozenset()) - {"le"} for series in declared()} == declared()
    rest = told.keys() - declared().keys()
    assert {name for name in rest if not name.endswith("_created")} == {"target_info"}


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ('sum by (job) (rate(leadbus_ingest_items_total{leadbus_outcome="ok"}[5m])) > 0', set()),
        ('topk(3, leadbus_consumer_lag offset 5m) unless on (job) up{job="a_b"} == 1', set()),
        ("sum(rate(leadbus_ingest_item_total[5m]))", {"leadbus_ingest_item_total"}),
        ("leadbus_consumer_lag or leadbus_gone", {"leadbus_gone"}),
        ('leadbus_consumer_lag{topic="x"}', {"topic"}),
        ("max by (tenant) (leadbus_consumer_lag)", {"tenant"}),
        ("leadbus_lead_latency_seconds", {"leadbus_lead_latency_seconds"}),
        ("leadbus:acknowledged:missed_ratio_rate7m", {"leadbus:acknowledged:missed_ratio_rate7m"}),
    ],
)
def test_a_query_for_what_is_not_there_is_found_out(query: str, unknown: set[str]) -> None:
    assert unknown_in(query, known()) == unknown


def test_a_query_cannot_be_put_together_for_what_is_not_there() -> None:
    with pytest.raises(KeyError, match="no label"):
        of(names.CONSUMER_LAG, {names.OUTCOME: "x"})
    with pytest.raises(KeyError, match="no label"):
        total(names.CONSUMER_LAG, by=(names.TENANT,))
    with pytest.raises(KeyError, match="no _bucket"):
        of(names.CONSUMER_LAG, part="_bucket")


def test_what_is_promised_in_time_is_an_edge_of_what_is_measured() -> None:
    assert PROMISED_SECONDS in names.LEAD_LATENCY.buckets


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_its_page_of_the_runbook(alert: str) -> None:
    page = (ROOT / runbook_page(alert)).read_text()
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == [f"# {alert}", "## What it means", "## Where to look", "## What to do"]
    assert min(len(part.split()) for part in page.split("## ")[1:]) > 15
    assert f"({runbook_page(alert).removeprefix('docs/')})" in (ROOT / "docs/runbook.md").read_text()
    for rule in EACH:
        if rule.get("alert") == alert:
            assert rule["annotations"]["runbook"] == runbook_page(alert)


def test_the_runbook_has_no_page_of_an_alert_that_is_gone() -> None:
    assert sorted(path.stem for path in (ROOT / "docs/runbook").glob("Leadbus*.md")) == ALERTS


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_where_it_fires_and_where_it_does_not(alert: str) -> None:
    """`make test-extra` runs them by promtool."""
    tests = yaml.safe_load((ROOT / f"tests/extra/alerts/{alert}.yaml").read_text())["tests"]
    expected = {test["name"]: test["alert_rule_test"] for test in tests}
    assert {"fires", "does not fire"} <= expected.keys()
    for name, checks in expected.items():
        assert {check["alertname"] for check in checks} == {alert}
        assert all(bool(check.get("exp_alerts")) is not name.startswith("does not") for check in checks), name
    severities = {rule["labels"]["severity"] for rule in EACH if rule.get("alert") == alert}
    fired = {
        a["exp_labels"]["severity"] for c in expected.values() for t in c for a in t.get("exp_alerts") or ()
    }
    assert fired == severities
