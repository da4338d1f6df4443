"""The settings of a connection: declared once in `model`; checked, merged, shown and stored beside it."""

from leadbus.connector.settings.model import (
    ConnectionSettings,
    Direction,
    FieldRule,
    LeadDistribution,
    MarketingAutomation,
    Rule,
    Schedule,
    Schedules,
    Section,
    SendLevel,
)

__all__ = [
    "ConnectionSettings",
    "Direction",
    "FieldRule",
    "LeadDistribution",
    "MarketingAutomation",
    "Rule",
    "Schedule",
    "Schedules",
    "Section",
    "SendLevel",
]
