"""Promises about opt-outs: none is lost, none is taken back by chance."""

from leadbus.messages import SubscriptionChanged
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until


class Consent(Promises):
    """See the module."""

    async def test_an_opt_out_is_written_to_the_record_there_is(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        await scene.write(ada.qualified(activity()))
        await scene.write(ada.said("opted_out"))
        assert scene.one("lead", ada)["opted_out"] is True

    async def test_nobody_is_opted_in_whose_state_we_do_not_know(self, scene: Scene) -> None:
        await scene.connect(
            marketing_automation={"field_updates": True}, lead_distribution={"field_updates": True}
        )
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.put("lead", email=ada.email, last_name="Lovelace", opted_out=True)
        scene.crm.put("contact", email=ben.email, last_name="Babbage", opted_out=True)
        for who in (ada, ben):
            await scene.write(who.distributed(phone="1"), who.qualified(activity(), at=1, phone="2"))
        assert scene.one("lead", ada)["opted_out"] is True
        assert scene.one("contact", ben)["opted_out"] is True
        assert scene.one("lead", ada)["phone"] == "2"

    async def test_an_opt_out_of_somebody_without_a_record_is_kept_until_there_is_one(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.tell(ada.said("opted_out"))
        await scene.tell(ada.distributed(at=5, last_name="Lovelace"))
        await scene.settled(ada)
        assert scene.one("lead", ada)["opted_out"] is True

    async def test_an_opt_out_in_one_crm_reaches_the_tenants_other_connection(self, scene: Scene) -> None:
        other = await scene.another(self.new_crm())
        await scene.connect(reads=["lead"])
        await scene.connect("two", crm=other)
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        await scene.sync("lead")
        scene.crm.change("lead", scene.one("lead", ada)["id"], opted_out=True)
        await scene.sync("lead")
        told = await scene.hear(SubscriptionChanged)
        assert (told.status, told.connection_id, told.prospect_id) == (
            "opted_out",
            scene.id_of(),
            ada.prospect,
        )
        await until(lambda: scene.one("lead", ada, other)["opted_out"], "the other CRM hears of it")

    async def test_an_opt_in_counts_only_if_it_is_later_and_said_by_the_person(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"), ada.said("opted_out", at=10))
        await scene.write(ada.said("opted_in", at=5))  # earlier
        assert scene.one("lead", ada)["opted_out"] is True
        await scene.write(ada.said("opted_in", at=20, explicit=False))  # by somebody
        assert scene.one("lead", ada)["opted_out"] is True
        await scene.write(ada.said("opted_in", at=30))
        assert scene.one("lead", ada)["opted_out"] is False
