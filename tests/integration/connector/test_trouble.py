"""A CRM in trouble: nothing is lost, nothing is doubled, nobody else waits, and a person can read why."""

import time

from cryptography.fernet import Fernet

from leadbus.connector.connection import HealthState
from leadbus.errors import Transient
from leadbus.messages import DeliveryReported
from leadbus.security.secrets import SecretBox
from leadbus.topics import CRM_DELIVERIES

OFTEN = {"lead": {"every_seconds": 1}, "opportunity": {"every_seconds": 1}}
ANN, BOB, EVE = (f"{name}@example.com" for name in ("ann", "bob", "eve"))
PATIENCE = 4.0
"""Seconds until a call to a CRM that hangs is given up; who waits behind it waits at least as long."""


async def health(bench, connection):
    return (await bench.desk.connections.get(connection.id)).health


async def test_a_reply_lost_after_the_create_leaves_one_record_and_is_no_trouble(bench, crm, leads, until):
    await bench.connect(crm)
    crm.faults.add("lost_reply_after_write", operation="set_entries", times=1)
    await bench.pod()
    await bench.feed(bench.distributed(ANN), bench.distributed(BOB))
    await until(lambda: len(bench.outcomes()) == 2)
    assert bench.outcomes() == ["created", "created"]
    assert sorted(lead["email"] for lead in leads(crm)) == [ANN, BOB]


async def test_a_crm_that_hangs_holds_up_no_other_and_gets_its_lead_once_it_answers(bench, crm, leads, until):
    other = await bench.crm()
    tenant = f"{bench.tenant}-two"
    connection = await bench.connect(crm)
    await bench.connect(other, tenant=tenant)
    await bench.pod(read_timeout=PATIENCE)
    hang = crm.faults.add("hang", module="Leads")
    await bench.feed(bench.distributed(ANN))
    await until(lambda: hang.struck)
    began = time.monotonic()
    await bench.feed(bench.distributed(BOB, tenant=tenant))
    await until(lambda: bench.outcomes(tenant) == ["created"])
    assert time.monotonic() - began < PATIENCE
    assert leads(crm) == []

    async def is_known() -> bool:
        return (await health(bench, connection)).state is HealthState.TROUBLE

    await until(is_known)
    assert (await health(bench, connection)).reason == "The CRM did not answer in time."
    crm.faults.clear()
    await until(lambda: bench.outcomes() == ["created"])
    assert len(leads(crm)) == 1


async def test_a_create_that_outlives_its_call_makes_no_second_record_for_another_tenant(
    bench, crm, leads, until
):
    """The first tenant's create goes on in the CRM after its call was given up; the second's comes first."""
    other = f"{bench.tenant}-two"
    await bench.connect(crm, f"{bench.tenant}-sugar")
    await bench.connect(crm, tenant=other)
    slow = crm.faults.add("slow", operation="set_entries", seconds=1.5, times=1)
    await bench.feed(bench.distributed(ANN), bench.distributed(ANN, tenant=other))
    await bench.pod(read_timeout=0.4)
    await until(lambda: bench.outcomes() and bench.outcomes(other))
    assert slow.struck == 1
    (link,) = [row async for row in bench.database["connector-sugar.links"].find({"tenant_id": other})]
    await until(lambda: crm.calls["set_entries"] >= 2)
    assert [lead["id"] for lead in leads(crm)] == [link["record"]["id"]]


async def test_a_slow_crm_gets_one_record(bench, crm, leads, until):
    await bench.connect(crm)
    crm.faults.add("slow", operation="set_entries", seconds=1.0, times=1)
    await bench.pod(read_timeout=0.4)
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    assert len(leads(crm)) == 1


async def test_a_passing_fault_costs_no_lead(bench, leads, until):
    """Each at a CRM of its own, all at once."""
    faults = [
        ("http_500", "get_entry_list"),
        ("http_500", "set_entries"),
        ("server_error_html", "set_entries"),
        ("html_instead_of_xml", "set_entries"),
        ("session_lost", "set_entries"),
    ]
    crms = {}
    for number, (kind, operation) in enumerate(faults):
        crms[f"{bench.tenant}-{number}"] = crm = await bench.crm()
        await bench.connect(crm, tenant=f"{bench.tenant}-{number}")
        crm.faults.add(kind, operation=operation, times=1)
    await bench.pod()
    for tenant in crms:
        await bench.feed(bench.distributed(ANN, tenant=tenant), bench.distributed(BOB, tenant=tenant))
    for tenant, crm in crms.items():
        await until(lambda tenant=tenant: bench.outcomes(tenant) == ["created", "created"])
        assert sorted(lead["email"] for lead in leads(crm)) == [ANN, BOB]
        assert crm.faults.rules[0].struck == 1


async def test_health_keeps_when_trouble_began_and_when_it_was_over(bench, crm, until):
    connection = await bench.connect(crm)
    began = (await health(bench, connection)).since
    rule = crm.faults.add("html_instead_of_xml", operation="get_entry_list")
    pod = await bench.pod()
    await bench.feed(bench.distributed(ANN))

    async def is_(state: HealthState) -> bool:
        return (await health(bench, connection)).state is state

    await until(lambda: is_(HealthState.TROUBLE))
    trouble = await health(bench, connection)
    assert trouble.reason.startswith("The address answers with a web page")
    struck = rule.struck
    await until(lambda: rule.struck > struck)
    assert (await health(bench, connection)).since == trouble.since > began
    crm.faults.clear()
    await until(lambda: bench.outcomes() == ["created"])
    await until(lambda: is_(HealthState.WELL))
    well = await health(bench, connection)
    assert (well.reason, well.since > trouble.since) == ("", True)
    await pod.stop()


async def test_a_pull_that_fails_is_told_and_its_recovery_too_while_leads_go_on(bench, crm, until):
    connection = await bench.connect(crm, schedules=OFTEN)
    crm.faults.add("http_500", module="Opportunities")
    await bench.pod()

    async def is_(state: HealthState) -> bool:
        return (await health(bench, connection)).state is state

    await until(lambda: is_(HealthState.TROUBLE))
    began = time.monotonic()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: bench.outcomes() == ["created"])
    assert time.monotonic() - began < 10
    assert (await health(bench, connection)).reason
    crm.faults.clear()
    await until(lambda: is_(HealthState.WELL))


async def test_refused_credentials_pause_the_connection_until_they_are_corrected(bench, crm, leads, until):
    connection = await bench.connect(crm, schedules=OFTEN)
    refused = crm.faults.add("refused_login")
    pod = await bench.pod()
    await bench.feed(bench.distributed(ANN), bench.distributed(BOB))

    async def is_refused() -> bool:
        return (await health(bench, connection)).state is HealthState.REFUSED

    await until(is_refused)
    await bench.feed(bench.distributed(EVE))
    await until(lambda: refused.struck)
    assert (await health(bench, connection)).reason.startswith("The CRM refuses the user name or password")
    tried = crm.calls["login"]
    pause = time.monotonic() + 1.6  # a pull, and several turns
    await until(lambda: time.monotonic() > pause)
    assert crm.calls["login"] == tried
    crm.faults.clear()
    settings = connection.settings.model_dump(mode="json", exclude={"tenant_id", "connection_id"})
    await pod.commands.apply(bench.tenant, connection.id, settings)
    await until(lambda: bench.outcomes() == ["created"] * 3)
    assert (await health(bench, connection)).state is HealthState.WELL


async def test_refused_credentials_are_tried_once(bench, crm, until):
    connection = await bench.connect(crm)
    crm.faults.add("refused_login")
    before = crm.calls["login"]
    await bench.feed(bench.distributed(ANN))
    await bench.pod()

    async def is_refused() -> bool:
        return (await health(bench, connection)).state is HealthState.REFUSED

    await until(is_refused)
    assert crm.calls["login"] - before == 1


async def test_credentials_that_two_connections_share_are_refused_once_and_not_again_after_a_restart(
    bench, crm, until
):
    """The CRM counts refused sign-ins by user, whichever connection made them."""
    both = [
        await bench.connect(crm, f"{bench.tenant}-{n}", supplier_id=n, schedules=OFTEN)
        for n in ("one", "two")
    ]
    idle = await bench.connect(crm, f"{bench.tenant}-idle", tenant=f"{bench.tenant}-other")
    refused = crm.faults.add("refused_login")
    await bench.feed(bench.distributed(ANN, "d1", "one"), bench.distributed(BOB, "d2", "two"))
    pod = await bench.pod()

    async def are_refused() -> bool:
        return all([(await health(bench, c)).state is HealthState.REFUSED for c in (*both, idle)])

    await until(are_refused)
    await pod.stop()
    await bench.pod()
    pause = time.monotonic() + 1.5
    await until(lambda: time.monotonic() > pause)
    assert refused.struck == 1
    crm.faults.clear()
    for connection in both:
        settings = connection.settings.model_dump(mode="json", exclude={"tenant_id", "connection_id"})
        await bench.pods[-1].commands.apply(bench.tenant, connection.id, settings)
    await until(lambda: sorted(bench.outcomes()) == ["created", "created"])


async def test_a_value_that_leadbus_itself_stumbles_over_parks_its_own_lead_alone(
    bench, crm, leads, until, caplog
):
    fields = [{"field": "custom.visit", "crm_field": "date_entered"}]
    await bench.connect(crm, fields=fields)
    people = [f"person{n}@example.com" for n in range(5)]
    odd = bench.distributed(ANN, "odd", custom={"visit": "tomorrow"})
    await bench.feed(*(bench.distributed(person, person) for person in people), odd)
    await bench.pod()
    await until(lambda: len(bench.outcomes()) == 6)
    assert sorted(bench.outcomes()) == ["created"] * 5 + ["parked"]
    assert sorted(lead["email"] for lead in leads(crm)) == people
    await bench.settled(ANN)
    assert "such as a word where a date belongs" in (await bench.delivery(ANN)).parked.reason
    assert "tomorrow" not in caplog.text


async def test_one_refused_row_costs_no_other_and_waits_for_a_change(bench, crm, leads, until):
    connection = await bench.connect(crm)
    rule = crm.faults.add("refuse_row", field="last_name", matches="Bad")
    pod = await bench.pod()
    people = [f"person{n}@example.com" for n in range(30)]
    good = [bench.distributed(person, person) for person in people]
    await bench.feed(*good, bench.distributed(ANN, last_name="Bad"))
    await until(lambda: len(bench.outcomes()) == 31)
    assert sorted(set(bench.outcomes())) == ["created", "parked"]
    assert sorted(lead["email"] for lead in leads(crm)) == sorted(people)
    (report,) = [r for r in bench.told(CRM_DELIVERIES) if r.outcome == "parked"]
    assert "broke off twice on this record" in report.reason
    assert [origin.distribution_id for origin in report.origins] == ["d1"]  # its supplier is to know
    await bench.settled(ANN)
    assert (await bench.delivery(ANN)).parked.reason == report.reason

    struck = rule.struck
    await bench.feed(bench.distributed(BOB, "d2"))
    await until(lambda: len(bench.outcomes()) == 32)
    assert rule.struck == struck  # neither by itself nor with others

    await bench.feed(bench.scored(ANN, 60, 2))
    await until(lambda: len(bench.outcomes()) == 33)
    assert bench.outcomes().count("parked") == 2  # a new fact was tried

    crm.faults.clear()
    settings = connection.settings.model_dump(mode="json", exclude={"tenant_id", "connection_id"})
    await pod.commands.apply(bench.tenant, connection.id, settings)
    await until(lambda: bench.outcomes()[-1] == "created")
    assert len(leads(crm)) == 32


class Away:
    """Kafka does not acknowledge, for so many calls."""

    def __init__(self, publisher, calls):
        self.publisher, self.calls, self.refused = publisher, calls, []

    async def publish(self, records):
        if records and self.calls:
            self.calls -= 1
            # What times out may have arrived all the same.
            await self.publisher.publish(records)
            self.refused += records
            return [Transient("not acknowledged") for _ in records]
        return await self.publisher.publish(records)


async def test_what_kafka_did_not_acknowledge_is_told_again_under_the_same_id(bench, crm, leads, until):
    """As after a crash between publishing and settling."""
    await bench.connect(crm)
    away = Away(bench.kit.publisher, 1)
    await bench.feed(bench.distributed(ANN))
    await bench.pod(publisher=away)
    await until(lambda: len(away.refused) == 1)
    await bench.feed(bench.distributed(ANN, "d2"))
    await bench.settled(ANN)
    first, *more = bench.told(CRM_DELIVERIES)
    assert DeliveryReported.model_validate_json(away.refused[0].value) == first
    assert (more[0].outcome, more[0].event_id) == ("created", first.event_id)
    assert len({report.event_id for report in bench.told(CRM_DELIVERIES)}) <= 2
    assert len(leads(crm)) == 1


async def test_a_password_whose_key_is_lost_is_its_own_connections_trouble(bench, crm, leads, until):
    lost = await bench.connect(crm, f"{bench.tenant}-lost")
    well = await bench.connect(crm)
    token = SecretBox(Fernet.generate_key().decode()).encrypt("admin")
    stored = bench.database["connector-sugar.connections"]
    await stored.update_one({"_id": lost.id}, {"$set": {"secrets": {"access/password": token}}})
    await bench.pod()
    await bench.feed(bench.distributed(ANN))
    await until(lambda: [lead["email"] for lead in leads(crm)] == [ANN])

    async def is_told() -> bool:
        return "cannot be decrypted" in (await health(bench, lost)).reason

    await until(is_told)
    assert (await health(bench, well)).state is HealthState.WELL
    known = await bench.desk.connections.get(lost.id)
    await bench.desk.commands.turn(known, on=False)
    row = await stored.find_one({"_id": lost.id})
    assert row["secrets"] == {"access/password": token}
