"""What every turn asks of MongoDB costs the same whatever waits besides."""

from datetime import UTC, datetime, timedelta

from leadbus.connector.delivering.catching_up import CatchingUp

MANY = 2_000
SOME = 600
"""More than are changed at once."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def waiting(number, **how):
    name = {
        "connection_id": "one",
        "organisation_id": "org",
        "tenant_id": "acme",
        "prospect_id": f"p{number}",
    }
    maps = {key: [] for key in ("fields", "creators", "activities", "begun", "tasks")}
    times = {"due_since": NOW - timedelta(days=1, seconds=number), "next_try": None}
    return {"_id": f"one/p{number}", **name, **maps, **times, "due": True, "new": False, **how}


async def examined(bench, ask):
    """Answer, and the most documents that one query of it looked at."""
    database = bench.database
    await database.command("profile", 2)
    answer = await ask()
    await database.command("profile", 0)
    looked = [row async for row in database["system.profile"].find({"op": {"$in": ["query", "command"]}})]
    await database["system.profile"].drop()
    return answer, max(row.get("docsExamined", 0) for row in looked)


async def test_deliveries_that_are_put_off_or_wait_in_a_backlog_cost_a_turn_nothing(bench):
    deliveries, stored = bench.desk.deliveries, bench.database["connector-sugar.deliveries"]
    tomorrow, ago = NOW + timedelta(hours=12), NOW - timedelta(minutes=1)
    await stored.insert_many([waiting(n, next_try=tomorrow) for n in range(MANY)])
    lead = waiting(MANY, new=True, due_since=NOW)
    await stored.insert_many([lead, waiting(MANY + 1, next_try=ago), waiting(MANY + 2)])

    due, looked_at = await examined(bench, lambda: deliveries.due("one", NOW, 10))
    assert [delivery.prospect_id for delivery in due] == [f"p{MANY}", f"p{MANY + 2}", f"p{MANY + 1}"]
    assert looked_at <= 10
    soonest, looked_at = await examined(bench, lambda: deliveries.next_try(["one"], NOW))
    assert (soonest, looked_at <= 10) == (tomorrow, True)
    oldest, looked_at = await examined(bench, lambda: deliveries.oldest("one"))
    assert (oldest, looked_at <= 10) == (NOW - timedelta(days=1, seconds=MANY + 2), True)


async def test_scores_that_wait_for_their_hour_cost_a_turn_nothing(bench):
    deliveries, stored = bench.desk.deliveries, bench.database["connector-sugar.deliveries"]
    soon, ago = NOW + timedelta(minutes=30), NOW - timedelta(minutes=1)
    await stored.insert_many([waiting(n, due=False, score_at=soon) for n in range(MANY)])
    await stored.insert_many([waiting(MANY, due=False, score_at=ago), waiting(MANY + 1)])
    due, looked_at = await examined(bench, lambda: deliveries.scores_due("one", NOW, 10))
    assert [delivery.prospect_id for delivery in due] == [f"p{MANY}"]
    assert looked_at <= 10


async def test_a_change_of_settings_is_caught_up_with_in_parts_whoever_missed_it(bench):
    """Neither a crash after the settings were stored, nor what an old batch put back since, leaves any."""
    crm = await bench.crm()
    there = await bench.connect(crm, score_field="lead_score_c")
    deliveries, stored = bench.desk.deliveries, bench.database["connector-sugar.deliveries"]
    name = {"connection_id": there.id, "revision": 0}
    right = ["q", {"at": NOW, "marketing": True, "held": True}]
    score = {"value": 60, "version": 1, "pending": False}
    held = [waiting(n, **name, due=False, held=["marketing"], creators=[right]) for n in range(SOME)]
    told = {"told": NOW, "score": score, "scored_in": ""}
    parked = {"parked": {"reason": "No.", "since": NOW}}
    rows = [
        *held,
        *(waiting(n, **name, due=False, **told) for n in range(SOME, 2 * SOME)),
        *(waiting(n, **name, due=False, **parked) for n in range(2 * SOME, 3 * SOME)),
    ]
    await stored.insert_many([row | {"_id": f"{there.id}/{row['prospect_id']}"} for row in rows])
    catching_up = CatchingUp(there, bench.desk.connections, deliveries)
    assert await catching_up.turn() == 0.0
    assert 0 < await stored.count_documents({"due": True}) < 2 * SOME  # not all at once
    while await catching_up.turn() == 0.0:
        pass
    assert await stored.count_documents({"due": True}) == SOME
    assert await stored.count_documents({"score_at": {"$exists": True}}) == SOME
    assert await stored.count_documents({"parked.since": {"$exists": True}}) == 0

    put_back = await deliveries.of_prospect("acme", "p0")
    await deliveries.settle(put_back[0], lambda delivery: delivery.hold({"q"}))
    stored_since = await bench.desk.connections.get(there.id)
    again, looked_at = await examined(
        bench, CatchingUp(stored_since, bench.desk.connections, deliveries).turn
    )
    assert (again, looked_at) == (0.0, 1)  # who goes on to look finds one by the index
    assert stored_since.caught_up == stored_since.revision
    assert await stored.count_documents({"due": True}) == SOME
