"""Who takes part in the sample: CRMs of different kinds, reached by what their owners had copied."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.cast import CONNECTIONS, ORGANISATIONS, TENANTS
from sandbox.crms.sugar import SugarOrganisation


@pytest.fixture
async def bodies(tmp_path: Path) -> dict[str, dict[str, Any]]:
    crms = {o.tenant: o.crm(tmp_path, 1234) for o in ORGANISATIONS if isinstance(o, SugarOrganisation)}
    return {c.id: c.body(await crms[c.tenant].settings("secret")) for c in CONNECTIONS if c.tenant in crms}


def test_one_tenants_sugar_speaks_soap_alone_and_the_others_modern_rest_alone() -> None:
    speaks = {o.tenant: o.speaks for o in ORGANISATIONS if isinstance(o, SugarOrganisation)}
    assert speaks == {"aurora": "suitecrm-7-soap", "borealis": "sugar-14"}


def test_connections_are_made_with_the_addresses_of_the_guides_and_the_tenants_team(
    bodies: dict[str, dict[str, Any]],
) -> None:
    assert bodies["aurora-north"]["access"]["url"] == "http://127.0.0.1:1234/service/v2/soap.php?wsdl"
    assert "teams" not in bodies["aurora-north"]
    assert bodies["borealis-sugar"]["access"]["url"] == "http://127.0.0.1:1234/web"
    assert bodies["borealis-sugar"]["teams"] == ["Borealis"]


def test_a_connection_says_whose_it_is_and_what_differs_from_the_crms_others(
    bodies: dict[str, dict[str, Any]],
) -> None:
    assert {body["tenant_id"] for name, body in bodies.items() if name.startswith("aurora-")} == {"aurora"}
    assert bodies["aurora-south"]["record_as"] == "contact"
    assert bodies["aurora-south"]["access"] == bodies["aurora-north"]["access"]


def test_every_supplier_of_a_tenant_has_a_connection_that_takes_its_leads() -> None:
    for tenant in TENANTS:
        own = [c for c in CONNECTIONS if c.tenant == tenant.id]
        taken = {c.settings.get("supplier_id") for c in own}
        assert None in taken or taken == {supplier.id for supplier in tenant.suppliers}
