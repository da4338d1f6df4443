"""What goes wrong between two steps, or comes in an odd order: states, notes, stand-ins."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient
from zoho_harness.crm import ZohoUnderTest

from leadbus.connector.link import record_id
from leadbus.connector.stores.mirror import ANY, CONVERTED, EMAIL, Mirror
from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    DeliveryReported,
    SubscriptionChanged,
    Task,
)
from leadbus.testing.facts import Somebody, activity
from leadbus.testing.house import House
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until
from leadbus.testing.writing import KNOWN
from sandbox.servers import MongoDB


class TestAgainstTheGrain(Promises):
    """Over Zoho, whose ids are its own and whose leads can be converted."""

    def new_crm(self) -> ZohoUnderTest:
        return ZohoUnderTest()

    @pytest.fixture
    async def kept(self, house: House, mongodb: MongoDB, scene: Scene) -> Any:
        """The mirror's rows that were written and never read."""
        async with AsyncMongoClient[dict[str, Any]](mongodb.url) as client:
            mirror = client[house._database][f"{house.name}.mirror"]

            async def look() -> list[dict[str, Any]]:
                wanted = {"connection_id": scene.id_of(), "kind": None}
                return [row["record"] async for row in mirror.find(wanted)]

            yield look

    async def test_a_conversion_by_hand_is_news_after_the_crm_refused_ours(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.sync("lead")
        scene.crm.refuse("contact", "phone", KNOWN["phone"])
        await scene.write(ada.updated(at=5, state="client"))
        assert scene.people("contact", ada) == []
        scene.crm.accept()
        lead = scene.one("lead", ada)["id"]
        contact = scene.crm.convert(lead)
        await scene.sync("lead", "contact")
        told = await scene.hear(ContactChanged, lambda m: m.converted_to is not None)
        assert (told.prospect_id, told.converted_to) == (ada.prospect, scene.crm.record("contact", contact))

    async def test_a_state_that_the_crm_cannot_follow_stays_in_the_report_while_other_things_are_written(
        self, scene: Scene
    ) -> None:
        await scene.connect(record_as="contact", marketing_automation={"field_updates": True})
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.write(ada.updated(at=5, state="prospect"))
        await scene.error(lambda row: row["prospect_id"] == ada.prospect)
        await scene.write(ada.updated(at=6, fields={"phone": "3"}))
        assert scene.one("contact", ada)["phone"] == "3"
        await scene.error(lambda row: row["prospect_id"] == ada.prospect)
        await scene.write(ada.updated(at=7, state="prospect"))
        told = [m for m in scene.heard(DeliveryReported) if m.reason]
        assert len(told) == 1

    async def test_a_client_who_is_known_before_its_lead_is_converted_once_it_is_matched(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.updated(state="client"))
        scene.crm.put("lead", email=ada.email, last_name="Lovelace", company="Engines Ltd")
        await scene.write(ada.distributed(at=1, **KNOWN))
        scene.one("contact", ada)

    async def test_whoever_becomes_a_client_while_a_create_is_in_doubt_becomes_a_contact(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        scene.crm.misbehave("error", of="writes")
        await scene.tell(ada.distributed(**KNOWN))
        await until(lambda: scene.crm.writes > 0, "a create that fails")
        await scene.tell(ada.updated(at=5, state="client"))
        scene.crm.behave()
        await scene.settled(ada)
        scene.one("contact", ada)

    async def test_a_converted_lead_whose_contact_was_deleted_holds_up_nobody(self, scene: Scene) -> None:
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.distributed(**KNOWN), ben.distributed(**KNOWN))
        contact = scene.crm.convert(scene.one("lead", ada)["id"])
        scene.crm.delete("contact", contact)
        await scene.tell(
            ada.updated(at=5, state="client"),
            ben.updated(at=5, state="client"),
        )
        await scene.settled(ben)
        await scene.settled(ada)
        scene.one("contact", ben)
        assert (await scene.health())["state"] == "well"
        await scene.write(ada.distributed("d-2", at=9, **KNOWN))
        scene.one("contact", ada)

    async def test_a_note_whose_answer_was_lost_is_one_note_though_the_lead_is_a_contact_by_now(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.qualified(activity(), **KNOWN))
        lead = scene.one("lead", ada)["id"]
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.tell(ada.active(activity("web_view", "Prices")))
        await until(lambda: len(scene.subjects(lead)) == 2, "the note is written")
        contact = scene.crm.convert(lead)
        await scene.settled(ada)
        assert sum("Prices" in subject for subject in scene.subjects(contact)) == 1

    async def test_lost_answers_leave_nothing_that_hides_what_salespeople_do(
        self, scene: Scene, kept: Any
    ) -> None:
        await scene.connect(reads=["lead", "contact", "activity"])
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        lead = scene.one("lead", ada)["id"]
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.write(ada.asked_for(at=5, task=Task(kind="task", subject="Call back")))
        assert scene.subjects(lead, "task") == ["Call back"]
        await scene.sync("lead", "contact", "activity")
        assert scene.heard(CrmActivityChanged) == []
        scene.crm.put("activity", type="task", subject="Call back", about=lead)
        await scene.sync("activity")
        await scene.hear(CrmActivityChanged, within=5)

        scene.crm.misbehave("lose_reply", of="writes", times=1)
        await scene.write(ada.updated(at=6, state="client"))
        contact = scene.one("contact", ada)["id"]
        known = {row["id"] for kind in ("lead", "contact", "activity") for row in scene.crm.rows(kind)}
        known |= {row["id"] for row in scene.crm.activities_of(contact)}
        assert [record for record in await kept() if record["id"] not in known] == []

    async def test_an_opt_out_that_only_the_lead_has_goes_with_it_to_the_contact(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Lovelace", company="Engines Ltd", opted_out=True)
        known = scene.crm.put("contact", email=ada.email, last_name="Lovelace", opted_out=False)
        await scene.write(ada.updated(state="client"))
        contact = scene.one("contact", ada)
        assert (contact["id"], contact["opted_out"]) == (known, True)

    async def test_an_opt_out_of_ours_is_no_news_when_the_lead_is_a_contact(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.write(ada.said("opted_out", at=3))
        await scene.sync("lead")
        await scene.write(ada.updated(at=5, state="client"))
        assert scene.one("contact", ada)["opted_out"]
        await scene.sync("lead", "contact")
        assert scene.heard(SubscriptionChanged) == []
        assert scene.heard(ContactChanged) == []

    async def test_whoever_is_entered_by_hand_after_a_refused_create_is_news(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        scene.crm.refuse("lead", "phone", KNOWN["phone"])
        await scene.write(ada.distributed(**KNOWN))
        assert scene.people("lead", ada) == []
        scene.crm.accept()
        scene.crm.put("lead", email=ada.email, status=scene.crm.words.statuses[0], **KNOWN)
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, within=5)
        assert told.prospect_id == ada.prospect

    async def test_nobody_is_told_to_be_gone_who_was_read_before_the_create_was_answered(
        self, scene: Scene
    ) -> None:
        await scene.connect(reads=["lead"])
        ada, new = scene.somebody(), scene.somebody("new")  # one prospect, whose email was another before
        faults = scene.crm.zoho.faults  # type: ignore[attr-defined]
        scene.crm.misbehave("lose_reply", of="writes", times=1)
        fact = new.distributed(**KNOWN).model_copy(update={"prospect_id": ada.prospect})
        looking = faults.add("error", operation="coql", skip=2)
        await scene.tell(fact)
        await until(lambda: scene.people("lead", new), "the lead is made")
        await scene.sync("lead")
        faults.remove(looking)
        await scene.settled(ada)
        scene.crm.change("lead", scene.one("lead", new)["id"], phone="9")
        await scene.sync("lead")
        told = await scene.hear(ContactChanged)
        assert [(m.prospect_id, m.deleted) for m in scene.heard(ContactChanged)] == [(ada.prospect, False)], (
            told
        )

    async def test_a_refusal_is_told_though_the_note_beside_it_failed_at_first(self, scene: Scene) -> None:
        await scene.connect(record_as="contact")
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.turn("off")  # so that both are worked off together
        await scene.tell(ada.updated(at=5, state="prospect"), ada.active(activity("web_view"), at=6))
        scene.crm.misbehave("error", of="writes", times=1)
        await scene.turn("on")
        await scene.settled(ada)
        assert len(scene.subjects(scene.one("contact", ada)["id"])) == 1
        await scene.error(lambda row: row["prospect_id"] == ada.prospect)
        assert len([m for m in scene.heard(DeliveryReported) if m.reason]) == 1

    async def test_a_contact_that_is_read_before_its_lead_is_no_news_while_the_conversion_is_under_way(
        self, house: House, mongodb: MongoDB, scene: Scene
    ) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.sync("lead")
        lead = scene.one("lead", ada)["id"]
        async with AsyncMongoClient[dict[str, Any]](mongodb.url) as client:
            database = client[house._database]
            link = await database[f"{house.name}.links"].find_one(
                {"record.id": lead, "tenant_id": scene.tenant}
            )
            assert link is not None
            stand_in = record_id(link["organisation_id"], link["team_scope"], ada.email, 0)
            meant = {
                scene.crm.record("lead", lead): {CONVERTED: ANY},
                scene.crm.record("contact", stand_in): {EMAIL: ada.email},
            }
            await Mirror(client, house._database, house.name).intend(scene.id_of(), meant)
        scene.crm.convert(lead)
        await scene.sync("contact")
        await scene.sync("lead")
        await scene.sync("contact", full=True)
        assert scene.heard(ContactChanged) == []

    async def test_the_email_of_whoever_was_converted_changes_at_the_contact(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada, new = scene.somebody(), scene.somebody("new")
        await scene.write(ada.distributed(**KNOWN))
        fact = new.updated(at=5, previous_email=ada.email, state="client")
        await scene.write(fact.model_copy(update={"prospect_id": ada.prospect}))
        assert scene.people("contact", ada) == []
        scene.one("contact", new)
        await scene.sync("lead", "contact", full=True)
        assert scene.heard(ContactChanged) == []

    async def test_two_tenants_of_one_organisation_follow_one_person_to_the_contact(
        self, scene: Scene
    ) -> None:
        await scene.connect(reads=["lead", "contact"])
        other = Scene(scene.house, scene.crm)
        await other.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        same = Somebody(other.tenant, ada.email, other.id_of())
        await scene.write(ada.distributed(**KNOWN))
        await other.write(same.distributed(**KNOWN))
        await scene.write(ada.updated(at=5, state="client"))
        contact = scene.one("contact", ada)["id"]
        await other.write(same.active(activity("web_view", "Prices"), at=6))
        assert sum("Prices" in subject for subject in scene.subjects(contact)) == 1
        await scene.sync("lead", "contact")
        await other.sync("lead", "contact")
        assert scene.heard(ContactChanged) == []
        told = await other.hear(ContactChanged, lambda m: m.state == "client")
        assert told.prospect_id == same.prospect
        assert not any(m.deleted for m in other.heard(ContactChanged))
        await other.turn("off")

    async def test_whose_contact_was_deleted_has_no_record_until_a_new_distribution_makes_one(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        lead = scene.one("lead", ada)["id"]
        scene.crm.delete("contact", scene.crm.convert(lead))
        await scene.write(ada.active(activity("web_view", "Prices"), at=3))
        assert scene.subjects(lead) == []
        await scene.write(ada.distributed("d-2", at=9, **KNOWN))
        assert [row["id"] for row in scene.people("lead", ada)][1:] != []
        assert [m.outcome for m in scene.heard(DeliveryReported)] == ["created", "unlinked", "created"]

    async def test_a_conversion_that_the_crm_refuses_keeps_nothing_else_waiting(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        await scene.sync("lead")
        lead = scene.one("lead", ada)["id"]
        scene.crm.refuse("contact", "phone", KNOWN["phone"])
        await scene.turn("off")  # so that both are worked off together
        await scene.tell(ada.updated(at=5, state="client"), ada.active(activity("web_view", "Prices"), at=6))
        scene.crm.misbehave("error", of="writes", skip=1, times=1)
        await scene.turn("on")
        await until(lambda: scene.subjects(lead), "the note is written")
        await scene.settled(ada)
        row = await scene.error(lambda row: row["prospect_id"] == ada.prospect)
        assert (row["object"], row["blocking"]) == ("lead", False)
        scene.crm.behave()
        scene.crm.change("lead", lead, phone="9")  # corrected where it was refused
        await scene.sync("lead")
        await until(lambda: scene.people("contact", ada), "the contact")
        await scene.settled(ada)
        await scene.no_errors()
