"""Service levels and alerts as a PrometheusRule of the Prometheus operator."""

from typing import Any

from observability.alerts import Alert, alerts
from observability.levels import LEVELS, WINDOWS, Level

_SHORT = ("5m", "30m", "1h")
"""Windows that are kept up with each evaluation; longer ones change slowly, and cost more."""


def prometheus_rule() -> dict[str, Any]:
    """The manifest. What its `spec` holds is also a rule file of a plain Prometheus."""
    slow = [window for window in WINDOWS if window not in _SHORT]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "leadbus"},
        "spec": {
            "groups": [
                {"name": "leadbus-levels", "rules": [_recording(v, w) for v in LEVELS for w in _SHORT]},
                {
                    "name": "leadbus-levels-slow",
                    "interval": "5m",
                    "rules": [_recording(v, w) for v in LEVELS for w in slow],
                },
                {"name": "leadbus-alerts", "rules": [_alerting(alert) for alert in alerts()]},
            ]
        },
    }


def runbook_page(alert: str) -> str:
    """Where it says what an alert means and what to do, in this repository."""
    return f"docs/runbook/{alert}.md"


def _recording(level: Level, window: str) -> dict[str, Any]:
    return {"record": level.recorded(window), "expr": level.missed(window)}


def _alerting(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.query,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.says, "runbook": runbook_page(alert.name)},
    }
