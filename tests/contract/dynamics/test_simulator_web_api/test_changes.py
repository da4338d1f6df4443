"""Change tracking of the simulator's Web API: everything once, then what has changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

TRACK = {"Prefer": "odata.track-changes"}


async def follow(api: Any, path: str, **headers: str) -> tuple[list[dict[str, Any]], str]:
    """All rows, and the delta link."""
    rows: list[dict[str, Any]] = []
    while True:
        body = await api.get(path, **headers)
        rows += body["value"]
        if "@odata.deltaLink" in body:
            return rows, body["@odata.deltaLink"]
        path = body["@odata.nextLink"]


async def test_a_delta_link_tells_what_was_made_changed_and_deleted_since(api: Any, crm: Any) -> None:
    stays, changes, goes = (crm.desk.create("lead", {"lastname": name}) for name in ("A", "B", "C"))
    rows, link = await follow(api, "leads?$select=lastname", **TRACK)
    assert {row["leadid"] for row in rows} == {stays, changes, goes}
    assert (await follow(api, link))[0] == []
    crm.desk.change("lead", changes, {"lastname": "D"})
    crm.desk.delete("lead", goes)
    new = crm.desk.create("lead", {"lastname": "E"})
    rows, later = await follow(api, link)
    there = {row["leadid"]: row["lastname"] for row in rows if "reason" not in row}
    assert there == {changes: "D", new: "E"}
    [gone] = [row for row in rows if "reason" in row]
    assert (gone["id"], gone["reason"]) == (goes, "deleted")
    assert gone["@odata.context"].endswith("$metadata#leads/$deletedEntity")
    assert (await follow(api, later))[0] == []
    token = link.partition("$deltatoken=")[2]
    assert (await api.ask("GET", f"leads/$count?$deltatoken={token}")).text == "3"


async def test_pages_of_everything_lose_nobody_who_changes_meanwhile(api: Any, crm: Any) -> None:
    keys = crm.desk.load("lead", ({"lastname": f"Doe {at}"} for at in range(5)))
    prefer = "odata.track-changes,odata.maxpagesize=2"
    page = await api.get("leads?$select=lastname", Prefer=prefer)
    assert len(page["value"]) == 2
    crm.desk.change("lead", keys[3], {"lastname": "Kot"})
    rows, link = await follow(api, page["@odata.nextLink"], Prefer=prefer)
    changed, _ = await follow(api, link, Prefer="odata.maxpagesize=1")
    seen = {row["leadid"]: row["lastname"] for row in [*page["value"], *rows, *changed]}
    assert (set(seen), seen[keys[3]]) == (set(keys), "Kot")


async def test_what_tracking_cannot_do_is_refused(api: Any, crm: Any) -> None:
    for query in ("$filter=statecode eq 0", "$orderby=lastname", "$top=1", "$expand=Lead_Tasks"):
        answer = await api.ask("GET", f"leads?{query}", **TRACK)
        name = query.partition("=")[0]
        said = f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, said)
    assert await api.refused("GET", "activitypointers", **TRACK) == (400, "0x80072491")
    crm.desk.track("lead", tracked=False)
    assert await api.refused("GET", "leads", **TRACK) == (400, "0x80072491")


async def test_an_old_token_asks_for_everything_again(start_dynamics: Any, connect_dynamics: Any) -> None:
    clock = [datetime(2026, 5, 1, tzinfo=UTC)]
    async with start_dynamics(clock=lambda: clock[0], track_days=7) as crm, connect_dynamics(crm) as api:
        _, link = await follow(api, "leads", **TRACK)
        clock[0] += timedelta(days=6)
        await api.sign_in()
        _, later = await follow(api, link)
        clock[0] += timedelta(days=2)
        await api.sign_in()
        assert await api.refused("GET", link) == (400, "0x80044352")
        await follow(api, later)
        crm.desk.expire_changes()
        assert await api.refused("GET", later) == (400, "0x80044352")
        assert await api.refused("GET", "leads?$deltatoken=nonsense") == (400, "0x80060888")
