"""Revenue and type of a company: mapped in every CRM, and where a tenant keeps them elsewhere, from there."""

from typing import Any

import pytest
from pydantic import ValidationError

from connector_dynamics.capabilities import CAPABILITIES as DYNAMICS
from connector_sugar.capabilities import CAPABILITIES as SUGAR
from connector_sugar.settings import SugarConnection
from connector_zoho.capabilities import CAPABILITIES as ZOHO
from leadbus.connector.capabilities import Capabilities
from leadbus.connector.mapping import FieldMap
from leadbus.messages import ACCOUNT_FIELDS


def settings(*rules: dict[str, Any]) -> SugarConnection:
    access = {"url": "https://crm.example.com", "user": "u", "password": "p"}
    return SugarConnection.model_validate(
        {"connection_id": "one", "tenant_id": "acme", "access": access, "fields": rules}
    )


@pytest.mark.parametrize("capabilities", [SUGAR, ZOHO, DYNAMICS], ids=lambda c: c.crm)
def test_every_crm_has_a_place_for_each_fact_of_a_company_and_it_is_only_read(
    capabilities: Capabilities,
) -> None:
    pairs = FieldMap.of(settings(), capabilities).pairs["account"]
    assert pairs.keys() == set(ACCOUNT_FIELDS)
    assert [pair.ours for pair in pairs.values() if pair.written or not pair.read] == []


def test_a_tenant_may_keep_the_revenue_in_a_field_of_its_own() -> None:
    rule = {"of": "account", "field": "annual_revenue", "crm_field": "turnover_c", "direction": "from_crm"}
    fields = FieldMap.of(settings(rule), SUGAR)
    assert fields.crm_fields("account") == ("account_type", "turnover_c")
    assert fields.from_crm("account", {"turnover_c": "5"}) == {"annual_revenue": "5"}


def test_a_fact_of_companies_is_no_field_of_people() -> None:
    with pytest.raises(ValidationError, match="annual_revenue is a fact of accounts"):
        settings({"of": "lead", "field": "annual_revenue", "crm_field": "x_c"})
