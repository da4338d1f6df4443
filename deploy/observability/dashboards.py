"""The dashboards: each a list of rows of panels, over declared metrics."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import VariableRefresh

from leadbus.telemetry import names
from leadbus.telemetry.metric import exposed_label
from observability.crm_panels import CRM_ROWS
from observability.flow_panels import CONSUMER_ROWS, FLOW_ROWS, SCORING_ROWS
from observability.panels import SOURCE, Panel
from observability.promise_panels import PROMISE_ROWS
from observability.promql import of

Rows = Mapping[str, Sequence[Panel]]


def as_json(made: dashboard.Dashboard) -> dict[str, Any]:
    """As Grafana imports it."""
    found: dict[str, Any] = json.loads(JSONEncoder().encode(made.build()))
    return found


def _made(name: str, title: str, says: str, rows: Rows) -> dashboard.Dashboard:
    made = (
        dashboard.Dashboard(f"Leadbus: {title}")
        .uid(f"leadbus-{name}")
        .description(says)
        .tags(["leadbus"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .editable()
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    numbers = count(1)
    for heading, panels in rows.items():
        made = made.with_row(dashboard.Row(heading).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(panel.built(next(numbers)))
    return made


def _of_connections() -> dashboard.Dashboard:
    known = f"label_values({of(names.CONNECTION_STATE)}, {exposed_label(names.CONNECTION)})"
    chosen = dashboard.QueryVariable("connection").label("Connection").datasource(SOURCE).query(known)
    made = _made("connection", "one connection", "How one tenant's CRM fares.", CRM_ROWS)
    return made.with_variable(chosen.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED))


DASHBOARDS: Mapping[str, Callable[[], dashboard.Dashboard]] = {
    "flow": lambda: _made("flow", "flow", "What comes in, goes through and gets to CRMs.", FLOW_ROWS),
    "scoring": lambda: _made("scoring", "scoring", "Events counted, and what they caused.", SCORING_ROWS),
    "connection": _of_connections,
    "consumers": lambda: _made(
        "consumers", "Kafka consumers", "How far each service is behind, and how fast it goes.", CONSUMER_ROWS
    ),
    "promise": lambda: _made("promise", "is the promise kept", "Service levels of 30 days.", PROMISE_ROWS),
}
