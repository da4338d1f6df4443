"""Promises about reading, however much there is, and whatever happens meanwhile."""

from datetime import UTC, datetime, timedelta

from leadbus.messages import ContactChanged
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until


class Pages(Promises):
    """See the module."""

    async def test_more_than_one_page_of_rows_with_one_time_of_change_is_read_to_its_end(
        self, scene: Scene
    ) -> None:
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        emails = [f"p{number}@{scene.tenant}.example" for number in range(430)]
        rows = [{"email": email, "last_name": "X", "changed_at": at} for email in emails]
        await scene.connect(reads=["contact"])
        scene.crm.load("contact", rows)
        await scene.sync("contact", full=True)
        await until(lambda: len(scene.heard(ContactChanged)) >= len(emails), "all of them")
        assert sorted(m.email or "" for m in scene.heard(ContactChanged)) == sorted(emails)
        await scene.sync("contact")
        assert len(scene.heard(ContactChanged)) == len(emails)

    async def test_a_change_while_a_pull_is_under_way_is_not_lost(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"])
        ada, ben = scene.somebody(), scene.somebody("ben")
        key = scene.crm.put("lead", email=ada.email, last_name="Lovelace", phone="1")
        scene.crm.misbehave("hang", of="reads", times=1)
        path = f"/v1/connections/{scene.id_of()}/sync"
        calls = scene.crm.calls
        await scene.house.ask("POST", path, json={"kinds": ["lead"], "full": False}, expect=202)
        await until(lambda: scene.crm.calls > calls, "the pull begins")
        # A row whose change becomes visible late carries a time before the pull's.
        late = datetime.now(UTC) - timedelta(seconds=20)
        scene.crm.behave()
        await scene.hear(ContactChanged, ada.concerns)
        scene.crm.load("lead", [{"email": ben.email, "last_name": "Babbage", "changed_at": late}])
        scene.crm.change("lead", key, phone="2")
        await scene.sync("lead")
        await scene.hear(ContactChanged, ben.concerns)
        await scene.hear(ContactChanged, lambda m: m.fields.phone == "2")

    async def test_a_first_reading_that_is_broken_off_goes_on_where_it_was(self, scene: Scene) -> None:
        emails = [f"p{number:04}@{scene.tenant}.example" for number in range(2_000)]
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        scene.crm.load(
            "contact",
            [
                {"email": email, "last_name": "X", "changed_at": at + timedelta(seconds=number)}
                for number, email in enumerate(emails)
            ],
        )
        await scene.save(schedules={"contact": {"every_seconds": 86_400}})
        before = scene.crm.reads
        answer = await scene.turn("test")
        assert answer["ok"], answer["findings"]
        # Turning on tests once more; then come the pages.
        scene.crm.misbehave("hang", of="reads", skip=scene.crm.reads - before + 6)
        assert (await scene.turn("on"))["ok"]

        async def under_way() -> int:
            progress = (await scene.progress())["contact"]
            return int(progress["read"]) if progress["state"] == "first sync" else 0

        read = await until(under_way, "some pages have been read")
        assert 0 < read < len(emails)
        await scene.house.close()
        scene.crm.behave()
        calls = scene.crm.calls
        await scene.house.open()
        await until(lambda: len({m.email for m in scene.heard(ContactChanged)}) == len(emails), "all of them")
        assert len(scene.heard(ContactChanged)) < 2 * len(emails) - read
        assert scene.crm.calls > calls

    async def test_what_has_no_schedule_is_read_only_if_somebody_asks_for_it(self, scene: Scene) -> None:
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        scene.crm.put("contact", email=ben.email, last_name="Babbage")
        await scene.connect(reads=["lead"])
        await scene.hear(ContactChanged, ada.concerns)
        assert {m.prospect_id for m in scene.heard(ContactChanged)} == {ada.prospect}
        await scene.sync("contact")
        await scene.hear(ContactChanged, ben.concerns)

    async def test_a_schedule_reads_what_has_changed(self, scene: Scene) -> None:
        await scene.connect(schedules={"lead": {"every_seconds": 1}})
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        await scene.hear(ContactChanged, ada.concerns)

    async def test_the_crm_side_of_a_prospect_is_shown_as_it_stands(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "user"])
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        lead = scene.one("lead", ada)["id"]
        scene.crm.change("lead", lead, status=scene.crm.words.statuses[1])
        await scene.sync("lead")
        path = f"/v1/prospects/{ada.prospect}/crm"
        shown = str(await scene.house.ask("GET", path, params={"tenant_id": scene.tenant}))
        for part in (lead, scene.crm.words.statuses[1], scene.id_of()):
            assert part in shown
