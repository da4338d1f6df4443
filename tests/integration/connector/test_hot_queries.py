"""What every turn asks of MongoDB costs the same whatever waits besides."""

from datetime import UTC, datetime, timedelta

MANY = 2_000
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
