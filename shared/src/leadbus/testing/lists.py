"""Promises about lists: chosen ones under a name of one's own, once or in sync, pulled and pushed."""

from typing import Any

from leadbus.messages import CrmListChanged, Member
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

PUSH = {"add": True, "update": True, "remove": True}


class Lists(Promises):
    """See the module."""

    async def test_people_of_a_list_here_are_put_on_the_crms_and_taken_off_and_never_erased(
        self, scene: Scene
    ) -> None:
        fair = scene.crm.put("list", name="Fair of May", **_holds(scene))
        ada, ben = scene.somebody(), scene.somebody("ben")
        there = scene.crm.put("lead", email=ben.email, last_name="Babbage", company="Engines Ltd")
        rule = {"list": "FAIR of May", "name": "Our fair", "list_id": "l-1", "push": PUSH}
        await scene.connect(lists=[rule | {"push_fields": ["phone"]}], reads=["list"])
        await scene.write(
            ada.listed(fields={"last_name": "Lovelace", "company": "Engines Ltd"}), ben.listed()
        )
        lead = scene.one("lead", ada)["id"]
        await until(lambda: scene.crm.on_list(fair) == {lead, there}, "both are on the list")
        history = str((await scene.delivery(ada))["history"])
        assert "put on list FAIR of May" in history, history
        await scene.write(ben.updated(at=1, fields={"phone": "1", "title": "Inventor"}))
        row = scene.row("lead", there)
        assert (row["phone"], row["title"] or None) == ("1", None)  # chosen for the list, the other not
        await scene.sync("list")
        assert not any(m.added or m.removed for m in scene.heard(CrmListChanged))  # our own doing is no news
        await scene.write(ada.listed(at=5, member=False))
        await until(lambda: scene.crm.on_list(fair) == {there}, "she is taken off")
        assert scene.one("lead", ada)["id"] == lead
        scene.crm.leave(fair, "lead", there)
        await scene.sync("list")
        told = await scene.hear(CrmListChanged, lambda m: m.removed)
        assert (told.own_name, told.list_id) == ("Our fair", "l-1")
        assert [m.prospect_id for m in told.removed] == [ben.prospect]
        assert scene.one("lead", ben)["id"] == there

    async def test_a_chosen_list_is_told_under_its_own_name_with_its_chosen_fields(
        self, scene: Scene
    ) -> None:
        names = ("Fair of May", "Import", "Other")
        fair, once, _ = (scene.crm.put("list", name=name, **_holds(scene)) for name in names)
        people = {name: scene.somebody(name) for name in ("ada", "ben")}
        keys = {
            name: scene.crm.put("lead", email=who.email, last_name="X", company="Y", phone="1")
            for name, who in people.items()
        }
        for key in (fair, once):
            scene.crm.join(key, "lead", keys["ada"])
        rules = [
            {
                "list": fair,
                "name": "Our fair",
                "pull_fields": ["phone"],
                "schedule": {"every_seconds": 3_600},
            },
            {"list": "Import", "keep": "once"},
        ]
        await scene.connect(reads=["lead"], all_lists=False, lists=rules)
        await scene.sync("list")
        told = await scene.hear(CrmListChanged, lambda m: m.added and m.record.id == fair)
        assert (told.name, told.own_name) == ("Fair of May", "Our fair")
        assert [(m.email, m.fields.flat()) for m in told.added] == [(people["ada"].email, {"phone": "1"})]
        await scene.hear(CrmListChanged, lambda m: m.added and m.record.id == once)
        scene.crm.change("lead", keys["ada"], phone="2")
        for key in (fair, once):
            scene.crm.join(key, "lead", keys["ben"])
        await scene.sync("lead")
        await scene.sync("list")
        assert [_phones(m.updated) for m in scene.heard(CrmListChanged) if m.updated] == [["2"]]
        added = [m.record.id for m in scene.heard(CrmListChanged) if m.added]
        assert sorted(added) == sorted([fair, once, fair])  # of a one-time import nothing is told after it
        assert {m.name for m in scene.heard(CrmListChanged)} == {"Fair of May", "Import"}
        shown = await scene.house.ask("GET", f"/v1/connections/{scene.id_of()}/lists")
        chosen = {row["name"]: (row["rule"], row["read"], row["members"]) for row in shown["lists"]}
        assert chosen == {
            "Fair of May": (fair, "sync", 2),
            "Import": ("Import", "once", 1),
            "Other": (None, "no", None),
        }
        assert shown["missing"] == []

    async def test_a_list_to_be_pushed_to_that_is_missing_is_found_with_the_steps_to_make_it(
        self, scene: Scene
    ) -> None:
        rule = {"list": "Fair of May", "list_id": "l-1", "push": {"add": True}}
        await scene.connect(on=False, lists=[rule])
        (found,) = _about(await scene.turn("test"), "Fair of May")
        assert not found["ok"]
        assert found["what"] == "The CRM has no list Fair of May."
        assert "Fair of May" in found["advice"]
        scene.crm.put("list", name="Fair of May", **_holds(scene))
        (found,) = _about(await scene.turn("test"), "Fair of May")
        assert found["ok"]


def _about(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [finding for finding in answer["findings"] if name in finding["what"]]


def _holds(scene: Scene) -> dict[str, Any]:
    return {"holds": "lead"} if "mixed_lists" in scene.crm.lacks else {}


def _phones(members: list[Member]) -> list[str | None]:
    return [member.fields.phone for member in members]
