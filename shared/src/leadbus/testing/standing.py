"""Promises about what a person is, prospect or client, and whose: here and in the CRM alike."""

from leadbus.messages import ContactChanged, DeliveryReported, OpportunityChanged
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises, needs
from leadbus.testing.reading import PARENT, TRACE
from leadbus.testing.scene import Scene
from leadbus.testing.writing import KNOWN


class Standing(Promises):
    """See the module."""

    async def test_whoever_becomes_a_client_here_becomes_a_contact_there(self, scene: Scene) -> None:
        needs(scene, "converting")
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", **KNOWN), traceparent=PARENT)
        await scene.write(ada.qualified(activity()), traceparent=PARENT)
        lead = scene.one("lead", ada)["id"]
        await scene.write(ada.updated(at=5, state="client"))
        contact = scene.one("contact", ada)
        assert contact["last_name"] == KNOWN["last_name"]
        assert [row["name"] for row in scene.crm.rows("account")] == [KNOWN["company"]]
        told = await scene.hear(
            DeliveryReported, lambda m: m.record == scene.crm.record("contact", contact["id"])
        )
        assert (told.lead_trace_id, [o.distribution_id for o in told.origins]) == (TRACE, ["d-17"])
        await scene.write(ada.active(activity("web_view", "Prices"), at=6))
        assert sum("Prices" in subject for subject in scene.subjects(contact["id"])) == 1
        await scene.sync("lead", "contact")
        assert scene.heard(ContactChanged) == []  # our own doing is no news
        await scene.write(ada.updated(at=7, state="client"))
        assert scene.one("contact", ada)["id"] == contact["id"]
        assert scene.row("lead", lead)["deleted"] or len(scene.crm.rows("contact")) == 1

    async def test_a_lead_that_is_there_already_is_converted_without_a_right_to_create_one(
        self, scene: Scene
    ) -> None:
        needs(scene, "converting")
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        account = scene.crm.put("account", name="Engines Ltd")
        scene.crm.put("lead", email=ada.email, last_name="Lovelace", company="Engines Ltd")
        known = scene.crm.put("contact", email=ben.email, last_name="Babbage")
        scene.crm.put("lead", email=ben.email, last_name="Babbage", company="Difference Ltd")
        await scene.write(ada.updated(state="client"), ben.updated(state="client"))
        assert scene.one("contact", ada)["account"] == account
        assert scene.one("contact", ben)["id"] == known

    async def test_a_conversion_whose_answer_is_lost_makes_one_contact(self, scene: Scene) -> None:
        needs(scene, "converting")
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.write(ada.updated(at=5, state="client"))
        scene.one("contact", ada)
        assert not (await scene.delivery(ada))["parked"]

    async def test_a_client_without_a_record_becomes_a_contact_and_a_prospect_a_lead(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.updated(state="client"), ben.updated(state="prospect"))
        for who in (ada, ben):
            await scene.write(who.distributed(at=1, **KNOWN))
        scene.one("contact", ada)
        scene.one("lead", ben)
        assert scene.people("lead", ada) == scene.people("contact", ben) == []

    async def test_a_contact_stays_one_and_whoever_wants_a_lead_is_told_so(self, scene: Scene) -> None:
        await scene.connect(record_as="contact", marketing_automation={"field_updates": True})
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        back = ada.updated(at=5, state="prospect", fields={"phone": "2"})
        await scene.write(back)
        contact = scene.one("contact", ada)
        assert contact["phone"] == "2"  # the rest of it is written all the same
        told = await scene.hear(DeliveryReported, lambda m: m.reason is not None)
        assert "contact" in (told.reason or "")
        row = await scene.error(lambda row: row["prospect_id"] == ada.prospect)
        assert (row["object"], row["blocking"]) == ("contact", False)
        await scene.write(ada.qualified(activity("web_view", "Prices"), at=6))
        assert sum("Prices" in subject for subject in scene.subjects(contact["id"])) == 1
        await scene.write(ada.updated(at=7, state="client"))
        await scene.no_errors()

    async def test_a_lead_that_is_converted_by_hand_is_followed_to_its_contact(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact", "opportunity"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", **KNOWN), traceparent=PARENT)
        await scene.sync("lead")
        contact = scene.crm.convert(scene.one("lead", ada)["id"])
        await scene.write(ada.active(activity("web_view", "Prices"), at=6))
        assert sum("Prices" in subject for subject in scene.subjects(contact)) == 1
        await scene.sync("lead", "contact")
        told = await scene.hear(ContactChanged, lambda m: m.state == "client")
        assert (told.prospect_id, told.lead_trace_id) == (ada.prospect, TRACE)
        scene.crm.put(
            "opportunity", name="200 engines", stage=scene.crm.words.stages[0], contact=contact, amount="1"
        )
        await scene.sync("opportunity")
        deal = await scene.hear(OpportunityChanged)
        assert (deal.prospect_id, deal.lead_trace_id) == (ada.prospect, TRACE)
        assert [origin.distribution_id for origin in deal.origins] == ["d-17"]

    async def test_the_owner_is_the_user_of_equal_email_else_the_main_user(self, scene: Scene) -> None:
        grace, ida = (f"{name}@{scene.tenant}.example" for name in ("grace", "ida"))
        users = {email: scene.crm.put("user", name=f"User {email}", email=email) for email in (grace, ida)}
        await scene.connect(reads=["user"], main_user=ida, marketing_automation={"field_updates": True})
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(
            ada.updated(owner_email=grace.upper()), ben.updated(owner_email="nobody@example.com")
        )
        for who in (ada, ben):
            await scene.write(who.distributed(at=1, **KNOWN))
        assert [scene.one("lead", who)["owner"] for who in (ada, ben)] == [users[grace], users[ida]]
        await scene.write(ada.updated(at=5, owner_email=ida))
        assert scene.one("lead", ada)["owner"] == users[ida]
