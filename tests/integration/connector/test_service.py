"""The whole service: facts come by Kafka, people by its API and the `leadbus` command."""

import asyncio
import json
import logging
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from whole import PASSWORD

from leadbus.ids import prospect_id
from leadbus.messages import Fields, LeadDistributed, ProspectUpdated
from leadbus.publishing import Outgoing
from leadbus.topics import LEADS_DISTRIBUTED, PROSPECTS_UPDATED
from sandbox.sugar import desk
from sandbox.sugar.door import failures

MASK = "**********"


async def test_a_person_connects_a_crm_and_follows_a_lead_by_the_command(running, tmp_path, until):
    crm, file = running.crm, tmp_path / "acme.yaml"
    settings = running.settings(tenant_id="acme", connection_id="acme-sugar")
    settings["access"]["password"] = "${ACME_PASSWORD}"
    file.write_text(json.dumps(settings))
    code, said = await running.command("connections", "apply", str(file), ACME_PASSWORD=PASSWORD)
    assert (code, "revision 1, is off" in said) == (0, True)
    code, said = await running.command("connections", "test", "acme-sugar")
    assert (code, "does not have the value Leadbus" in said) == (1, True)
    code, said = await running.command("connections", "on", "acme-sugar")
    assert (code, "wrong" in said) == (1, True)
    desk.add_option(crm.store, "Leads", "lead_source", "Leadbus")
    code, said = await running.command("connections", "on", "acme-sugar")
    assert (code, "Connection acme-sugar is on." in said) == (0, True)
    code, said = await running.command("connections", "list")
    assert (code, bool(re.search(r"acme-sugar.*acme.*sugar.*on.*50.*well", said))) == (0, True)

    await running.publisher.publish([distribution("ann@example.com")])

    def leads():
        return [row for row in desk.records(crm.store, "Leads") if "ann@example.com" in str(row)]

    await until(leads)
    (lead,) = leads()

    async def journey():
        code, said = await running.command("lead", "Ann@Example.com", "--tenant", "acme")
        return code == 0 and "The CRM holds a record." in said and said

    await until(journey)
    said = await journey()
    hops = [line for line in said.splitlines() if re.search(r"\d\d:\d\d:\d\d", line)]
    assert "received by ingest from globex" in hops[0]
    assert "connector-zoho does not answer" in said, "which hides nothing of the others"
    assert any("A supplier handed the lead over." in hop for hop in hops)
    assert any(f"created Leads/{lead['id']}" in hop for hop in hops)
    assert sum("0af7651916cd43dd8448eb211c80319c" in hop for hop in hops) == 3
    assert f"acme-sugar: Leads/{lead['id']} (linked)" in said

    code, said = await running.command("connections", "off", "acme-sugar")
    assert (code, "is off; leads are kept" in said) == (0, True)
    code, said = await running.command("connections", "off", "no-such")
    assert (code, "There is no connection of this name" in said) == (1, True)
    code, said = await running.command("lead", "nobody@example.com", "--tenant", "acme")
    assert (code, "Nothing is known of this email" in said) == (1, True)

    await running.publisher.publish([changed_email("ann@example.com", "ann.kot@example.com")])

    async def journey_of_the_old_email():
        _, said = await running.command("lead", "ann@example.com", "--tenant", "acme")
        return f"prospect {prospect_id('acme', email='ann.kot@example.com')}" in said and said

    await until(journey_of_the_old_email)
    said = await journey_of_the_old_email()
    assert "A supplier handed the lead over." in said
    assert f"created Leads/{lead['id']}" in said


async def test_a_crm_without_a_page_of_its_own_is_not_signed_in_to_with_a_browser(running, name):
    async with running.client() as client:
        await client.put(f"/v1/connections/{name}", json=running.settings())
    code, said = await running.command("connections", "sign-in", name)
    assert (code, "takes the credentials among the connection's settings" in said) == (1, True)


async def test_both_services_tell_a_hop_in_one_shape(running, until):
    await running.publisher.publish([distribution("bob@example.com")])
    path = f"/v1/prospects/{prospect_id('acme', email='bob@example.com')}"
    async with running.client() as client:

        async def known():
            answers = [
                await client.get(service.url + path) for service in (running.connector, running.scoring)
            ]
            if any(answer.status_code != 200 for answer in answers):
                return None
            connector, scored = (answer.json() for answer in answers)
            return connector["deliveries"] and (connector, scored)

        await until(known)
        connector, scored = await known()
    for hop in (connector["deliveries"][0]["history"][0], scored["journey"][0]):
        assert {"at", "what", "trace_id"} <= hop.keys()


async def test_secrets_are_encrypted_at_rest_and_in_no_answer_or_log(running, caplog):
    caplog.set_level(logging.DEBUG)
    async with running.client() as client:
        answers = [
            await client.put("/v1/connections/secret", json=running.settings()),
            await client.get("/v1/connections"),
            await client.post("/v1/connections/secret/test"),
            await client.put("/v1/connections/secret", json=running.settings(threshold="x")),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert answers[0].json()["settings"]["access"]["password"] == MASK
    stored = [
        repr(row)
        for collection in await running.database.list_collection_names()
        async for row in running.database[collection].find()
    ]
    shown = [answer.text for answer in answers]
    assert any("secret" in text for text in shown)
    assert not [text for text in (*stored, *shown, caplog.text) if PASSWORD in text]


async def test_a_password_that_comes_back_masked_stays_what_it_is(running):
    settings = running.settings()
    settings["access"]["password"] = MASK
    async with running.client() as client:
        refused = await client.put("/v1/connections/masked", json=settings)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "access.password")
        applied = (await client.put("/v1/connections/masked", json=running.settings())).json()
        shown = applied["settings"]
        again = await client.put("/v1/connections/masked", json=shown | {"lead_source": "Campaign"})
        assert (again.status_code, again.json()["revision"]) == (200, 2)
        tested = (await client.post("/v1/connections/masked/test")).json()
    said = " ".join(finding["what"] for finding in tested["findings"])
    assert "accepts the user name and password" in said
    assert "Campaign" in said


async def test_the_connection_part_is_saved_and_tested_alone_and_the_rest_asked_for_to_turn_on(running, name):
    access = running.settings()["access"]
    async with running.client() as client:
        path = f"/v1/connections/{name}"
        saved = await client.put(path, json={"access": access, "lead_source": "Not there"})
        assert (saved.status_code, saved.json()["on"]) == (200, False)
        part = (await client.post(f"{path}/test", json={"part": "access"})).json()
        assert part["ok"]
        assert len(part["findings"]) == 2
        whole = (await client.post(f"{path}/test")).json()
        assert not whole["ok"]
        assert not (await client.post(f"{path}/on")).json()["connection"]["on"]
        refused = await client.post(f"{path}/test", json={"part": "everything"})
    assert refused.status_code == 422
    (wrong,) = [finding for finding in whole["findings"] if not finding["ok"]]
    assert "does not have the value Not there" in wrong["what"]
    assert "Studio > Leads > Fields > lead_source" in wrong["advice"]


async def test_a_part_of_the_settings_is_changed_by_itself_and_its_history_kept(running, name):
    async with running.client() as client:
        path = f"/v1/connections/{name}"
        await client.put(path, json=running.settings(supplier_id="globex"))
        patch = {"access": {"password": "another password"}, "marketing_automation": {"threshold": 70}}
        changed = (await client.patch(path, json=patch)).json()
        assert (changed["revision"], changed["settings"]["supplier_id"]) == (2, "globex")
        assert changed["settings"]["marketing_automation"]["threshold"] == 70
        emptied = (await client.patch(path, json={"supplier_id": None})).json()
        assert emptied["settings"]["supplier_id"] is None
        for wrong, field in (({"threshold": 1}, "threshold"), ({"access": {"url": "x"}}, "access.url")):
            answer = await client.patch(path, json=wrong)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
        assert (await client.patch(path, json={"tenant_id": "other"})).status_code == 422
        told = (await client.get(f"{path}/revisions")).json()["revisions"]
    async with running.client("other") as other:
        assert (await other.patch(path, json={"supplier_id": "x"})).status_code == 404
        assert (await other.get(f"{path}/revisions")).status_code == 404
    key_id = running.keys["acme"].split("_")[1]
    assert [(r["revision"], r["by"], r["what"], r["changed"]) for r in told] == [
        (3, key_id, "settings", ["supplier_id"]),
        (2, key_id, "settings", ["access.password", "marketing_automation.threshold"]),
        (1, key_id, "created", []),
    ]
    assert "another password" not in repr(told)


async def test_changes_made_at_once_are_each_made_whole_or_refused(running, name):
    async with running.client() as client:
        path = f"/v1/connections/{name}"
        await client.put(path, json=running.settings())
        sources = [f"source {n}" for n in range(5)]
        answers = await asyncio.gather(*(client.patch(path, json={"lead_source": s}) for s in sources))
        told = (await client.get(f"{path}/revisions")).json()["revisions"]
    made = [answer.json()["revision"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert made
    assert [r["revision"] for r in told] == [*sorted(made, reverse=True), 1]


async def test_an_address_that_does_not_exist_is_a_finding(running, name):
    settings = running.settings()
    settings["access"]["url"] = "https://crm.invalid"
    async with running.client() as client:
        assert (await client.put(f"/v1/connections/{name}", json=settings)).status_code == 200
        tested = await client.post(f"/v1/connections/{name}/test")
    (finding,) = tested.json()["findings"]
    assert (tested.status_code, finding["ok"], bool(finding["advice"])) == (200, False, True)


async def test_a_person_changes_settings_by_the_command_and_reads_who_did(running, name):
    async with running.client() as client:
        await client.put(f"/v1/connections/{name}", json=running.settings())
    code, said = await running.command("connections", "settings", "sugar", "--path", "access")
    assert (code, "access.password" in said, "lead_source" in said) == (0, True, False)
    words = ("lead_source=12345", "marketing_automation.threshold=70", "schedules.lead={cron: 0 6 * * *}")
    code, said = await running.command("connections", "set", name, *words)
    assert (code, "revision 2, is off" in said) == (0, True)
    code, said = await running.command("connections", "set", name, "lead_sorce=x")
    assert (code, "did you mean lead_source?" in said) == (1, True)
    code, said = await running.command("connections", "history", name)
    assert code == 0
    assert re.search(r"2 .*operator .*lead_source marketing_automation.threshold schedules.lead.cron", said)
    code, said = await running.command("connections", "test", name, "--access")
    assert (code, "accepts the user name and password" in said) == (0, True)


async def test_a_refused_test_pauses_the_connection_and_the_new_password_resumes_it(running, name, until):
    """No further login is tried meanwhile, whatever else is changed; what came waits."""
    crm, user = running.crm, f"user-{name}"
    user_id = desk.add_user(crm.store, user, PASSWORD, last_name="Pausing", is_admin=True)
    desk.add_option(crm.store, "Leads", "lead_source", name)
    access = running.settings()["access"] | {"user": user}
    path = f"/v1/connections/{name}"
    async with running.client() as client:
        settings = running.settings(access=access, lead_source=name, supplier_id=name)
        await client.put(path, json=settings)
        turned = (await client.post(f"{path}/on")).json()
        assert turned["connection"]["on"], turned["findings"]
        desk.set_password(crm.store, user_id, "a new one")
        tested = (await client.post(f"{path}/test")).json()
        assert tested["connection"]["health"]["state"] == "refused"
        (finding,) = [finding for finding in tested["findings"] if not finding["ok"]]
        assert "lock the user" in finding["advice"]
        waits = await client.patch(path, json={"marketing_automation": {"threshold": 60}})
        assert waits.json()["health"]["state"] == "refused"
        await running.publisher.publish([distribution(f"{name}@example.com", supplier=name)])
        shown = f"/v1/prospects/{prospect_id('acme', email=f'{name}@example.com')}"

        async def deliveries():
            found = (await client.get(shown)).json()["deliveries"]
            return [delivery for delivery in found if delivery["connection_id"] == name]

        await until(deliveries)
        assert [delivery["due"] for delivery in await deliveries()] == [True]
        changed = await client.patch(path, json={"access": {"password": "a new one"}})
        assert changed.json()["health"]["state"] == "well"

        async def is_delivered():
            return [delivery["due"] for delivery in await deliveries()] == [False]

        await until(is_delivered)


async def test_a_passed_test_ends_the_pause_where_the_crm_was_set_right_instead(running, name):
    user = f"user-{name}"
    user_id = desk.add_user(running.crm.store, user, "not it", last_name="Pausing", is_admin=True)
    access = running.settings()["access"] | {"user": user}
    path = f"/v1/connections/{name}"
    async with running.client() as client:
        await client.put(path, json=running.settings(access=access))
        states = []
        for _ in range(2):
            tested = (await client.post(f"{path}/test", json={"part": "access"})).json()
            states.append(tested["connection"]["health"]["state"])
            desk.set_password(running.crm.store, user_id, PASSWORD)
        told = (await client.get("/v1/connections")).json()["connections"]
    (now,) = [connection["health"]["state"] for connection in told if connection["connection_id"] == name]
    assert (states, now) == (["refused", "well"], "well")


async def test_fields_and_dry_runs_try_a_refused_password_once_and_are_their_tenants_alone(running, name):
    user = f"user-{name}"
    user_id = desk.add_user(running.crm.store, user, "not it", last_name="Pausing", is_admin=True)
    access = running.settings()["access"] | {"user": user}
    path = f"/v1/connections/{name}"
    rehearse = {"email": "ann@example.com"}
    async with running.client() as own, running.client("reader") as reader, running.client("other") as other:
        await own.put(path, json=running.settings(access=access))
        others = [await other.get(f"{path}/fields/lead"), await other.post(f"{path}/dry-run", json=rehearse)]
        less = [
            await reader.get(f"{path}/fields/lead", params={"refresh": "true"}),
            await reader.post(f"{path}/dry-run", json=rehearse),
        ]
        assert [answer.status_code for answer in others + less] == [404, 404, 403, 403]
        tried = [await own.post(f"{path}/dry-run", json=rehearse)]
        tried += [await own.get(f"{path}/fields/lead") for _ in range(3)]
        assert [answer.status_code for answer in tried] == [409] * 4
        assert failures(running.crm.store, user_id) == 1
        told = (await own.get("/v1/connections")).json()["connections"]
    (health,) = [shown["health"] for shown in told if shown["connection_id"] == name]
    assert (health["state"], PASSWORD in str(health)) == ("refused", False)


async def test_only_who_may_administer_changes_tests_or_turns_a_connection(running, name):
    path = f"/v1/connections/{name}"
    async with running.client() as own, running.client("reader") as reader:
        assert (await own.put(path, json=running.settings())).status_code == 200
        commands = [reader.put(path, json=running.settings()), reader.patch(path, json={"notes": "per_day"})]
        commands += [reader.post(f"{path}/{verb}") for verb in ("test", "on", "off")]
        assert {(await command).status_code for command in commands} == {403}
        (shown,) = [
            c
            for c in (await reader.get("/v1/connections")).json()["connections"]
            if c["connection_id"] == name
        ]
    assert (shown["revision"], shown["settings"]["notes"], PASSWORD in str(shown)) == (1, "per_event", False)


async def test_another_tenants_connection_does_not_exist(running):
    name = f"own-{uuid4().hex[:6]}"
    async with running.client() as own, running.client("other") as other:
        assert (await own.put(f"/v1/connections/{name}", json=running.settings())).status_code == 200
        for verb in ("test", "on", "off"):
            assert (await other.post(f"/v1/connections/{name}/{verb}")).status_code == 404
        assert (await other.put(f"/v1/connections/{name}", json=running.settings())).status_code == 409
        assert name not in (await other.get("/v1/connections")).text
        assert (await other.get("/v1/connections", params={"tenant_id": "acme"})).status_code == 403
        path = f"/v1/prospects/{prospect_id('acme', email='ann@example.com')}"
        assert (await other.get(path)).json()["deliveries"] == []
        assert (await other.get(path, params={"tenant_id": "acme"})).status_code == 403


@pytest.mark.parametrize(
    "body", ['{"tenant_id": "other", %s', '{"tenant_id": "acme", "tenant_id": "other", %s']
)
async def test_a_body_names_no_other_tenant(running, body):
    rest = json.dumps(running.settings())[1:]
    headers = {"Content-Type": "application/json"}
    async with running.client() as client:
        answer = await client.put("/v1/connections/foreign", content=body % rest, headers=headers)
    assert answer.status_code == 403
    assert await running.database["connector-sugar.connections"].find_one({"_id": "foreign"}) is None


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "192.168.7.7", "[::1]"])
async def test_an_address_in_an_internal_network_is_refused(running, host):
    settings = running.settings()
    settings["access"]["url"] = f"http://{host}/crm"
    async with running.client() as client:
        answer = await client.put("/v1/connections/inside", json=settings)
    assert answer.status_code == 422
    assert "internal network" in answer.json()["detail"]
    assert await running.database["connector-sugar.connections"].find_one({"_id": "inside"}) is None


@pytest.fixture
def name():
    """Of a connection of the test's own."""
    return f"own-{uuid4().hex[:6]}"


def changed_email(previous: str, email: str) -> Outgoing:
    now = datetime.now(UTC)
    message = ProspectUpdated(
        event_id=str(uuid4()),
        tenant_id="acme",
        occurred_at=now,
        received_at=now,
        prospect_id=prospect_id("acme", email=email),
        email=email,
        previous_email=previous,
    )
    return Outgoing.of(PROSPECTS_UPDATED, message)


def distribution(email: str, supplier: str = "globex") -> Outgoing:
    now = datetime.now(UTC)
    message = LeadDistributed(
        event_id=str(uuid4()),
        tenant_id="acme",
        occurred_at=now,
        received_at=now,
        prospect_id=prospect_id("acme", email=email),
        distribution_id=email,
        supplier_id=supplier,
        email=email,
        fields=Fields(last_name="N"),
    )
    return Outgoing.of(LEADS_DISTRIBUTED, message, b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
