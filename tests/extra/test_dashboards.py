"""Every panel shows something in a real Prometheus that reads what a service of Leadbus exposes."""

import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from real_prometheus import ROOT, SERVER, Prometheus

from leadbus.telemetry import Telemetry, names
from leadbus.topics import LEADS_ACTIVITIES, LEADS_QUALIFIED, LEADS_SCORED
from observability.checking import queries_of
from observability.levels import LEVELS, WINDOWS

BOARDS = sorted((ROOT / "deploy/k8s/components/grafana/dashboards").glob("*.json"))
JOBS = ("ingest", "scoring", "connector-zoho")
VALUES = {
    names.OUTCOME: ("accepted", "failed", "ok", "published", "created", "due"),
    names.STATE: ("refused",),
    names.RIGHT: ("distribution",),
    names.ANSWERING: ("yes",),
    names.HTTP_METHOD: ("POST",),
    names.DESTINATION: (LEADS_SCORED.name, LEADS_QUALIFIED.name, LEADS_ACTIVITIES.name),
}
"""Of labels whose values queries choose by; the others have one of no meaning."""
pytestmark = [
    pytest.mark.skipif(SERVER is None, reason="Prometheus is not installed (Debian: prometheus)"),
    pytest.mark.timeout(120),
]


def count(telemetry: Telemetry) -> None:
    """Adds one to all there is."""
    for metric in names.METRICS:
        for values in itertools.product(*(VALUES.get(label, ("any",)) for label in metric.labels)):
            labels = dict(zip(metric.labels, values, strict=True))
            if metric.kind == "counter":
                telemetry.counter(metric).add(1, labels)
            elif metric.kind == "histogram":
                telemetry.histogram(metric).record(1, labels)
            else:
                telemetry.gauge(metric).set(1, labels)


@pytest.fixture(scope="module")
def exposing() -> Iterator[str]:
    """The address of a service in which everything happens all the time."""
    telemetry = Telemetry("any", {})

    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            count(telemetry)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(telemetry.exposition())

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def prometheus(exposing: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Asked once all rules were evaluated."""
    folder = tmp_path_factory.mktemp("prometheus")
    wanted = [level.recorded(window) for level in LEVELS for window in WINDOWS]
    with Prometheus(folder, dict.fromkeys(JOBS, exposing)) as prometheus:
        until = time.monotonic() + 60
        while not all(prometheus.answers(query) for query in wanted):
            assert time.monotonic() < until, prometheus.log
            time.sleep(0.5)
        yield prometheus


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something(prometheus: Prometheus, board: Path) -> None:
    queries = list(queries_of(json.loads(board.read_text())))
    answers = {query: prometheus.answers(query, connection="any") for query in queries}
    assert [query for query, answer in answers.items() if not answer] == []
    assert [query for query, answer in answers.items() if any(r["value"][1] == "NaN" for r in answer)] == []


def test_alerts_say_whom_they_are_about(prometheus: Prometheus) -> None:
    alerts = [a for group in prometheus.groups("alert") for rule in group["rules"] for a in rule["alerts"]]
    firing = {alert["labels"]["alertname"]: alert for alert in alerts}
    summary = firing["LeadbusConnectionRefused"]["annotations"]["summary"]
    assert "The CRM of any refuses" in summary
    for alert in firing.values():
        assert not re.search(r"\{\{|<no value>|error", alert["annotations"]["summary"])
