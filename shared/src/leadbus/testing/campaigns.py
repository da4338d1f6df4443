"""Promises about campaigns: made once at the chosen level, kept up to date, and who takes part is in them."""

from datetime import date
from decimal import Decimal
from typing import Any

from leadbus.messages import CrmListChanged
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

FULL: dict[str, Any] = {
    "status": "active",
    "description": "Engines at the fair",
    "starts_on": date(2026, 5, 1),
    "ends_on": date(2026, 5, 31),
    "budget": "1200.00",
    "currency": "EUR",
}


class Campaigns(Promises):
    """See the module."""

    async def test_a_campaign_is_made_at_the_chosen_level_and_kept_up_to_date_whoever_changes_it(
        self, scene: Scene
    ) -> None:
        needs(scene, "campaigns")
        await scene.connect()
        writes = scene.crm.writes
        await scene.tell(
            scene.campaign("Fair of May", **FULL), scene.campaign("Not for the CRM", "c-2", sync=False)
        )
        assert (scene.crm.campaigns(), scene.crm.writes) == ([], writes)
        await scene.save(campaigns="name")
        row = await scene.made("Fair of May")
        assert (row["description"] or None, row["budget"] or None) == (None, None)
        await scene.tell(scene.campaign("Fair of June", at=20, **FULL))
        await scene.made("Fair of June")
        await scene.tell(scene.campaign("Fair of April", at=10, **FULL))  # older than what is known
        await scene.save(campaigns="full")
        await until(lambda: scene.crm.campaigns()[0]["budget"], "the level is raised")
        row = await scene.made("Fair of June")
        assert {name: row[name] for name in FULL if name not in ("budget", "currency")} == {
            name: value for name, value in FULL.items() if name not in ("budget", "currency")
        }
        assert row["budget"] == Decimal(FULL["budget"])
        ended = FULL | {"status": "completed", "supplier_id": "initech"}
        await scene.tell(scene.campaign("Fair of June", at=30, **ended))
        await until(lambda: scene.crm.campaigns()[0]["status"] == "completed", "another one's change")
        assert len(scene.crm.campaigns()) == 1

    async def test_who_takes_part_is_put_in_a_campaign_as_soon_as_both_are_there(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="name", reads=["list"])
        ada, ben, cyd = (scene.somebody(name) for name in ("ada", "ben", "cyd"))
        await scene.write(
            ada.distributed(last_name="Lovelace"),
            ada.takes_part(),
            ben.takes_part(response="Responded"),
            cyd.distributed(last_name="Menabrea"),
            cyd.takes_part(member=False),
        )
        await scene.tell(scene.campaign("Fair of May"))
        await scene.has_members("Fair of May", ada)
        await scene.write(ben.distributed(last_name="Babbage"))
        responses = await scene.has_members("Fair of May", ada, ben)
        if "responses" not in scene.crm.lacks:
            assert responses[ben.email] == "Responded"
        history = str((await scene.delivery(ada))["history"])
        assert "put in campaign Fair of May" in history, history
        shown = (await scene.campaigns())["Fair of May"]
        assert (shown["members"], shown["refused"], bool(shown["url"])) == (2, None, True)
        await scene.write(ada.takes_part(member=False, at=5))
        await scene.has_members("Fair of May", ben)
        await scene.sync("list")
        assert scene.heard(CrmListChanged) == []  # our own doing is no news

    async def test_a_campaign_whose_answer_is_lost_is_made_once(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="full")
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"), ada.takes_part())
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.tell(scene.campaign("Fair of May", **FULL))
        await scene.has_members("Fair of May", ada)
        assert len(scene.crm.campaigns()) == 1

    async def test_a_campaign_is_made_once_though_the_service_ends_in_the_middle(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="name")
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"), ada.takes_part())
        scene.crm.misbehave("lose_reply", of="writes")
        await scene.tell(scene.campaign("Fair of May"))
        await scene.made("Fair of May")
        await scene.house.close()
        scene.crm.behave()
        await scene.house.open()
        await scene.has_members("Fair of May", ada)
        assert len(scene.crm.campaigns()) == 1

    async def test_a_campaign_that_somebody_deletes_in_the_crm_is_left_alone_and_said(
        self, scene: Scene
    ) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="name")
        await scene.tell(scene.campaign("Fair of May"))
        await scene.made("Fair of May")
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        scene.crm.delete_campaign("Fair of May")
        await scene.write(scene.campaign("Fair of June", at=10), ada.takes_part())
        row = await scene.error(lambda row: row["object"] == "campaign")
        assert "deleted" in row["reason"]
        assert not row["blocking"]
        shown = (await scene.campaigns())["Fair of June"]
        assert "deleted" in shown["refused"]
        await scene.settled(ada)
        assert scene.crm.campaigns() == []
        await scene.tell(scene.campaign("Fair of June", at=20, sync=False))
        await scene.no_errors()

    async def test_a_refused_campaign_is_reported_and_tried_again_when_it_changes(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="full")
        scene.crm.refuse_campaign("description", "Too loud")
        await scene.tell(
            scene.campaign("Fair of May", **FULL | {"description": "Too loud"}),
            scene.campaign("Fair of June", "c-2", **FULL),
        )
        await scene.made("Fair of June")
        row = await scene.error(lambda row: row["object"] == "campaign")
        assert "Fair of May" in row["reason"]
        field = None if "named_fields" in scene.crm.lacks else "description"
        assert (row["field"], bool(row["advice"])) == (field, True)
        assert scene.in_crm("Fair of May") is None
        await scene.tell(scene.campaign("Fair of May", at=10, **FULL))
        await scene.made("Fair of May")
        await scene.no_errors()

    async def test_two_connections_of_a_tenant_make_one_campaign_in_one_crm(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        suppliers = ("globex", "initech")
        for supplier in suppliers:
            await scene.connect(supplier, supplier_id=supplier, campaigns="name")
        await scene.tell(scene.campaign("Fair of May"))

        async def both() -> bool:
            shown = [(await scene.campaigns(name)).get("Fair of May", {}) for name in suppliers]
            return len({str(row.get("record")) for row in shown}) == 1 and bool(shown[0].get("record"))

        await until(both, "both know it")
        assert len(scene.crm.campaigns()) == 1

    async def test_two_campaigns_of_one_name_are_never_made_one(self, scene: Scene) -> None:
        needs(scene, "campaigns")
        await scene.connect(campaigns="name")
        await scene.tell(scene.campaign("Fair of May"))
        await scene.made("Fair of May")
        await scene.tell(scene.campaign("FAIR of May", "c-2"))

        async def apart() -> bool:
            refused = [row for row in await scene.errors() if "of this name" in row["reason"]]
            return len(scene.crm.campaigns()) == 2 or bool(refused)

        await until(apart, "two campaigns, or a refusal")
        await scene.tell(scene.campaign("Fair of June", "c-2", at=20))
        await scene.made("Fair of June")
        await scene.made("Fair of May")
        await scene.no_errors()

    async def test_who_becomes_a_contact_stays_in_the_campaign(self, scene: Scene) -> None:
        needs(scene, "campaigns", "converting")
        await scene.connect(campaigns="name")
        ada = scene.somebody()
        await scene.tell(scene.campaign("Fair of May"))
        await scene.write(ada.distributed(last_name="Lovelace", company="Engines Ltd"), ada.takes_part())
        await scene.has_members("Fair of May", ada)
        await scene.write(ada.updated(at=5, state="client"))
        await scene.has_members("Fair of May", ada)
        await scene.write(ada.takes_part(member=False, at=6))
        await scene.has_members("Fair of May")
