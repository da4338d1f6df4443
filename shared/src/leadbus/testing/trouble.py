"""Promises about what goes wrong: nothing lost, nothing doubled, nobody else delayed."""

import time

import pytest

from leadbus.messages import DeliveryReported
from leadbus.testing.crm import Fault
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until


class Trouble(Promises):
    """See the module."""

    async def test_an_answer_that_is_lost_after_the_write_makes_no_second_record(self, scene: Scene) -> None:
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.misbehave("lose_reply", of="writes", times=2)
        await scene.write(ada.qualified(activity()), ben.qualified(activity()))
        for who in (ada, ben):
            assert len(scene.subjects(scene.one("lead", who)["id"])) == 1

    async def test_an_answer_that_is_lost_after_a_note_was_written_makes_no_second_note(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.qualified(activity()))
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.write(ada.active(activity("web_view")))
        assert len(scene.subjects(scene.one("lead", ada)["id"])) == 2

    @pytest.mark.parametrize("fault", ["error", "html", "hang"])
    async def test_calls_that_fail_lose_nothing_and_double_nothing(self, scene: Scene, fault: Fault) -> None:
        await scene.connect()
        people = [scene.somebody(name) for name in ("ada", "ben", "cyd")]
        scene.crm.misbehave(fault, of="writes", times=1)
        calls = scene.crm.calls
        await scene.tell(*(who.qualified(activity()) for who in people))
        await until(lambda: scene.crm.writes > 0 and scene.crm.calls > calls, "a call that fails")
        scene.crm.behave()
        await scene.settled(*people)
        for who in people:
            assert len(scene.subjects(scene.one("lead", who)["id"])) == 1

    async def test_a_crm_that_hangs_delays_no_other_connection(self, scene: Scene) -> None:
        await scene.connect()
        other = await scene.another(self.new_crm())
        await scene.connect("two", crm=other)
        scene.crm.misbehave("hang")
        ada = scene.somebody()
        await scene.tell(ada.distributed())
        await until(lambda: scene.people("lead", ada, other), "the other CRM has the lead", within=10)
        assert scene.people("lead", ada) == []
        scene.crm.behave()
        await scene.settled(ada)
        scene.one("lead", ada)

    async def test_a_crm_that_asks_for_a_pause_is_left_alone_for_so_long(self, scene: Scene) -> None:
        needs(scene, "retry_after")
        await scene.connect()
        ada = scene.somebody()
        calls, begun = scene.crm.calls, time.monotonic()
        scene.crm.misbehave("rate_limit", times=1, retry_after=1.0)
        await scene.tell(ada.distributed())
        await until(lambda: scene.crm.calls > calls, "the call that is refused")
        # Calls that were on their way already may be many in flight; none begins after the refusal.
        await until(lambda: time.monotonic() - begun > 0.5, "half of the pause")
        during = scene.crm.calls
        await until(lambda: time.monotonic() - begun > 0.9, "nearly all of the pause")
        assert scene.crm.calls == during
        await scene.settled(ada)
        scene.one("lead", ada)

    async def test_a_refused_row_is_parked_with_field_and_reason_and_the_others_go_on(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada, ben, cyd = (scene.somebody(name) for name in ("ada", "ben", "cyd"))
        scene.crm.refuse("lead", "phone", "123")
        await scene.write(*(w.distributed(phone=p) for w, p in ((ada, "7"), (ben, "123"), (cyd, "8"))))
        assert len(scene.people("lead", ada)) == len(scene.people("lead", cyd)) == 1
        assert scene.people("lead", ben) == []
        report = await scene.hear(DeliveryReported, lambda m: m.outcome == "parked")
        assert report.prospect_id == ben.prospect
        assert report.reason
        row = await scene.error(lambda row: row["prospect_id"] == ben.prospect)
        assert (row["object"], row["direction"], bool(row["reason"])) == ("lead", "to_crm", True)
        assert row["since"]

        tries = scene.crm.refused_rows  # not for ever by itself: others are written, this one is not tried
        dan = scene.somebody("dan")
        await scene.write(dan.distributed())
        assert scene.crm.refused_rows == tries

        await scene.write(ben.distributed("d-2", at=1, phone="9"))  # corrected at its source
        assert scene.one("lead", ben)["phone"] == "9"
        await scene.no_errors()

    async def test_a_parked_row_follows_when_it_is_sent_again(self, scene: Scene) -> None:
        await scene.connect()
        people = [scene.somebody(name) for name in ("ada", "ben", "cyd")]
        scene.crm.refuse("lead", "phone", "123")
        await scene.write(*(who.distributed(phone="123") for who in people))
        rows = {row["prospect_id"]: row for row in await scene.errors()}
        assert rows.keys() == {who.prospect for who in people}
        scene.crm.accept()
        await scene.send_again(rows[people[0].prospect]["id"])
        await until(lambda: scene.people("lead", people[0]), "the one that was named")
        await scene.settled(people[0])
        assert len(await scene.errors()) == 2
        await scene.send_again()
        await until(lambda: all(scene.people("lead", who) for who in people), "all of them")
        await scene.no_errors()

    async def test_a_parked_row_follows_when_the_settings_change(self, scene: Scene) -> None:
        await scene.connect(default_last_name=None)
        ada = scene.somebody()
        await scene.write(ada.distributed(company="Analytical Engines Ltd"))
        assert scene.people("lead", ada) == []
        await scene.save(default_last_name="Unknown")
        await until(lambda: scene.people("lead", ada), "the lead is written")

    async def test_a_session_that_has_expired_is_renewed_once_whoever_notices(self, scene: Scene) -> None:
        await scene.connect()
        first = scene.somebody()
        await scene.write(first.distributed())
        people = [scene.somebody(f"p{number}") for number in range(30)]
        logins = scene.crm.logins
        scene.crm.misbehave("expire_session", times=1)
        await scene.write(*(who.distributed() for who in people))
        for who in people:
            scene.one("lead", who)
        assert scene.crm.logins <= logins + scene.crm.sessions

    async def test_one_refused_login_pauses_the_connection_until_the_password_is_corrected(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.distributed())
        scene.crm.change_password("new password")
        await scene.tell(ben.distributed())

        async def paused() -> bool:
            return bool((await scene.health())["state"] == "refused")

        await until(paused, "the connection pauses")
        assert (await scene.health())["reason"]
        await scene.tell(ben.active(activity(), connections=[scene.id_of()]))
        assert scene.crm.refused_logins == 1
        assert scene.people("lead", ben) == []
        await scene.save(**scene.crm.settings(password="new password"))
        await until(lambda: scene.people("lead", ben), "what was kept is delivered")
        await scene.settled(ben)
        assert len(scene.subjects(scene.one("lead", ben)["id"])) == 1
        assert (await scene.health())["state"] == "well"
