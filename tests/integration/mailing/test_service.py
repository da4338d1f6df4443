"""The whole connector, with a CRM and a mail server: leads come by Kafka, mails go to people."""

import logging
import re
from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

import httpx
import pytest

from leadbus.testing.facts import Somebody, activity
from leadbus.testing.house import House
from sandbox.mail import MailServer
from sandbox.sugar import SugarCRM, desk

PASSWORD = "s3cret of the crm"
NEVER = dict.fromkeys(
    ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list", "comparison")
)


@pytest.fixture(scope="module")
async def mail():
    async with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
async def house(kafka, mongodb, mail):
    """As ever, but in a hurry."""
    told = {"SMTP_URL": mail.url, "MAIL_FROM": "Leadbus <leadbus@example.com>"}
    here = "leadbus.connector.mailing"
    with (
        patch(f"{here}.new_leads.WAITS_FOR_THE_RECORD", timedelta(seconds=1)),
        patch(f"{here}.sender.IDLE_SECONDS", 0.1),
        patch(f"{here}.watching.LOOKS_EVERY_SECONDS", 0.5),
    ):
        async with House("sugar", kafka.bootstrap_servers, mongodb.url, **told) as opened:
            yield opened


class Office:
    """One test's tenant, CRM, connection, and the people who get its mails."""

    def __init__(self, house, mail, crm):
        self.house, self.mail, self.crm = house, mail, crm
        self.tenant = f"t-{uuid4().hex[:10]}"
        self.id = f"{self.tenant}-sugar"
        self.owner, self.admin = f"owner@{self.tenant}.example", f"admin@{self.tenant}.example"

    async def connect(self, *, on=True, **settings):
        access = {"url": self.crm.url, "user": "admin", "password": PASSWORD}
        body = {"crm": "sugar", "access": access, "schedules": NEVER, "tenant_id": self.tenant}
        body |= {"default_owners": [self.owner], "notify": [self.admin]} | settings
        await self.house.ask("PUT", f"/v1/connections/{self.id}", json=body)
        if on:
            answer = await self.house.ask("POST", f"/v1/connections/{self.id}/on")
            assert answer["ok"], answer["findings"]

    def somebody(self, name="ada"):
        return Somebody(self.tenant, f"{name}@{self.tenant}.example", self.id)

    def leads(self):
        return [row for row in desk.records(self.crm.store, "Leads") if not row["deleted"]]


@pytest.fixture
async def office(house, mail):
    crm = SugarCRM()
    await crm.start()
    desk.set_password(crm.store, desk.ADMIN, PASSWORD)
    for module in ("Leads", "Contacts"):
        desk.add_option(crm.store, module, "lead_source", "Leadbus")
    desk.register_platform(crm.store, "leadbus")
    made = Office(house, mail, crm)
    yield made
    await mail.behave()
    await house.ask("POST", f"/v1/connections/{made.id}/off")
    await crm.stop()


async def test_a_distributed_lead_is_mailed_to_the_owners_with_the_way_to_its_record(office, until):
    await office.connect()
    ada = office.somebody()
    fields = {"first_name": "Ada", "last_name": "Nowak", "company": "Initech", "phone": "+49 30 1"}
    await office.house.publish([ada.distributed(**fields)])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    assert got.subject == "New lead: Ada Nowak, Initech (from globex)"
    assert "Phone: +49 30 1" in got.text
    (record,) = office.leads()
    assert f"record={record['id']}" in got.text
    assert got.mail["list-unsubscribe"].startswith("<http://127.0.0.1:")


async def test_a_qualified_lead_is_mailed_with_what_it_did(office, until):
    await office.connect()
    quote = activity("form_submission", "Request for a quote")
    await office.house.publish([office.somebody().qualified(quote, score=63, first_name="Ada")])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    assert "score 63" in got.text
    assert "Submitted a form: Request for a quote" in got.text


async def test_a_lead_that_the_crm_refuses_is_mailed_all_the_same(office, until):
    await office.connect(default_last_name=None)
    await office.house.publish([office.somebody().distributed(first_name="Ada")])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    assert "Your CRM does not accept this lead yet" in got.text
    assert office.leads() == []


async def test_one_distribution_is_one_mail_however_often_it_is_told(office, until):
    await office.connect()
    ada = office.somebody()
    await office.house.publish([ada.distributed("d-1"), ada.distributed("d-1")])
    await office.house.publish([ada.distributed("d-1"), ada.distributed("d-2")])
    await until(lambda: len(office.mail.mails(office.owner)) == 2)
    await office.house.publish([office.somebody("last").distributed("d-3")])
    await until(lambda: any("last@" in got.text for got in office.mail.mails(office.owner)))
    assert len(office.mail.mails(office.owner)) == 3


async def test_owners_hear_of_leads_also_while_the_connection_is_off(office, until):
    await office.connect(on=False)
    await office.house.publish([office.somebody().distributed()])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    assert f"as soon as the connection {office.id} is turned on" in got.text


async def test_owners_hear_of_leads_also_where_the_crm_is_handed_none(office, until):
    await office.connect(lead_distribution={"synchronise": False})
    await office.house.publish([office.somebody().distributed()])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    assert "does not hand leads of suppliers to your CRM" in got.text
    assert office.leads() == []


async def test_that_it_is_active_is_mailed_when_it_is_turned_on(office, until):
    await office.connect()
    (got,) = await until(lambda: office.mail.mails(office.admin))
    assert got.subject == f"Your CRM is connected: {office.id} is active"
    await office.house.ask("POST", f"/v1/connections/{office.id}/on")  # it is on already
    await office.house.ask("POST", f"/v1/connections/{office.id}/off")
    await office.house.ask("POST", f"/v1/connections/{office.id}/on")
    await until(lambda: len(office.mail.mails(office.admin)) == 2)


async def test_a_refused_login_is_mailed_at_once(office, until):
    await office.connect()
    desk.set_password(office.crm.store, desk.ADMIN, "changed by somebody")
    desk.end_sessions(office.crm.store, desk.ADMIN)
    await office.house.publish([office.somebody().distributed()])
    got = await until(
        lambda: next((m for m in office.mail.mails(office.admin) if "does not let us in" in m.subject), None)
    )
    assert PASSWORD not in got.text
    assert await until(lambda: office.mail.mails(office.owner))  # the lead is told of, whatever the CRM does


async def test_a_mail_server_that_is_away_holds_up_no_lead(office, until):
    await office.connect()
    await office.mail.misbehave("away")
    await office.house.publish([office.somebody().distributed()])
    await until(office.leads)
    assert office.mail.mails(office.owner) == []
    await office.mail.behave()
    await until(lambda: office.mail.mails(office.owner))


async def test_mails_outlive_the_service(office, until):
    await office.connect()
    await office.mail.misbehave("away")
    await office.house.publish([office.somebody().distributed()])
    await office.house.close()
    await office.mail.behave()
    await office.house.open()
    await until(lambda: office.mail.mails(office.owner))


async def test_a_link_in_the_mail_turns_its_kind_off_and_on_again(office, until):
    await office.connect()
    await office.house.publish([office.somebody("first").distributed("d-1")])
    (got,) = await until(lambda: office.mail.mails(office.owner))
    url = got.mail["list-unsubscribe"].strip("<>")
    assert url in got.text
    async with httpx.AsyncClient() as browser:
        for _ in range(2):  # programs that check mails look at every link
            asked = await browser.get(url)
            assert "Turn these emails off?" in asked.text
            assert office.owner in asked.text
        assert asked.headers["referrer-policy"] == "no-referrer"
        off = await browser.post(url, content="List-Unsubscribe=One-Click")
        assert "These emails are off" in off.text
        await office.house.publish([office.somebody("second").distributed("d-2")])
        metrics = await _counted(office, until, "new_lead", "off")
        assert metrics
        assert len(office.mail.mails(office.owner)) == 1
        (again,) = re.findall(r'action="([^"]+)"', (await browser.get(url)).text)
        assert "These emails are on" in (await browser.post(url + again)).text
        await office.house.publish([office.somebody("third").distributed("d-3")])
        await until(lambda: len(office.mail.mails(office.owner)) == 2)
        broken = await browser.get(url[:-8])
    assert broken.status_code == 404
    assert "does not work" in broken.text


async def _counted(office, until, kind, outcome):
    async def look():
        rows = (await office.house.metrics()).splitlines()
        wanted = ("leadbus_mails", f'leadbus_mail="{kind}"', f'leadbus_outcome="{outcome}"')
        return [row for row in rows if all(part in row for part in wanted)]

    return await until(look)


async def test_no_log_line_names_anybody(office, until, caplog):
    caplog.set_level(logging.DEBUG, "leadbus")
    await office.connect()
    await office.mail.misbehave("refuse", to=office.owner)
    await office.house.publish([office.somebody("secretive").distributed()])
    await until(lambda: "is refused" in caplog.text)
    assert office.owner not in caplog.text
    assert "secretive" not in caplog.text


async def test_without_a_mail_server_no_mail_is_made_and_that_is_said_once(kafka, mongodb, caplog):
    caplog.set_level(logging.INFO, "leadbus")
    async with House("sugar", kafka.bootstrap_servers, mongodb.url, SMTP_URL="") as plain:
        assert len([r for r in caplog.records if "makes no mails" in r.message]) == 1
        assert {"mails", "mails about connections"}.isdisjoint(part.name for part in plain.service.parts)
