"""Promises about the two profiles: what each lets in and out, who gets a lead, and the score."""

from typing import Any

from leadbus.connector.delivering.plan_notes import FIELDS_NOTE
from leadbus.messages import ContactChanged, CrmListChanged, OpportunityChanged, SubscriptionChanged
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

OFF: dict[str, Any] = {"synchronise": False}


def _fields_notes(scene: Scene, record_id: str) -> list[str]:
    """What the notes of a record's fields say."""
    notes = (a for a in scene.crm.activities_of(record_id) if a["type"] == "note")
    return [note["text"] for note in notes if FIELDS_NOTE in note["subject"]]


class Profiles(Promises):
    """See the module."""

    async def test_marketing_that_is_not_synchronised_writes_nothing_and_catches_up(
        self, scene: Scene
    ) -> None:
        await scene.connect(marketing_automation=OFF)
        ada, ben = scene.somebody(), scene.somebody("ben")
        writes = scene.crm.writes
        await scene.write(ada.qualified(activity("web_view", "Prices"), last_name="Lovelace"))
        await scene.write(ada.active(activity("web_view", "Contact")))
        assert (scene.people("lead", ada), scene.crm.writes) == ([], writes)
        await scene.write(ben.distributed(last_name="Babbage"))  # the other profile goes on
        assert scene.one("lead", ben)["last_name"] == "Babbage"
        await scene.save(marketing_automation={"synchronise": True})
        await scene.settled(ada)
        assert len(scene.subjects(scene.one("lead", ada)["id"])) == 2

    async def test_supplier_leads_are_left_out_if_they_are_not_synchronised(self, scene: Scene) -> None:
        await scene.connect(lead_distribution=OFF)
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        assert scene.people("lead", ada) == []
        await scene.write(ada.qualified(activity("web_view", "Prices"), last_name="Lovelace"))
        row = scene.one("lead", ada)
        assert (len(scene.subjects(row["id"])), _fields_notes(scene, row["id"])) == (1, [])

    async def test_a_record_once_synced_stays_synced_when_its_score_falls(self, scene: Scene) -> None:
        await scene.connect(marketing_automation={"field_updates": True})
        ada = scene.somebody()
        await scene.write(ada.qualified(score=60, phone="1"))
        await scene.write(ada.active(activity("web_view", "Prices"), score=12, at=5, phone="2"))
        row = scene.one("lead", ada)
        assert (row["phone"], len(scene.subjects(row["id"]))) == ("2", 1)

    async def test_a_distributed_lead_has_all_its_fields_and_events_whatever_its_score(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        known: dict[str, Any] = {"last_name": "Lovelace", "phone": "+44 20 1"}
        known["custom"] = {"machine": "Analytical"}
        events = [activity("web_view", "Prices"), activity("email_open", "News")]
        await scene.write(ada.distributed(**known), ada.active(*events, score=3))
        row = scene.one("lead", ada)
        assert (row["last_name"], row["phone"], len(scene.subjects(row["id"]))) == ("Lovelace", "+44 20 1", 2)
        (text,) = _fields_notes(scene, row["id"])
        for part in ("Last name: Lovelace", "Phone: +44 20 1", "machine: Analytical", ada.email):
            assert part in text
        await scene.write(ada.distributed("d-2", at=5, phone="+44 20 2"))
        assert len(_fields_notes(scene, row["id"])) == 2
        assert scene.one("lead", ada)["phone"] == "+44 20 1"  # field updates are off

    async def test_without_notes_what_a_distributed_lead_does_becomes_completed_tasks(
        self, scene: Scene
    ) -> None:
        await scene.connect(lead_distribution={"notes": False})
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(
            ada.distributed(last_name="Lovelace"),
            ada.active(activity("web_view", "Prices")),
            ben.qualified(activity("web_view", "Prices")),
        )
        (done,) = scene.crm.activities_of(scene.one("lead", ada)["id"])
        assert (done["type"], "Prices" in done["subject"]) == ("task", True)
        assert done["status"] == "Completed"  # all three call it so
        assert len(scene.subjects(scene.one("lead", ben)["id"])) == 1  # marketing's own are notes

    async def test_a_score_is_written_to_every_linked_record_at_most_hourly(self, scene: Scene) -> None:
        field = scene.crm.words.spare_number
        await scene.connect(score_field=field)
        ada, ben = scene.somebody(), scene.somebody("ben")
        theirs = scene.crm.put("lead", last_name="Babbage", email=ben.email)
        await scene.write(ada.qualified(score=61), ben.distributed(last_name="Babbage"))
        await scene.tell(ben.scored(12))  # below the threshold, and the first that its record is given
        await until(lambda: scene.row("lead", theirs)[field] == 12, "the score is written")
        assert scene.one("lead", ada)[field] == 61
        calls = scene.crm.calls
        await scene.tell(ada.scored(72), ben.scored(9))
        await scene.write(scene.somebody("eve").scored(40))
        assert (scene.one("lead", ada)[field], scene.crm.calls) == (61, calls)  # not within the hour

    async def test_rules_give_leads_their_owner_and_lead_source(self, scene: Scene) -> None:
        grace, ida, main = (f"{name}@{scene.tenant}.example" for name in ("grace", "ida", "main"))
        users = {who: scene.crm.put("user", name=who, email=who) for who in (grace, ida, main)}
        rules = [
            {
                "when": {"country": "Italy"},
                "owner_email": grace,
                "lead_source": "Leadbus",
                "existing": True,
            },
            {"when": {"supplier_id": "initech"}, "owner_email": ida},
        ]
        await scene.connect(reads=["user"], rules=rules, main_user=main)
        ada, ben, cyd, dan, eve = (scene.somebody(name) for name in ("ada", "ben", "cyd", "dan", "eve"))
        for who in (dan, eve):
            scene.crm.put("lead", last_name="Known", email=who.email, owner=users[main])
        await scene.write(
            ada.distributed(last_name="Lovelace", country="italy"),
            ben.distributed(supplier="initech", last_name="Babbage"),
            cyd.distributed(last_name="Menabrea"),
            dan.distributed(last_name="Known", country="Italy"),
            eve.distributed(supplier="initech", last_name="Known"),
        )
        owners = {who.email: scene.one("lead", who)["owner"] for who in (ada, ben, cyd, dan, eve)}
        wanted = [(ada, grace), (ben, ida), (cyd, main), (dan, grace), (eve, main)]
        assert owners == {who.email: users[user] for who, user in wanted}
        fay = scene.somebody("fay")
        sources = [scene.one("lead", who)["lead_source"] == "Leadbus" for who in (ada, dan, eve)]
        assert sources == [True, True, False]
        await scene.write(fay.updated(fields={"country": "Italy"}, sync={"owner_email": ida}))
        assert scene.one("lead", fay)["owner"] == users[ida]  # a sync request counts before any rule

    async def test_people_whom_we_did_not_bring_are_told_only_if_wanted(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"], pull_people=False)
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        ours = scene.one("lead", ada)["id"]
        theirs = f"ben@{scene.tenant}.example"
        key = scene.crm.put("lead", last_name="Babbage", email=theirs, opted_out=True)
        await scene.sync("lead")
        scene.crm.change("lead", ours, phone="555")
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.fields.phone == "555")
        assert told.prospect_id == ada.prospect
        assert {m.email for m in scene.heard(ContactChanged)} == {ada.email}
        assert scene.heard(SubscriptionChanged) == []
        await scene.save(pull_people=True)
        await scene.sync("lead", full=True)
        found = await scene.hear(ContactChanged, lambda m: m.email == theirs)
        assert found.record == scene.crm.record("lead", key)
        await scene.hear(SubscriptionChanged, lambda m: m.email == theirs)

    async def test_opportunities_are_told_by_the_profile_that_brought_their_lead(self, scene: Scene) -> None:
        await scene.connect(
            reads=["contact", "opportunity"],
            lead_distribution={"opportunities": False},
        )
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.distributed(last_name="Lovelace"), ben.qualified(last_name="Babbage"))
        for who in (ada, ben):  # whose leads we brought; the contacts, of equal email, somebody else entered
            contact = scene.crm.put("contact", email=who.email.upper(), last_name="Known")
            facts = {"stage": scene.crm.words.stages[0], "amount": "10", "close_date": "2030-01-01"}
            scene.crm.put("opportunity", name=f"Deal of {who.email}", contact=contact, **facts)
        await scene.sync("contact")
        await scene.sync("opportunity")
        await scene.hear(OpportunityChanged, ben.concerns)
        assert [m for m in scene.heard(OpportunityChanged) if ada.concerns(m)] == []
        await scene.save(
            lead_distribution={"opportunities": True}, marketing_automation={"opportunities": False}
        )
        await scene.sync("opportunity", full=True)
        await scene.hear(OpportunityChanged, ada.concerns)
        assert len(scene.heard(OpportunityChanged)) == 2

    async def test_lists_of_the_crm_are_told_only_if_wanted(self, scene: Scene) -> None:
        await scene.connect(reads=["list"], marketing_automation={"pull_lists": False})
        holds = {"holds": "lead"} if "mixed_lists" in scene.crm.lacks else {}
        scene.crm.put("list", name="Fair of May", **holds)
        await scene.sync("list")
        assert scene.heard(CrmListChanged) == []
        await scene.save(marketing_automation={"pull_lists": True})
        await scene.sync("list", full=True)
        assert (await scene.hear(CrmListChanged)).name == "Fair of May"
