"""The settings of a connection: declared once in `model`; checked, merged, shown and stored beside it."""

from leadbus.connector.settings.answers import AnswerBy, AnswerField, StatusRule
from leadbus.connector.settings.assignment import AssignmentCase, AssignmentRule
from leadbus.connector.settings.lists import ListRule
from leadbus.connector.settings.model import (
    ConnectionSettings,
    Direction,
    FieldRule,
    Rule,
    SendLevel,
)
from leadbus.connector.settings.profiles import LeadDistribution, MarketingAutomation
from leadbus.connector.settings.schedules import Schedule, Schedules
from leadbus.connector.settings.section import Section

__all__ = [
    "AnswerBy",
    "AnswerField",
    "AssignmentCase",
    "AssignmentRule",
    "ConnectionSettings",
    "Direction",
    "FieldRule",
    "LeadDistribution",
    "ListRule",
    "MarketingAutomation",
    "Rule",
    "Schedule",
    "Schedules",
    "Section",
    "SendLevel",
    "StatusRule",
]
