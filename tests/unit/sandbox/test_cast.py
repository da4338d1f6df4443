"""Who takes part in the sample: two CRMs of different kinds, reached by what their owners had copied."""

from sandbox.cast import CONNECTIONS, ORGANISATIONS, TENANTS

SITE = "http://127.0.0.1:1234"


def test_one_tenants_crm_speaks_soap_alone_and_the_others_modern_rest_alone() -> None:
    speaks = {o.tenant: o.speaks for o in ORGANISATIONS}
    assert speaks == {"aurora": "suitecrm-7-soap", "borealis": "sugar-14"}
    assert {o.tenant: o.modern for o in ORGANISATIONS} == {"aurora": False, "borealis": True}


def test_connections_are_made_with_the_addresses_of_the_guides_and_the_tenants_team() -> None:
    bodies = {c.id: c.body(SITE, "secret") for c in CONNECTIONS}
    assert bodies["aurora-north"]["access"]["url"] == f"{SITE}/service/v2/soap.php?wsdl"
    assert "teams" not in bodies["aurora-north"]
    assert bodies["borealis-sugar"]["access"]["url"] == f"{SITE}/web"
    assert bodies["borealis-sugar"]["teams"] == ["Borealis"]


def test_every_supplier_of_a_tenant_has_a_connection_that_takes_its_leads() -> None:
    for tenant in TENANTS:
        own = [c for c in CONNECTIONS if c.organisation.tenant == tenant.id]
        taken = {c.settings.get("supplier_id") for c in own}
        assert None in taken or taken == {supplier.id for supplier in tenant.suppliers}
