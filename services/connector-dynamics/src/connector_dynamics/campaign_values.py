"""A campaign and its lists as Dynamics's attributes; pure."""

from collections.abc import Mapping
from datetime import date

from connector_dynamics.translation import CURRENCY, MEMBER_TYPES, OPEN
from connector_dynamics.values import Shapes, Values, cut, fit, written
from connector_dynamics.wire import Attribute, Option, Reference, Value
from leadbus.connector.contract import CampaignAsSent

STATUSES: Mapping[str, int] = {"planned": 0, "active": 2, "completed": 3, "paused": 5}
"""Proposed, Launched, Completed, Suspended: statuses of an active campaign (contract notes, [meta])."""
_START, _END, _BUDGET = "proposedstart", "proposedend", "budgetedcost"
_SHAPES: Shapes = {
    **{name: Attribute(name, name, "datetime") for name in (_START, _END)},
    _BUDGET: Attribute(_BUDGET, _BUDGET, "money"),
}
"""A day is written as a time: such a column is of times in the Web API (contract notes, [meta])."""
_LIST_NAME = 128
"""Letters (contract notes, [meta])."""


def campaign(sent: CampaignAsSent, currency_id: str | None, shapes: Shapes) -> Values:
    """What is told of a campaign; nothing is emptied.

    Its days are those that it is scheduled for; the actual ones people enter (documentation, campaign).

    Raises:
        Rejected: the CRM could not hold one of the values.
    """
    told = {
        "name": sent.name,
        "description": sent.description,
        _START: _noon(sent.starts_on),
        _END: _noon(sent.ends_on),
        _BUDGET: sent.budget,
    }
    known = {**shapes, **_SHAPES}
    values: Values = {
        name: written(name, fit(name, value), known.get(name)) for name, value in told.items() if value
    }
    if sent.status is not None:
        values["statuscode"] = Option(STATUSES[sent.status])
    if sent.budget and currency_id:
        values["transactioncurrencyid"] = Reference(CURRENCY, currency_id)
    return values


def changed(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Of a campaign that is there: a status needs the state that it goes with."""
    return {**values, "statecode": Option(OPEN)} if "statuscode" in values else values


def members_list(name: str, entity: str) -> Values:
    """The static list of a campaign's leads or contacts."""
    which = f" ({entity}s)"
    called = f"{cut(fit('name', name), _LIST_NAME - len(which)).rstrip()}{which}"
    return {"listname": called, "type": False, "createdfromcode": Option(MEMBER_TYPES[entity])}


def _noon(day: date | None) -> str:
    """Such a column keeps midnight of the user's zone; noon of UTC is that day nearly everywhere."""
    return f"{day.isoformat()}T12:00:00+00:00" if day else ""
