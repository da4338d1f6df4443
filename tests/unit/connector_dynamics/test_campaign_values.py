"""A campaign in Dynamics's attributes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector_dynamics.campaign_values import campaign, changed, members_list
from connector_dynamics.wire import Attribute, Money, Option, Reference
from leadbus.connector.contract import CampaignAsSent
from leadbus.errors import Rejected

SHAPES = {name: Attribute(name, name, "text", length=20) for name in ("name", "description")}


def _sent(**facts: Any) -> CampaignAsSent:
    return CampaignAsSent(id="fair", **{"name": "Fair of May"} | facts)


def test_a_campaign_of_which_the_name_alone_is_told_is_written_by_its_name() -> None:
    assert campaign(_sent(), None, SHAPES) == {"name": "Fair of May"}


def test_days_are_written_at_noon_and_a_budget_with_its_currency() -> None:
    facts = {"starts_on": date(2027, 5, 1), "budget": "12.50", "currency": "EUR", "status": "paused"}
    values = campaign(_sent(**facts), "euro", SHAPES)
    assert values == {
        "name": "Fair of May",
        "proposedstart": datetime(2027, 5, 1, 12, tzinfo=UTC),
        "budgetedcost": Decimal("12.50"),
        "transactioncurrencyid": Reference("transactioncurrency", "euro"),
        "statuscode": 5,
    }
    assert isinstance(values["budgetedcost"], Money)
    assert isinstance(values["statuscode"], Option)


def test_texts_are_as_long_as_the_organisation_has_them() -> None:
    values = campaign(_sent(name="Fair\nof " + "x" * 40, description="y" * 40), None, SHAPES)
    assert values == {"name": "Fair of " + "x" * 12, "description": "y" * 20}


def test_a_day_that_no_column_holds_is_refused_with_its_name() -> None:
    with pytest.raises(Rejected) as refused:
        campaign(_sent(ends_on=date(999, 1, 1)), None, SHAPES)
    assert refused.value.field == "proposedend"


def test_a_changed_status_brings_its_state_along_and_nothing_else_does() -> None:
    assert changed({"name": "Fair", "statuscode": Option(2)})["statecode"] == 0
    assert changed({"name": "Fair"}) == {"name": "Fair"}


@pytest.mark.parametrize(("entity", "code"), [("lead", 4), ("contact", 2)])
def test_a_list_is_called_after_its_campaign_and_the_people_on_it(entity: str, code: int) -> None:
    values = members_list("Fair of May", entity)
    assert values == {"listname": f"Fair of May ({entity}s)", "type": False, "createdfromcode": code}
    assert len(str(members_list("x" * 300, entity)["listname"])) == 128
