"""Traces, metrics and logs: every name declared once, one set of providers per service."""

from leadbus.telemetry import names
from leadbus.telemetry.instruments import Gauge, Level
from leadbus.telemetry.logs import configure_logging
from leadbus.telemetry.propagation import context_from, is_sampled, traceparent_of
from leadbus.telemetry.setup import Telemetry

__all__ = [
    "Gauge",
    "Level",
    "Telemetry",
    "configure_logging",
    "context_from",
    "is_sampled",
    "names",
    "traceparent_of",
]
