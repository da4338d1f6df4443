"""A dry run does what delivering does, up to the call that would write."""

from dataclasses import asdict
from typing import Any

import pytest

from leadbus.connector.rehearsing.dry_run import DryRun, Person
from leadbus.errors import Gone, Rejected
from leadbus.messages import SyncRequest
from sandbox.sugar import SugarCRM, desk

ANN = "ann@example.com"
MODULES = ("Leads", "Contacts", "Accounts", "Notes", "Tasks", "Calls")


@pytest.fixture
def rehearse(bench, crm):
    async def run(**person: Any) -> Any:
        connection = await bench.desk.connections.get(f"{bench.tenant}-sugar")
        adapter = await bench.desk.workshop.adapter_for(connection)
        before = await _everything(bench, crm)
        try:
            return await DryRun(bench.client, bench.database.name, "connector-sugar").run(
                connection, Person(**person), adapter
            )
        finally:
            await adapter.close()
            assert await _everything(bench, crm) == before, "something was written"

    return run


async def _everything(bench: Any, crm: SugarCRM) -> list[Any]:
    """What the CRM and the connector hold."""
    stored = [
        [document async for document in bench.database[name].find().sort("_id")]
        for name in sorted(await bench.database.list_collection_names())
    ]
    return [[dict(row) for row in desk.records(crm.store, module)] for module in MODULES] + stored


async def test_a_contact_would_come_with_its_account_its_owner_and_a_task(bench, crm, rehearse):
    boss = desk.add_user(crm.store, "boss", "secret", last_name="Boss", email="boss@example.com")
    desk.add_option(crm.store, "Contacts", "lead_source", "Fair")
    await bench.connect(crm)
    await bench.pull(kinds=("user",))
    task = {"kind": "call", "subject": "Call her back"}
    terms = {"record_as": "contact", "owner_email": "boss@example.com", "lead_source": "Fair", "task": task}
    told = await rehearse(
        email=ANN,
        fields={"last_name": "Lee", "company": "Acme"},
        sync=SyncRequest.model_validate(terms),
    )
    assert (told.outcome, told.kind, told.record, told.account) == ("created", "contact", None, "Acme")
    assert (told.owner.id, told.owner.email, told.lead_source) == (boss, "boss@example.com", "Fair")
    assert (told.tasks, told.calls) == (0, 1)


async def test_a_missing_required_field_is_the_refusal_that_it_would_be(bench, crm, rehearse):
    await bench.connect(crm, default_last_name=None)
    told = await rehearse(email=ANN, fields={"company": "Acme"})
    assert (told.outcome, told.refused.field) == ("refused", "last_name")
    assert "without a last name" in told.refused.reason


async def test_what_waits_for_a_known_prospect_is_counted(bench, crm, did, rehearse):
    await bench.connect(crm)
    await bench.feed(bench.qualified(ANN, did("pricing"), did("demo", minute=1), last_name="Lee"))
    told = await rehearse(prospect_id=(await bench.delivery(ANN)).prospect_id, by="marketing")
    assert (told.outcome, told.record) == ("created", None)
    assert told.notes >= 2
    assert {row.field: row.value for row in told.fields}["last_name"] == "Lee"


async def test_a_record_that_is_there_is_named_with_why_its_fields_stay(bench, crm, rehearse):
    lead = desk.create(crm.store, "Leads", {"last_name": "Lee", "email1": ANN})
    await bench.connect(crm)
    told = await rehearse(email=ANN, fields={"phone": "1"})
    assert (told.outcome, told.record.id, told.becomes_contact) == ("matched", lead, False)
    assert asdict(told)["fields"][0]["reason"] == "field updates are off"


@pytest.mark.parametrize(
    ("settings", "person", "field"),
    [
        ({"lead_distribution": {"on": False}}, {}, "lead_distribution"),
        ({"supplier_id": "initech"}, {"supplier_id": "globex"}, "supplier_id"),
        ({"marketing_automation": {"on": False}}, {"by": "marketing"}, "marketing_automation"),
        ({"marketing_automation": {"synchronise": False}}, {"by": "marketing"}, "marketing_automation"),
        ({"lead_distribution": {"synchronise": False}}, {}, "lead_distribution"),
        ({}, {"by": "marketing", "score": 50}, "marketing_automation.threshold"),
    ],
)
async def test_what_the_connection_takes_no_part_in_is_said(bench, crm, rehearse, settings, person, field):
    await bench.connect(crm, **settings)
    told = await rehearse(email=ANN, **person)
    assert (told.outcome, told.refused.field) == ("not_taken", field)


async def test_nobody_can_be_rehearsed_of_whom_nothing_is_known(bench, crm, rehearse):
    await bench.connect(crm)
    with pytest.raises(Gone, match="Nothing is known"):
        await rehearse(prospect_id="nobody")
    with pytest.raises(Rejected, match="Name somebody"):
        await rehearse()


async def test_a_sync_request_is_rehearsed_though_no_profile_writes_anything(bench, crm, rehearse):
    off = {"synchronise": False}
    await bench.connect(crm, marketing_automation=off, lead_distribution=off)
    told = await rehearse(email=ANN, sync=SyncRequest(lead_source="Fair"))
    assert (told.outcome, told.lead_source) == ("created", "Fair")
