"""What each verb costs of the day's credits: never more than the kit was told that it does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.connector import ZohoAdapter
from connector_zoho.settings import ZohoConnection
from leadbus.connector.budget import Budget, Urgency
from leadbus.connector.budgeted import Budgeted
from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import (
    CampaignAsSent,
    CampaignMember,
    CampaignThere,
    Conversion,
    NewAccount,
    NewActivity,
    NewPerson,
    PersonChange,
)
from leadbus.connector.credits import CreditLedger
from leadbus.messages import Record
from sandbox.zoho import Zoho

Person = Callable[..., NewPerson]
HOOK = "http://127.0.0.1:9/hooks/the-connection/its-token"


class Charged:
    """An adapter as the kit uses it; what it is charged for, and what the CRM charges."""

    def __init__(self, crm: Zoho, adapter: ZohoAdapter) -> None:
        self._crm = crm
        self._ledger = CreditLedger()
        self.zoho = Budgeted(adapter, Budget(10), Urgency.DELIVERING, ledger=self._ledger)

    async def cost(self, verb: Awaitable[Any]) -> tuple[int, int]:
        """What the CRM charged, and what the kit has counted."""
        before, counted = self._crm.credits_used, sum(self._ledger.hours.values())
        await verb
        return self._crm.credits_used - before, sum(self._ledger.hours.values()) - counted


@pytest.fixture
async def charged(crm: Zoho, client: ZohoClient, connection: ZohoConnection) -> AsyncIterator[Charged]:
    """What is asked now and then has just been asked."""
    adapter = ZohoAdapter(connection, client)
    crm.desk.add_field("Leads", "Score", "integer")
    await adapter.sign_in()
    for kind in ("lead", "contact"):
        await adapter.describe(kind)
    yield Charged(crm, adapter)
    await adapter.close()


def some(module: str, ids: list[str]) -> list[Record]:
    return [Record(module=module, id=key) for key in ids]


def loaded(crm: Zoho, module: str, number: int) -> list[str]:
    return crm.desk.load(module, [{"Last_Name": str(n), "Email": f"p{n}@x.test"} for n in range(number)])


async def test_checking(crm: Zoho, connection: ZohoConnection, client: ZohoClient) -> None:
    asked = Charged(crm, ZohoAdapter(connection, client))
    zoho = asked.zoho
    for verb in (zoho.sign_in(), zoho.rights(), zoho.limits(), zoho.describe("lead")):
        used, counted = await asked.cost(verb)
        assert used <= counted <= 2


@pytest.mark.parametrize("number", [1, 10, 11, 100])
async def test_writing(number: int, crm: Zoho, charged: Charged, person: Person) -> None:
    zoho, steps = charged.zoho, -(-number // 10)
    new = [person(f"{uuid4().hex}@x.test") for _ in range(number)]
    assert await charged.cost(zoho.create(new)) == (steps, steps)
    records = some("Leads", [row["id"] for row in crm.records("Leads")])
    changes = [PersonChange(record, {"Phone": "1"}) for record in records]
    assert await charged.cost(zoho.update(changes)) == (steps, steps)
    accounts = [NewAccount(str(n), f"Company {n}") for n in range(number)]
    assert await charged.cost(zoho.create_accounts(accounts)) == (steps, steps)
    notes = [NewActivity(str(uuid4()), record, "note", "Note") for record in records]
    assert await charged.cost(zoho.add_activities(notes)) == (steps, steps)


async def test_rows_of_several_modules_are_charged_by_module(
    crm: Zoho, charged: Charged, person: Person
) -> None:
    zoho = charged.zoho
    both = [person("lead@x.test"), person("contact@x.test", kind="contact")]
    assert await charged.cost(zoho.create(both)) == (2, 2)
    records = [
        record
        for module in ("Leads", "Contacts")
        for record in some(module, [row["id"] for row in crm.records(module)])
    ]
    used, counted = await charged.cost(zoho.read(records))
    assert used == 2 <= counted
    assert await charged.cost(zoho.update([PersonChange(r, {"Phone": "1"}) for r in records])) == (2, 2)
    to_do = [NewActivity(str(uuid4()), records[0], kind, "To do") for kind in ("note", "task", "call")]
    assert await charged.cost(zoho.add_activities(to_do)) == (3, 3)


@pytest.mark.parametrize("number", [1, 51, 200])
async def test_looking(number: int, crm: Zoho, charged: Charged) -> None:
    zoho = charged.zoho
    leads, contacts = (loaded(crm, module, number) for module in ("Leads", "Contacts"))
    crm.desk.load("Accounts", [{"Account_Name": f"Company {n}"} for n in range(number)])
    deals = crm.desk.load(
        "Deals",
        [
            {"Deal_Name": str(n), "Stage": "Qualification", "Contact_Name": key}
            for n, key in enumerate(contacts)
        ],
    )
    for verb in (
        zoho.find_by_email([f"p{n}@x.test" for n in range(number)]),
        zoho.find_accounts([f"Company {n}" for n in range(number)]),
        zoho.read(some("Leads", leads)),
        zoho.read(some("Contacts", contacts)),
        zoho.read(some("Deals", deals)),
        zoho.activities_of(some("Leads", leads[:5])),
    ):
        used, counted = await charged.cost(verb)
        assert 0 < used <= counted


@pytest.mark.parametrize("kind", ["lead", "contact", "account", "user", "opportunity", "activity", "list"])
@pytest.mark.parametrize("since", [None, datetime.now(UTC) - timedelta(hours=1)])
async def test_reading_changes(kind: Kind, since: datetime | None, crm: Zoho, charged: Charged) -> None:
    contacts = loaded(crm, "Contacts", 250)
    deals = [{"Deal_Name": key, "Stage": "Qualification", "Contact_Name": key} for key in contacts]
    crm.desk.load("Deals", deals)
    token: str | None = None
    while True:
        page: list[Any] = []

        async def asked(token: str | None = token, page: list[Any] = page) -> None:
            page.append(await charged.zoho.changed(kind, since, token))

        used, counted = await charged.cost(asked())
        assert used <= counted
        token = page[0].next
        if token is None:
            return


async def test_reading_everything_by_file(crm: Zoho, charged: Charged) -> None:
    crm.desk.load("Leads", ({"Last_Name": str(n)} for n in range(10_001)))

    async def all_pages() -> None:
        page = await charged.zoho.changed("lead", None, None)
        while page.next is not None:
            page = await charged.zoho.changed("lead", None, page.next)

    used, counted = await charged.cost(all_pages())
    assert 5 < used <= counted


async def test_members_of_lists_that_were_just_read(crm: Zoho, charged: Charged) -> None:
    zoho = charged.zoho
    (lead,) = loaded(crm, "Leads", 1)
    fair = crm.desk.create("Campaigns", {"Campaign_Name": "Fair"})
    crm.desk.join(fair, "Leads", lead)
    crm.desk.tag("Leads", lead, "newsletter")
    first = await zoho.changed("list", None, None)
    assert first.next is not None
    (tag,) = (await zoho.changed("list", None, first.next)).rows
    used, counted = await charged.cost(zoho.members(tag.record.id, None))
    assert used == 3 <= counted
    used, counted = await charged.cost(zoho.members(fair, None))
    assert used == 1 <= counted


async def test_converting_and_watching(crm: Zoho, charged: Charged) -> None:
    zoho = charged.zoho
    one, *others = some("Leads", loaded(crm, "Leads", 4))
    for leads in ([one], others):
        used, counted = await charged.cost(zoho.convert([Conversion(lead) for lead in leads]))
        assert 5 * len(leads) < used <= counted
    for _ in ("a new channel", "the same one"):
        used, counted = await charged.cost(zoho.watch(HOOK))
        assert 1 < used <= counted


@pytest.mark.parametrize("number", [1, 30])
async def test_campaigns_and_their_members(number: int, crm: Zoho, charged: Charged) -> None:
    zoho = charged.zoho
    await charged.cost(zoho.write_campaigns([CampaignAsSent("first", "First")]))
    asked = [CampaignAsSent(str(at), f"Campaign {at}") for at in range(number)]
    for _ in ("new ones", "the same ones"):
        used, counted = await charged.cost(zoho.write_campaigns(asked))
        assert 1 < used <= counted
    [there] = await zoho.write_campaigns(asked[:1])
    assert isinstance(there, CampaignThere)
    members = [CampaignMember(there, lead) for lead in some("Leads", loaded(crm, "Leads", number))]
    used, counted = await charged.cost(zoho.put_members(members))
    assert used == 1 <= counted


def test_every_verb_has_its_price() -> None:
    everything = {
        *("check", "find_by_email", "find_accounts", "read", "changed", "members", "activities_of"),
        *("create", "update", "convert", "create_accounts", "add_activities", "watch"),
        *("write_campaigns", "put_members"),
    }
    assert set(CAPABILITIES.credits) == everything
