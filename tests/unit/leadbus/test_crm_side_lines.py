"""`leadbus lead` shows what CRMs hold of a lead."""

from leadbus.cli.crm_side import lines

RECORD = {
    "connection_id": "acme-1",
    "kind": "contact",
    "status": None,
    "owner_email": "grace@acme.example",
    "account_type": "Customer",
    "account_annual_revenue": "1000000",
}
DEAL = {
    "connection_id": "acme-1",
    "name": "200 engines",
    "stage": "Won",
    "amount": "12500.50",
    "currency": "EUR",
    "close_date": "2027-01-31",
    "probability": 0,
    "lead_source": None,
}
NOTHING = {
    "in_crm_as_lead": False,
    "in_crm_as_contact": False,
    "records": [],
    "opportunities": [],
    "lists": [],
}


def test_what_somebody_typed_breaks_no_line_and_steers_no_terminal():
    crm = NOTHING | {"opportunities": [DEAL | {"name": "x\n\x1b[2JIn the CRM as lead."}]}
    (line,) = lines(crm, [])
    assert line.startswith("  acme-1: opportunity x  [2JIn the CRM as lead.: 12500.50 EUR")


def test_every_fact_that_is_known_has_its_words():
    crm = NOTHING | {"in_crm_as_contact": True, "records": [RECORD], "opportunities": [DEAL]}
    crm["lists"] = ["Account type: Customer", "Opportunity stage: Won"]
    assert list(lines(crm, [{"rule": "Rich", "points": 12.5}])) == [
        "In the CRM as contact.",
        "  acme-1: contact: owner grace@acme.example, account type Customer, annual revenue 1000000",
        "  acme-1: opportunity 200 engines: 12500.50 EUR, stage Won, closes 2027-01-31, 0 %",
        "On the lists Account type: Customer; Opportunity stage: Won.",
        "+12.5 points for Rich.",
    ]


def test_who_is_in_no_crm_has_no_lines():
    assert list(lines(NOTHING, [])) == []
