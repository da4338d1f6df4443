"""What dashboards and alerts ask for is what a run exposes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from rig.watched import Watched

from observability.checking import OF_PROMETHEUS_ITSELF, Known, declared, exposed, queries_of, unknown_in

FOLDER = Path(__file__).parents[2] / "deploy/k8s/components"
pytestmark = pytest.mark.timeout(300)  # the first of a worker waits for the run
BOARDS = sorted((FOLDER / "grafana/dashboards").glob("*.json"))
RULES: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus/rules.yaml").read_text())
EACH = [rule for group in RULES["spec"]["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def known(watched: Watched) -> Known:
    """By the run alone, and what Prometheus keeps itself."""
    kept = {rule["record"]: frozenset[str]() for rule in EACH if "record" in rule}
    return {**exposed("\n".join(watched.exposed.values())), **kept, **OF_PROMETHEUS_ITSELF}


def test_a_run_exposes_every_declared_metric_with_its_labels_and_no_other(known: Known) -> None:
    assert {name: known.get(name, frozenset()) - {"le"} for name in declared()} == declared()
    rest = known.keys() - declared().keys() - OF_PROMETHEUS_ITSELF.keys()
    assert {name for name in rest if not name.endswith("_created") and ":" not in name} == {"target_info"}


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_asks_for_what_a_run_exposes(known: Known, board: Path) -> None:
    queries = list(queries_of(json.loads(board.read_text())))
    assert len(queries) >= 8
    assert {query: unknown for query in queries if (unknown := unknown_in(query, known))} == {}


@pytest.mark.parametrize("rule", EACH, ids=lambda rule: rule.get("record") or rule["alert"])
def test_every_rule_asks_for_what_a_run_exposes(known: Known, rule: dict[str, Any]) -> None:
    assert unknown_in(rule["expr"], known) == set()


def test_a_query_for_what_no_run_exposes_is_found_out(known: Known) -> None:
    wrong = 'sum by (tenant) (leadbus_delivery_oldest_age{leadbus_connection_id="x"})'
    assert unknown_in(wrong, known) == {"leadbus_delivery_oldest_age", "tenant", "leadbus_connection_id"}
