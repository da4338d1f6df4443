"""Who may see what became of which distributions, and how changes are read."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    DeliveryReported,
    LeadStatusChanged,
    OpportunityChanged,
)
from leadbus.security.api_keys import EVERY_TENANT, Scope
from leadbus.topics import (
    CRM_ACTIVITIES,
    CRM_CONTACTS,
    CRM_DELIVERIES,
    CRM_LEAD_STATUS,
    CRM_OPPORTUNITIES,
    LEADS_ANSWERED,
    LEADS_DISTRIBUTED,
)

if TYPE_CHECKING:
    from conftest import House


async def ids(client: httpx.AsyncClient, **params: Any) -> list[tuple[str, str, str]]:
    found = (await client.get("/v1/distributions", params=params)).json()["distributions"]
    return sorted((row["tenant_id"], row["supplier_id"], row["distribution_id"]) for row in found)


async def test_a_supplier_reads_all_that_came_back_of_its_lead(house: "House", tenant: str) -> None:
    back = house.came_back
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.publish(
        CRM_DELIVERIES, back(DeliveryReported, tenant, outcome="parked", reason="No owner.", field="owner")
    )
    await house.publish(CRM_LEAD_STATUS, back(LeadStatusChanged, tenant, status="Working"))
    await house.publish(
        CRM_OPPORTUNITIES,
        back(OpportunityChanged, tenant, name="Chips", stage="Offer", amount="10.50", currency="EUR"),
    )
    await house.publish(CRM_ACTIVITIES, back(CrmActivityChanged, tenant, type="call", subject="Ring her"))
    fields = {"city": "Rome", "first_name": "Ada", "custom": {"budget_c": "high"}}
    await house.publish(
        CRM_CONTACTS,
        back(
            ContactChanged,
            tenant,
            kind="contact",
            state="client",
            fields=fields | {"phone": "1"},
            changed_fields=["city", "first_name", "custom.budget_c"],
        ),
    )
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "accepted", 1))
    own = await house.shown(
        tenant,
        "lead-1",
        lambda f: all(f[name] for name in ("statuses", "opportunities", "activities", "fields", "answer")),
    )
    async with house.caller(await house.key(tenant, Scope.SUPPLIER, "chipworks")) as supplier:
        answer = await supplier.get("/v1/distributions/lead-1")
        listed = (await supplier.get("/v1/distributions")).json()["distributions"]
    seen = answer.json()
    assert listed == [seen]
    assert own["deliveries"][0]["reason"] == "No owner."
    assert seen["deliveries"][0]["reason"] is None
    assert {**seen, "deliveries": own["deliveries"]} == own
    assert (seen["state"], seen["answer"]["by"], seen["contradiction"]) == ("accepted", "crm", None)
    assert seen["statuses"][0]["status"] == "Working"
    assert (seen["opportunities"][0]["stage"], seen["opportunities"][0]["amount"]) == ("Offer", "10.50")
    assert seen["activities"][0]["subject"] == "Ring her"
    assert seen["people"][0]["state"] == "client"
    assert {f["name"]: f["value"] for f in seen["fields"]} == {"city": "Rome", "custom.budget_c": "high"}


async def test_nobody_sees_anothers_distributions(house: "House", tenant: str) -> None:
    other = f"{tenant}-other"
    supplier, rival = f"chips-{tenant}", f"rival-{tenant}"
    leads = [
        house.lead(tenant, "lead-1", supplier),
        house.lead(tenant, "lead-2", rival),
        house.lead(other, "lead-3", supplier),
    ]
    await house.publish(LEADS_DISTRIBUTED, *leads)
    await house.shown(tenant, "lead-1")
    await house.shown(tenant, "lead-2")
    await house.shown(other, "lead-3")
    one, two, three = (
        (tenant, supplier, "lead-1"),
        (tenant, rival, "lead-2"),
        (other, supplier, "lead-3"),
    )
    sees = {
        await house.key(tenant, Scope.SUPPLIER, supplier): [one],
        await house.key(tenant, Scope.SUPPLIER, rival): [two],
        await house.key(EVERY_TENANT, Scope.SUPPLIER, supplier): [one, three],
        await house.key(tenant, Scope.READ): [one, two],
        await house.key(other, Scope.READ): [three],
        await house.key(f"{tenant}-third", Scope.READ): [],
    }
    for key, expected in sees.items():
        async with house.caller(key) as caller:
            assert await ids(caller) == sorted(expected)
            for where in (one, two, three):
                answer = await caller.get(f"/v1/distributions/{where[2]}")
                assert answer.status_code == (200 if where in expected else 404)


async def test_a_key_is_no_way_around_whom_it_is_bound_to(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.shown(tenant, "lead-1")
    path = "/v1/distributions"
    async with house.caller(await house.key(tenant, Scope.SUPPLIER, "chipworks")) as supplier:
        refused = [
            await supplier.get(path, params={"supplier_id": "rival"}),
            await supplier.get(path, params={"tenant_id": "another"}),
            await supplier.post(f"{path}/lead-1/answer", json={"answer": "accepted"}),
        ]
    async with house.caller(await house.key(tenant, Scope.READ)) as reader:
        refused.append(await reader.get(path, params={"tenant_id": "another"}))
        refused.append(await reader.post(f"{path}/lead-1/answer", json={"answer": "accepted"}))
    async with house.caller("") as nobody:
        unknown = await nobody.get(path)
    async with house.caller() as operator:
        of_nobody = await operator.get(path)
    assert [answer.status_code for answer in refused] == [403] * 5
    assert (unknown.status_code, of_nobody.status_code) == (401, 422)
    assert (await house.shown(tenant, "lead-1"))["state"] == "open"


async def test_changes_are_read_page_by_page_and_none_is_missed(house: "House", tenant: str) -> None:
    leads = [house.lead(tenant, f"lead-{n}", email=f"person{n}@example.com") for n in range(25)]
    await house.publish(LEADS_DISTRIBUTED, *leads)
    for n in range(25):
        await house.shown(tenant, f"lead-{n}")
    seen: list[str] = []
    async with house.caller(await house.key(tenant, Scope.READ)) as reader:
        page: dict[str, Any] = {"more": True, "cursor": None}
        while page["more"]:
            params = {"limit": 10} | ({"cursor": page["cursor"]} if page["cursor"] else {})
            page = (await reader.get("/v1/distributions", params=params)).json()
            seen += [row["distribution_id"] for row in page["distributions"]]
        assert sorted(seen) == sorted(f"lead-{n}" for n in range(25))
        params = {"cursor": page["cursor"]}
        assert (await reader.get("/v1/distributions", params=params)).json()["distributions"] == []
        status = house.said(
            LeadStatusChanged,
            tenant,
            "person7@example.com",
            connection_id="c1",
            record={"module": "Leads", "id": "7"},
            status="Working",
            origins=[{"supplier_id": "chipworks", "distribution_id": "lead-7"}],
        )
        await house.publish(CRM_LEAD_STATUS, status, status)
        changed = await house.shown(tenant, "lead-7", lambda found: found["statuses"])
        again = (await reader.get("/v1/distributions", params=params)).json()
        assert [row["distribution_id"] for row in again["distributions"]] == ["lead-7"]
        since = await ids(reader, changed_since=changed["changed_at"])
        assert since == [(tenant, "chipworks", "lead-7")]
        begun = (await reader.get("/v1/distributions", params={"changed_since": "1969-01-01"})).json()
        assert len(begun["distributions"]) == 25
        assert await ids(reader, cursor=begun["cursor"]) == []
        begun = (await reader.get("/v1/distributions", params={"changed_since": "2999-01-01"})).json()
        assert (begun["distributions"], begun["more"]) == ([], False)
        await house.publish(LEADS_DISTRIBUTED, house.lead(tenant, "lead-25", email="new@example.com"))
        await house.shown(tenant, "lead-25")
        assert await ids(reader, cursor=begun["cursor"]) == [(tenant, "chipworks", "lead-25")]
        wrong = await reader.get("/v1/distributions", params={"cursor": "nonsense"})
    assert (wrong.status_code, "leave it out" in wrong.json()["detail"]) == (422, True)


async def test_an_id_that_names_several_leads_needs_to_be_narrowed(house: "House", tenant: str) -> None:
    await house.publish(
        LEADS_DISTRIBUTED, house.lead(tenant), house.lead(tenant, supplier="rival", email="bob@example.com")
    )
    async with house.caller(await house.key(tenant, Scope.READ)) as reader:
        while len(await ids(reader)) < 2:  # noqa: ASYNC110 - what is awaited happens in Kafka and MongoDB
            await asyncio.sleep(0.03)
        several = await reader.get("/v1/distributions/lead-1")
        one = await reader.get("/v1/distributions/lead-1", params={"supplier_id": "rival"})
        params = {"prospect_id": one.json()["prospect_id"]}
        same = await reader.get("/v1/distributions/lead-1", params=params)
    assert (several.status_code, one.status_code) == (409, 200)
    assert "supplier_id" in several.json()["detail"]
    assert same.json() == one.json()
