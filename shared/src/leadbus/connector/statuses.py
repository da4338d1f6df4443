"""Lead statuses in the tenant's words and in the CRM's, and what a status there answers. Pure."""

from leadbus.connector.settings import AnswerBy, ConnectionSettings
from leadbus.messages import Answer


def in_the_crm(settings: ConnectionSettings, ours: str) -> str | None:
    """The CRM's status for one of ours; None = no such one is written."""
    word = ours.strip().casefold()
    rules = (rule for rule in settings.statuses if rule.direction != "from_crm")
    return next((rule.theirs for rule in rules if rule.ours.casefold() == word), None)


def in_our_words(settings: ConnectionSettings, theirs: str | None) -> str | None:
    """Our status for one of the CRM's; None = none is mapped to it."""
    rules = (rule for rule in settings.statuses if rule.direction != "to_crm")
    return next((rule.ours for rule in rules if rule.theirs == theirs), None)


def answer_of(settings: ConnectionSettings, theirs: str | None) -> Answer | None:
    """What a salesperson says of a distributed lead by giving it this status."""
    rules = (rule for rule in settings.statuses if rule.direction != "to_crm")
    return next((rule.answer for rule in rules if rule.theirs == theirs), None)


def is_answered_in_the_crm(settings: ConnectionSettings) -> bool:
    """Whether distributed leads can be accepted or rejected there."""
    return settings.answer_field is not None or any(rule.answer for rule in settings.statuses)


def recommended_way(settings: ConnectionSettings) -> AnswerBy:
    """How distributed leads are to be accepted and rejected, as far as the settings make it possible."""
    if settings.answer_by == "crm" and not is_answered_in_the_crm(settings):
        return "email"
    return settings.answer_by
