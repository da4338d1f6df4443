"""One person, known to every service, is exported and then erased; and nothing brings them back but news."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from bson.raw_bson import RawBSONDocument
from whole import KINDS, OPERATOR

import feedback.service
from leadbus.ids import prospect_id
from leadbus.messages import Fields, MarketingEvent
from leadbus.publishing import Outgoing
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS
from sandbox.sugar import desk

TENANT = "forgetful"
EMAIL, NAME, PHONE, VISITOR = "gerda.wegner@example.com", "Wegner", "0451-778899", "visitor of wegner"
PROSPECT, ALIAS = prospect_id(TENANT, email=EMAIL), prospect_id(TENANT, visitor_id=VISITOR)
PERSONAL = [mark.encode() for mark in (EMAIL, NAME, PHONE, VISITOR)]
MARKS = [*PERSONAL, PROSPECT.encode(), ALIAS.encode()]


@pytest.fixture(scope="module")
async def everybody(running):
    """Feedback, too; and the command finds it."""
    service = feedback.service.build(running.environ | {"FEEDBACK_PORT": "0"})
    await service.start()
    desk.add_option(running.crm.store, "Leads", "lead_source", TENANT)
    yield running, {"LEADBUS_FEEDBACK_URL": service.url}
    await service.stop()


async def test_a_person_is_exported_and_then_erased_from_every_collection(everybody, until):
    running, environ = everybody
    crm = running.crm.store
    async with operator(running.connector.url) as client:
        connection = f"/v1/connections/{TENANT}-sugar"
        await client.put(connection, json=running.settings(tenant_id=TENANT, lead_source=TENANT))
        turned = await client.post(f"{connection}/on")
        assert turned.json()["connection"]["on"], turned.text
    await say(running, said(LEADS_DISTRIBUTED), said(MARKETING_EVENTS, visitor_id=VISITOR), visit())
    await until(lambda: [lead for lead in desk.records(crm, "Leads") if lead["last_name"] == NAME])
    desk.opportunity(
        crm, EMAIL, f"A shop for {NAME}", "Proposal", "1000", account="Wholesale", last_name=NAME
    )
    await running.command("connections", "sync", f"{TENANT}-sugar")
    everywhere = {
        *("scoring.prospects", "feedback.distributions"),
        *("connector-sugar.deliveries", "connector-sugar.links", "connector-sugar.mirror"),
    }

    async def is_known_everywhere():
        known = await found(running)
        prospects = running.database["scoring.prospects"]
        person = await prospects.find_one({"prospect_id": PROSPECT, "crm.opportunities": {"$ne": None}})
        alias = await prospects.find_one({"prospect_id": ALIAS, "links": {"$ne": None}})
        pulls = running.database["connector-sugar.pulls"].find({"connection_id": f"{TENANT}-sugar"})
        read = {pull["kind"] async for pull in pulls if pull["last_full_at"] and not pull["full"]}
        is_joined = alias and person and len(person["recent"]) == 2
        return is_joined and everywhere <= known.keys() and read == set(KINDS)

    await until(is_known_everywhere)
    nowhere = {"LEADBUS_FEEDBACK_URL": "http://127.0.0.1:9"}
    code, exported = await running.command("export", EMAIL, "--tenant", TENANT, **nowhere)
    assert "feedback does not answer" in exported
    assert code == 1, "an export that lacks a service is not taken for a whole one"
    assert '"missing": [\n    "feedback"\n  ]' in exported
    code, exported = await running.command("export", EMAIL.upper(), "--tenant", TENANT, **environ)
    assert (code, "does not answer" in exported) == (0, False)
    held = {
        name for each in json.loads(exported[: exported.rindex("}") + 1])["services"] for name in each["held"]
    }
    assert everywhere <= held
    assert {name for name in await found(running) if not name.endswith("outbox")} <= held
    assert all(mark in exported for mark in (NAME, PHONE, '"type": "form_submission"'))

    code, told = await running.command("erase", EMAIL, "--tenant", TENANT, "--yes", **environ)
    assert code == 0, told
    assert "not yet" not in told
    assert {"scoring", "feedback", "connector-sugar"} <= set(told.split())
    left = await found(running)
    assert left.keys() <= {"scoring.erasures", *TOMBSTONES, *OUTBOXES}, left
    assert not [row for rows in left.values() for row in rows if any(mark in row for mark in PERSONAL)]

    (asked,) = await running.database["scoring.erasures"].find({"tenant_id": TENANT}).to_list()
    code, told = await running.command("erasure", asked["_id"], "--tenant", TENANT)
    assert (code, "not yet" in told) == (0, False)
    code, told = await running.command("erasure", asked["_id"], "--tenant", "acme")
    assert (code, "There is no such erasure" in told) == (1, True)

    await say(running, said(MARKETING_EVENTS))
    scored = running.database["scoring.prospects"]
    await until(lambda: scored.find_one({"prospect_id": PROSPECT, "version": 1}))


async def test_only_administrators_erase_and_only_one_person_at_a_time(running):
    headers = {"Authorization": f"Bearer {running.keys['reader']}"}
    async with httpx.AsyncClient(base_url=running.scoring.url, headers=headers) as reader:
        assert (await reader.post("/v1/erasures", json={"email": EMAIL})).status_code == 403
        path = f"/v1/prospects/{PROSPECT}/export"
        assert (await reader.get(path)).json()["held"] == {}
        assert (await reader.get(path, params={"tenant_id": TENANT})).status_code == 403
    async with operator(running.scoring.url) as client:
        for body in ({}, {"email": EMAIL, "visitor_id": "v"}, {"email": "nobody"}):
            answer = await client.post("/v1/erasures", json=body, params={"tenant_id": TENANT})
            assert answer.status_code == 422
            assert EMAIL not in answer.text


SERVICES = ("scoring", "feedback", "connector-sugar")
TOMBSTONES = {f"{service}.erased" for service in SERVICES}
OUTBOXES = {f"{service}.outbox" for service in SERVICES}


async def say(running, *records):
    """However long Kafka takes."""
    while records := [
        record
        for record, fault in zip(records, await running.publisher.publish(list(records)), strict=True)
        if fault is not None
    ]:
        pass


def visit():
    """Of the visitor, before anybody knows who it is."""
    event = MarketingEvent(
        event_id=str(uuid4()),
        tenant_id=TENANT,
        occurred_at=datetime.now(UTC),
        received_at=datetime.now(UTC),
        prospect_id=ALIAS,
        visitor_id=VISITOR,
        type="web_view",
    )
    return Outgoing.of(MARKETING_EVENTS, event)


async def found(running):
    """Documents with any of the marks, as they are stored, by collection."""
    known = {}
    for name in await running.database.list_collection_names():
        raw = running.database.get_collection(
            name, codec_options=running.database.codec_options.with_options(document_class=RawBSONDocument)
        )
        rows = [row.raw async for row in raw.find()]
        if hits := [row for row in rows if any(mark in row for mark in MARKS)]:
            known[name] = hits
    return known


def operator(url):
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {OPERATOR}"}, timeout=20)


def said(topic, **facts):
    now = datetime.now(UTC)
    own = {
        LEADS_DISTRIBUTED: {"distribution_id": "lead-1", "supplier_id": "globex"},
        MARKETING_EVENTS: {"type": "form_submission"},
    }
    fields = Fields(first_name="Gerda", last_name=NAME, phone=PHONE)
    message = topic.message(
        event_id=str(uuid4()),
        tenant_id=TENANT,
        occurred_at=now,
        received_at=now,
        prospect_id=PROSPECT,
        email=EMAIL,
        fields=fields,
        **own[topic] | facts,
    )
    return Outgoing.of(topic, message)
