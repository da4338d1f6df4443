"""What the sample asks of a CRM is the same of every vendor's: known people, statuses, sales, notes."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection
from leadbus.errors import AuthRefused
from sandbox.cast import CONNECTIONS, ORGANISATIONS
from sandbox.crms.crm import Crm, Customer, Organisation
from sandbox.crms.dynamics import DynamicsOrganisation
from sandbox.crms.tables import Note, Record
from sandbox.crms.zoho import Zoho, ZohoOrganisation
from sandbox.servers.process import free_port

(ORGANISATION,) = (o for o in ORGANISATIONS if isinstance(o, ZohoOrganisation))
DYNAMICS = [o for o in ORGANISATIONS if isinstance(o, DynamicsOrganisation)]
KNOWN = (
    Customer("lead", "ada@example.com", 0, closed=True),
    Customer("lead", "ada@example.com", 1),
    Customer("contact", "bob@example.com"),
)


@pytest.fixture(params=ORGANISATIONS, ids=lambda organisation: organisation.title)
async def crm(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Crm]:
    organisation: Organisation = request.param
    crm = organisation.crm(tmp_path, free_port())
    await crm.start()
    try:
        await crm.prepare("secret")
        yield crm
    finally:
        await crm.stop()


@pytest.fixture
async def zoho(tmp_path: Path) -> AsyncIterator[Zoho]:
    crm = ORGANISATION.crm(tmp_path, free_port())
    await crm.start()
    try:
        await crm.prepare("secret")
        yield crm
    finally:
        await crm.stop()


async def people(crm: Crm) -> dict[str, Record]:
    """By id."""
    return {record.id: record for record in (await crm.tables()).records}


async def test_known_people_are_entered_once_and_are_not_ours(crm: Crm) -> None:
    ids = await crm.enter(KNOWN)
    assert await crm.enter(KNOWN) == ids
    there = await people(crm)
    assert there.keys() == ids
    assert not any(record.ours or record.misplaced or record.became for record in there.values())
    assert sorted((r.kind, *r.emails) for r in there.values()) == sorted((c.kind, c.email) for c in KNOWN)
    assert len({r.status for r in there.values() if r.kind == "lead"}) == 2
    assert crm.page.startswith(crm.url)


async def test_a_status_that_is_set_is_the_one_that_the_lead_has(crm: Crm) -> None:
    ids = await crm.enter(KNOWN[1:2])
    for status in crm.statuses:
        await crm.set_status((await people(crm))[min(ids)], status)
        assert (await people(crm))[min(ids)].status == status


async def test_who_is_sold_to_is_a_contact_then_and_the_opportunity_is_of_the_lead(crm: Crm) -> None:
    ids = await crm.enter(KNOWN[1:2])
    stage, amount = crm.stages[1]
    before = (await people(crm))[min(ids)]
    await crm.sell(before, "Course for Ada", stage, amount)
    tables = await crm.tables()
    lead, contact = tables.by_email["ada@example.com"]
    assert (lead.kind, lead.became, contact.kind) == ("lead", contact.id, "contact")
    assert lead.status == (tables.words.converted or before.status)
    (sold,) = tables.opportunities
    assert (sold.name, sold.stage, float(sold.amount), sold.lead) == (
        "Course for Ada",
        stage,
        float(amount),
        lead.id,
    )


async def test_an_opportunity_with_a_contact_is_of_no_lead(crm: Crm) -> None:
    ids = await crm.enter(KNOWN[2:])
    await crm.sell((await people(crm))[min(ids)], "Course for Bob", *crm.stages[0])
    tables = await crm.tables()
    assert len(tables.records) == 1
    assert [opportunity.lead for opportunity in tables.opportunities] == [None]


async def test_what_leadbus_writes_to_zoho_is_ours_and_its_notes_are_told_in_utc(zoho: Zoho) -> None:
    await _written(zoho)
    tables = await zoho.tables()
    (record,) = tables.records
    assert record.ours
    assert record.score == 55
    assert tables.notes_on("ada@example.com") == [Note(record.id, "Opened", "2026-01-31 11:00:00 UTC\nsays")]


async def test_a_connection_to_zoho_comes_with_a_grant_token_and_leaves_the_schedules_to_pushes(
    zoho: Zoho,
) -> None:
    await zoho.prepare("secret")
    (connection,) = (c for c in CONNECTIONS if c.tenant == zoho.name)
    first, second = [connection.body(await zoho.settings("secret")) for _ in range(2)]
    access = first["access"]
    assert access.pop("grant_token") != second["access"].pop("grant_token")
    assert access == second["access"]
    assert (access["user"], access["organisation"]) == (ORGANISATION.user, ORGANISATION.number)
    assert access["data_centre"] == zoho.url
    assert "schedules" not in first
    assert zoho.pushes


@pytest.mark.parametrize("organisation", DYNAMICS, ids=lambda organisation: organisation.title)
async def test_a_dynamics_that_is_started_again_knows_the_password_that_leadbus_has(
    organisation: DynamicsOrganisation, tmp_path: Path
) -> None:
    port = free_port()
    crm = organisation.crm(tmp_path, port)
    await crm.start()
    try:
        await crm.prepare("its own")
    finally:
        await crm.stop()
    again = organisation.crm(tmp_path, port)
    await again.start()
    try:
        assert await _who_signs_in(again, "its own") == crm.api_user
        with pytest.raises(AuthRefused):
            await _who_signs_in(again, "secret")
    finally:
        await again.stop()


async def _who_signs_in(crm: Crm, password: str) -> str:
    """The user's id, found as the connector finds it."""
    given = {"connection_id": "one", "tenant_id": crm.name, "lead_source": "Leadbus"}
    connection = DynamicsConnection.model_validate(given | await crm.settings(password))
    probing = Probing(connection, Organisations())
    try:
        return (await (await probing.open()).info()).user_id
    finally:
        await probing.close()


async def _written(crm: Zoho) -> None:
    """As the connector writes: signed in by the grant token of the settings."""
    access = (await crm.settings("secret"))["access"]
    form = {"grant_type": "authorization_code", "code": access["grant_token"]}
    form |= {name: access[name] for name in ("client_id", "client_secret")}
    async with httpx.AsyncClient(base_url=crm.url, trust_env=False) as client:
        token = (await client.post("/oauth/v2/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        lead = {"Last_Name": "Lovelace", "Email": "Ada@Example.com", "Leadbus_Score": 55}
        made = await client.post("/crm/v8/Leads", json={"data": [lead]})
        parent = {"id": made.json()["data"][0]["details"]["id"], "module": {"api_name": "Leads"}}
        note = {"Note_Title": "Opened", "Note_Content": "2026-01-31 12:00:00 CET\nsays", "Parent_Id": parent}
        assert (await client.post("/crm/v8/Notes", json={"data": [note]})).status_code == 201
