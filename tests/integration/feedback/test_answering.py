"""Accepting and rejecting: by link, by API and from a CRM; the first answer counts, whatever the order."""

import asyncio
import itertools
import os
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from feedback.answer_pages import answer_routes
from feedback.desk import Desk
from feedback.store import MongoDistributions
from leadbus.errors import Transient
from leadbus.ids import prospect_id
from leadbus.messages import DeliveryReported
from leadbus.publishing import Outgoing
from leadbus.security.answer_links import PATH, AnswerLink, AnswerLinks
from leadbus.security.api_keys import Scope
from leadbus.telemetry import Telemetry
from leadbus.telemetry.propagation import trace_id_of, way_back
from leadbus.topics import CRM_DELIVERIES, LEADS_ANSWERED, LEADS_DISTRIBUTED, LEADS_FEEDBACK

if TYPE_CHECKING:
    from conftest import House

EMAIL = "ada@example.com"
REP = "rep@acme.example"
LEADBUS = [sys.executable, "-c", "from leadbus.cli import main; main()"]


def link(tenant: str, answer: str = "accepted") -> AnswerLink:
    who = prospect_id(tenant, email=EMAIL)
    return AnswerLink(tenant, who, "chipworks", "lead-1", "c1", REP, answer)  # type: ignore[arg-type]


async def test_looking_at_a_link_answers_nothing_and_its_button_does(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.shown(tenant, "lead-1")
    url = house.links.url(link(tenant))
    async with httpx.AsyncClient() as browser:
        looks = [await browser.get(url) for _ in range(3)]
        looks.append(await browser.head(url))
        assert (await house.shown(tenant, "lead-1"))["state"] == "open"
        pressed = await browser.post(url)
        found = await house.shown(tenant, "lead-1", lambda found: found["state"] != "open")
        again = [await browser.post(url), await browser.get(url)]
    assert [look.status_code for look in looks[:3]] == [200] * 3
    assert "Accept this lead?" in looks[0].text
    assert "Ada &lt;Lovelace&gt;" in looks[0].text
    assert 'method="post"' in looks[0].text
    assert looks[0].headers["cache-control"] == "no-store"
    assert "This lead is accepted" in pressed.text
    assert found["answer"]["by"] == "email"
    assert all("This lead is accepted" in page.text for page in again)
    assert not any("<form" in page.text for page in again)
    told = await house.told(LEADS_ANSWERED, tenant, 1)
    assert [(said.answer, said.by, said.who) for said in told] == [("accepted", "email", "a lead owner")]
    (heard,) = await house.told(LEADS_FEEDBACK, tenant, 1)
    assert (heard.what, heard.answer.answer, heard.version) == ("answer", "accepted", 1)
    assert REP not in str(told) + str(heard)


async def test_a_forged_token_answers_nothing(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.shown(tenant, "lead-1")
    token = house.links.token(link(tenant))
    forged = AnswerLinks("A" * 43 + "=", house.url).token(link(tenant))
    async with httpx.AsyncClient(base_url=f"{house.url}/v1/answers/") as browser:
        for wrong in (forged, token[:-1], token[1:], "x", f"{token[:40]}A{token[41:]}"):
            assert (await browser.get(wrong)).status_code == 404
            assert (await browser.post(wrong)).status_code == 404
    assert await house.told(LEADS_ANSWERED, tenant, 0) == []
    assert (await house.shown(tenant, "lead-1"))["state"] == "open"


async def test_somebody_whose_answer_cannot_be_taken_reads_so_and_may_press_again(
    house: "House", tenant: str
) -> None:
    class Away:
        async def publish(self, records: object) -> list[Transient]:
            return [Transient("Kafka is away.")]

    known, links = MongoDistributions(house.client[house.database]), house.links
    api = FastAPI()
    api.include_router(answer_routes(links, known, Desk(Away(), Telemetry("feedback", {}))))
    path = f"{PATH}/{links.token(link(tenant))}"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://feedback") as browser:
        pressed, looked = await browser.post(path), await browser.get(path)
    assert (pressed.status_code, looked.status_code) == (503, 200)
    assert "nothing was said of the lead" in pressed.text
    assert "Accept this lead?" in looked.text


async def test_a_link_answers_also_before_the_distribution_has_come(house: "House", tenant: str) -> None:
    async with httpx.AsyncClient() as browser:
        pressed = await browser.post(house.links.url(link(tenant, "rejected")))
    assert "This lead is rejected" in pressed.text
    before = await house.shown(tenant, "lead-1", lambda found: found["answer"])
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    after = await house.shown(tenant, "lead-1", lambda found: found["email"])
    assert (before["email"], before["state"]) == (None, "rejected")
    assert (after["email"], after["state"]) == (EMAIL, "rejected")


async def test_a_late_answer_against_the_first_is_kept_and_told(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "accepted", 5))
    await house.shown(tenant, "lead-1", lambda found: found["answer"])
    url = house.links.url(link(tenant, "rejected"))
    async with httpx.AsyncClient() as browser:
        asked = await browser.get(url)
        pressed = await browser.post(url)
    found = await house.shown(tenant, "lead-1", lambda found: found["contradiction"])
    assert "This lead is accepted already" in asked.text
    assert "Reject it all the same" in asked.text
    assert "the first answer counts" in pressed.text
    assert (found["state"], found["answer"]["by"]) == ("accepted", "crm")
    assert (found["contradiction"]["answer"], found["contradiction"]["by"]) == ("rejected", "email")
    heard = await house.told(LEADS_FEEDBACK, tenant, 2)
    assert [(h.what, h.answer.answer, h.version) for h in heard] == [
        ("answer", "accepted", 1),
        ("contradiction", "accepted", 2),
    ]
    assert heard[1].contradiction.answer == "rejected"


async def test_an_earlier_answer_that_comes_late_takes_its_place(house: "House", tenant: str) -> None:
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "accepted", 5))
    await house.shown(tenant, "lead-1", lambda found: found["answer"])
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "rejected", 2))
    found = await house.shown(tenant, "lead-1", lambda found: found["contradiction"])
    assert (found["state"], found["contradiction"]["answer"]) == ("rejected", "accepted")
    heard = await house.told(LEADS_FEEDBACK, tenant, 2)
    assert [(h.what, h.answer.answer) for h in heard] == [("answer", "accepted"), ("answer", "rejected")]


async def test_a_tenant_answers_by_api(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.shown(tenant, "lead-1")
    async with house.caller(await house.key(tenant, Scope.INGEST)) as program:
        given = await program.post("/v1/distributions/lead-1/answer", json={"answer": "rejected"})
        wrong = await program.post("/v1/distributions/lead-1/answer", json={"answer": "perhaps"})
        missing = await program.post("/v1/distributions/lead-9/answer", json={"answer": "rejected"})
    async with house.caller(await house.key(f"{tenant}-other", Scope.INGEST)) as other:
        hidden = await other.post("/v1/distributions/lead-1/answer", json={"answer": "accepted"})
    assert (given.status_code, given.json()["state"]) == (202, "rejected")
    assert (wrong.status_code, missing.status_code, hidden.status_code) == (422, 404, 404)
    found = await house.shown(tenant, "lead-1", lambda found: found["answer"])
    assert (found["state"], found["answer"]["by"], found["contradiction"]) == ("rejected", "api", None)


async def test_answers_are_part_of_a_leads_journey(house: "House", tenant: str) -> None:
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    brought = Outgoing.of(LEADS_DISTRIBUTED, house.lead(tenant), trace)
    assert await house.publisher.publish([brought]) == [None]
    await house.publish(
        LEADS_ANSWERED, house.answer(tenant, "rejected", 3), house.answer(tenant, "accepted", 5)
    )
    await house.shown(tenant, "lead-1", lambda found: found["email"] and found["contradiction"])
    path = f"/v1/prospects/{prospect_id(tenant, email=EMAIL)}"
    async with house.caller(await house.key(tenant, Scope.READ)) as reader:
        hops = (await reader.get(path)).json()["journey"]
    async with house.caller(await house.key(f"{tenant}-other", Scope.READ)) as other:
        hidden = await other.get(path)
    async with house.caller(await house.key(tenant, Scope.SUPPLIER, "chipworks")) as supplier:
        refused = await supplier.get(path)
    back = trace_id_of(way_back("0af7651916cd43dd8448eb211c80319c"))
    assert [(hop["what"], hop["trace_id"]) for hop in hops] == [
        ("rejected by crm", back),
        ("accepted by crm, against the first answer", back),
    ]
    assert (hidden.status_code, refused.status_code) == (404, 403)


async def test_what_is_said_again_changes_and_tells_nothing(house: "House", tenant: str) -> None:
    said = house.answer(tenant, "accepted", 5)
    created = house.came_back(DeliveryReported, tenant, outcome="created")
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.publish(LEADS_ANSWERED, said)
    await house.publish(CRM_DELIVERIES, created)
    before = await house.shown(tenant, "lead-1", lambda f: f["answer"] and f["deliveries"] and f["email"])
    await house.publish(LEADS_ANSWERED, said, said)
    await house.publish(CRM_DELIVERIES, created)
    last = house.came_back(DeliveryReported, tenant, outcome="updated", minute=9)
    await house.publish(CRM_DELIVERIES, last)
    after = await house.shown(tenant, "lead-1", lambda f: f["deliveries"][0]["outcome"] == "updated")
    assert {**after, "deliveries": [], "changed_at": ""} == {**before, "deliveries": [], "changed_at": ""}
    assert len(await house.told(LEADS_FEEDBACK, tenant, 1)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_the_order_of_what_is_said_decides_nothing(
    house: "House", tenant: str, order: tuple[int, ...]
) -> None:
    said = [
        (LEADS_DISTRIBUTED, house.lead(tenant)),
        (LEADS_ANSWERED, house.answer(tenant, "accepted", 7)),
        (LEADS_ANSWERED, house.answer(tenant, "rejected", 3)),
        (LEADS_ANSWERED, house.answer(tenant, "rejected", 9, by="api", connection_id=None)),
    ]
    for n in order:
        await house.publish(*said[n])
    # Until all four are taken in; otherwise this never comes true.
    await house.shown(
        tenant, "lead-1", lambda f: f["email"] and f["contradiction"] and f["state"] == "rejected"
    )


async def test_a_restarted_service_goes_on_where_it_was(house: "House", tenant: str) -> None:
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant))
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "accepted", 5))
    before = await house.shown(tenant, "lead-1", lambda found: found["email"] and found["answer"])
    await house.stop_service()
    await house.publish(LEADS_ANSWERED, house.answer(tenant, "rejected", 8))
    await house.start_service()
    after = await house.shown(tenant, "lead-1", lambda found: found["contradiction"])
    assert after["answer"] == before["answer"]
    assert [h.version for h in await house.told(LEADS_FEEDBACK, tenant, 2)] == [1, 2]


async def leadbus(*arguments: str, **environ: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *LEADBUS,
        *arguments,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_lead_is_answered_by_command_and_its_supplier_sees_it(house: "House", tenant: str) -> None:
    lead = "2026/11 #1?[/b]"  # an id is the supplier's own
    await house.publish(LEADS_DISTRIBUTED, house.lead(tenant, lead))
    await house.shown(tenant, lead)
    operator = {"LEADBUS_FEEDBACK_URL": house.url, "LEADBUS_OPERATOR_TOKEN": "the operator"}
    code, out, _ = await leadbus("feedback", "answer", lead, "accepted", "--tenant", tenant, **operator)
    assert (code, f"{lead} of chipworks: accepted" in out) == (0, True)
    await house.shown(tenant, lead, lambda found: found["state"] == "accepted")
    key = await house.key(tenant, Scope.SUPPLIER, "chipworks")
    supplier = {"LEADBUS_FEEDBACK_URL": house.url, "LEADBUS_API_KEY": key, "LEADBUS_OPERATOR_TOKEN": ""}
    shown, listed = await asyncio.gather(
        leadbus("feedback", "show", lead, **supplier), leadbus("feedback", "list", **supplier)
    )
    assert (shown[0], "by api (an API key of the tenant)" in shown[1]) == (0, True)
    assert (listed[0], lead in listed[1], "--cursor" in listed[2]) == (0, True, True)
