"""What the metrics tell of a connection: levels that are read now and then, and how long leads took."""

from datetime import UTC, datetime, timedelta

from leadbus.connector.connection import Health, HealthState
from leadbus.connector.measuring import Measuring
from leadbus.connector.worker import OrganisationWorker

ANN, BOB, EVE = (f"{name}@example.com" for name in ("ann", "bob", "eve"))


def told(bench, series, **labels):
    """Values by their label sets, of those that have these labels."""
    lines = bench.kit.telemetry.exposition().decode().splitlines()
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    found = [line for line in lines if line.startswith(series) and all(each in line for each in wanted)]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in found}


async def measure(bench, connection):
    workshop = bench.desk.workshop
    worker = OrganisationWorker(connection.organisation_id, workshop)
    await Measuring(workshop).measure({connection.organisation_id: worker})

    def level(name, **labels):
        return list(told(bench, name, leadbus_connection_id=connection.id, **labels).values())

    return level


async def test_a_connection_tells_its_state_and_what_waits_for_it(bench, crm):
    connection = await bench.connect(crm)
    await bench.feed(bench.distributed(ANN), bench.distributed(BOB, "d2"))
    delivery = await bench.delivery(ANN)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    await bench.desk.deliveries.settle(delivery, lambda d: setattr(d, "due_since", long_ago))
    level = await measure(bench, connection)
    assert level("leadbus_connection_state", leadbus_state="well") == [1]
    assert level("leadbus_delivery_waiting", leadbus_outcome="due") == [2]
    assert level("leadbus_delivery_waiting", leadbus_outcome="parked") == [0]
    (age,) = level("leadbus_delivery_oldest_age_seconds")
    assert 600 <= age < 660
    assert level("leadbus_push_age_seconds") == []
    assert level("leadbus_crm_credits_left") == []


async def test_a_refused_sign_in_is_a_state_and_what_is_off_waits_for_nobody(bench, crm):
    connection = await bench.connect(crm)
    await bench.feed(bench.distributed(ANN))
    refused = Health(HealthState.REFUSED, "The password is wrong.", datetime.now(UTC))
    await bench.desk.connections.report_health(connection, refused)
    level = await measure(bench, connection)
    assert level("leadbus_connection_state", leadbus_state="refused") == [1]
    assert level("leadbus_connection_state", leadbus_state="well") == []
    connection, _ = await bench.desk.commands.turn(connection, on=False)
    level = await measure(bench, connection)
    assert level("leadbus_connection_state") == level("leadbus_connection_state", leadbus_state="off") == [1]
    assert level("leadbus_delivery_oldest_age_seconds") == []


async def test_readings_and_pushes_tell_how_long_ago_they_were(bench, crm):
    connection = await bench.connect(crm)
    await bench.pull()
    await bench.desk.pulling.watches.hear(connection.id, datetime.now(UTC) - timedelta(hours=2))
    await bench.desk.pulling.watches.hear(connection.id, datetime.now(UTC) - timedelta(hours=9))
    level = await measure(bench, connection)
    (age,) = level("leadbus_pull_age_seconds", leadbus_kind="lead")
    assert 0 <= age < 60
    (age,) = level("leadbus_push_age_seconds")
    assert 7_200 <= age < 7_260


def arrivals(bench, **labels):
    """How many leads are told to have arrived, by what and while the CRM answered."""
    return sum(told(bench, "leadbus_lead_latency_seconds_count", **labels).values())


async def test_a_lead_is_timed_from_its_acceptance_by_what_it_came_by(bench, crm, until):
    before = {right: arrivals(bench, leadbus_right=right) for right in ("distribution", "marketing")}
    await bench.connect(crm)
    await bench.feed(bench.distributed(ANN), bench.qualified(BOB))
    await bench.pod()
    await until(lambda: bench.outcomes() == ["created", "created"])
    await bench.settled(ANN, BOB)
    await bench.feed(bench.distributed(ANN, "d2"))
    await until(lambda: len(bench.outcomes()) == 3)
    await bench.settled(ANN)
    for right, more in (("distribution", 2), ("marketing", 1)):
        await until(
            lambda right=right, more=more: arrivals(bench, leadbus_right=right) == before[right] + more
        )
    sums = told(bench, "leadbus_lead_latency_seconds_sum", leadbus_right="distribution")
    assert all(0 < seconds < 600 for seconds in sums.values())


async def test_a_lead_that_came_while_the_crm_was_away_does_not_count_as_late(bench, crm, until):
    connection = await bench.connect(crm)
    answering = {word: arrivals(bench, leadbus_crm_answering=word) for word in ("yes", "no")}
    away = Health(HealthState.TROUBLE, "The CRM does not answer.", datetime.now(UTC))
    await bench.desk.connections.report_health(connection, away)
    await bench.feed(bench.distributed(ANN))
    await bench.pod()
    await until(lambda: arrivals(bench, leadbus_crm_answering="no") == answering["no"] + 1)
    assert arrivals(bench, leadbus_crm_answering="yes") == answering["yes"]


async def test_a_lead_that_waited_for_a_person_is_not_timed(bench, crm, until):
    before = arrivals(bench)
    connection = await bench.connect(crm)
    connection, _ = await bench.desk.commands.turn(connection, on=False)
    await bench.feed(bench.distributed(EVE))
    connection, _ = await bench.desk.commands.turn(connection, on=True)
    await bench.pod()
    await until(lambda: bench.outcomes() == ["created"])
    await bench.settled(EVE)
    assert arrivals(bench) == before


async def test_a_pod_tells_what_there_is_to_work_and_what_of_it_nobody_does(bench, crm, until, monkeypatch):
    connection = await bench.connect(crm)

    def shares():
        series = ("leadbus_organisations ", "leadbus_organisations_worked ")
        return [value for name in series for value in told(bench, name).values()]

    pod = await bench.pod()
    leases = bench.database["connector-sugar.leases"]
    await until(lambda: leases.find_one({"_id": connection.organisation_id, "owner": pod.owner}))
    await until(lambda: shares() == [1, 1])
    monkeypatch.setattr(pod.leases, "take", held_by_somebody_who_hangs)
    pod.workers.settings_changed(connection.organisation_id)
    await until(lambda: shares() == [1, 0])
    await bench.desk.commands.turn(connection, on=False)
    pod.workers.settings_changed(connection.organisation_id)
    await until(lambda: shares() == [0, 0])


async def held_by_somebody_who_hangs(organisation):
    return None
