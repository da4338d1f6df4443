"""Promises about lead statuses in the tenant's own words, and about accepting and rejecting leads."""

from typing import Any

from leadbus.messages import (
    ContactChanged,
    CrmActivityChanged,
    LeadAnswered,
    LeadStatusChanged,
)
from leadbus.security.answer_links import PATH
from leadbus.testing.house import FEEDBACK_URL
from leadbus.testing.mailbox import text_of
from leadbus.testing.mailing import mail_to
from leadbus.testing.promises import Promises
from leadbus.testing.reading import PARENT, TRACE
from leadbus.testing.scene import Scene
from leadbus.testing.writing import KNOWN


class Answers(Promises):
    """See the module."""

    async def test_a_status_said_here_is_written_in_the_crms_word_and_one_set_there_comes_back_in_ours(
        self, scene: Scene
    ) -> None:
        words = scene.crm.words
        statuses = [("Working", words.statuses[1]), ("Lost", words.closed)]
        await scene.connect(reads=["lead"], statuses=[_mapped(*pair) for pair in statuses])
        ada = scene.somebody()
        await scene.write(ada.updated(lead_status="working"))  # before there is a record
        await scene.write(ada.distributed("d-17", at=1, **KNOWN))
        lead = scene.one("lead", ada)
        assert lead["status"] == words.statuses[1]
        await scene.write(ada.updated(at=5, lead_status="Lost"))
        assert scene.one("lead", ada)["status"] == words.closed
        await scene.sync("lead")
        assert scene.heard(LeadStatusChanged) == []  # our own doing is no news
        scene.crm.change("lead", lead["id"], status=words.statuses[1])
        await scene.sync("lead")
        told = await scene.hear(LeadStatusChanged)
        assert (told.status, told.lead_status) == (words.statuses[1], "Working")
        assert told.previous_status == words.closed
        await scene.write(ada.updated(at=6, lead_status="Lost"))  # said before the salesperson's
        assert scene.one("lead", ada)["status"] == words.statuses[1]

    async def test_a_distributed_lead_is_accepted_or_rejected_in_the_crm_by_its_status(
        self, scene: Scene
    ) -> None:
        accepts, rejects = scene.crm.words.statuses[1], scene.crm.words.closed
        statuses = [
            _mapped("Accepted", accepts, answer="accepted"),
            _mapped("Rejected", rejects, answer="rejected"),
        ]
        await scene.connect(reads=["lead"], statuses=statuses)
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.distributed("d-1"), ben.distributed("d-3"), traceparent=PARENT)
        await scene.write(ada.distributed("d-2", supplier="initech", at=1))
        await scene.write(ben.updated(at=2, lead_status="accepted"))  # said here, it is nobody's answer
        await scene.sync("lead")
        scene.crm.change("lead", scene.one("lead", ada)["id"], status=accepts)
        scene.crm.change("lead", scene.one("lead", ben)["id"], status=rejects)
        await scene.sync("lead")
        await scene.hear(LeadAnswered, lambda m: m.distribution_id == "d-3")
        assert {(m.prospect_id, m.supplier_id, m.distribution_id, m.answer) for m in _answers(scene)} == {
            (ada.prospect, "globex", "d-1", "accepted"),
            (ada.prospect, "initech", "d-2", "accepted"),
            (ben.prospect, "globex", "d-3", "rejected"),
        }
        assert {(m.by, m.connection_id, m.lead_trace_id) for m in _answers(scene)} == {
            ("crm", scene.id_of(), TRACE)
        }
        assert {m.lead_status for m in scene.heard(LeadStatusChanged)} == {"Accepted", "Rejected"}
        await scene.sync("lead", full=True)
        assert len(scene.heard(LeadAnswered)) == 3

    async def test_what_is_said_here_came_from_nobody_there_though_two_connections_lead_to_the_record(
        self, scene: Scene
    ) -> None:
        accepts = scene.crm.words.statuses[1]
        statuses = [_mapped("Accepted", accepts, answer="accepted")]
        for name in ("one", "two"):
            await scene.connect(
                name, reads=["lead"], statuses=statuses, lead_distribution={"field_updates": True}
            )
        ada = scene.somebody()
        await scene.write(ada.distributed("d-1", **KNOWN))
        for name in ("one", "two"):
            await scene.sync("lead", name=name)
        await scene.write(ada.updated(at=5, lead_status="Accepted"), ada.distributed("d-2", at=6, phone="2"))
        lead = scene.one("lead", ada)
        assert (lead["status"], lead["phone"]) == (accepts, "2")
        for name in ("one", "two"):
            await scene.sync("lead", name=name)
        assert (scene.heard(LeadStatusChanged), _answers(scene)) == ([], [])
        assert [m for m in scene.heard(ContactChanged) if m.changed_fields] == []

    async def test_a_distributed_lead_is_accepted_or_rejected_in_the_crm_by_a_field(
        self, scene: Scene
    ) -> None:
        field = scene.crm.words.spare_field
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.put("lead", email=ben.email, last_name="Babbage", **{field: "Yes"})
        says = {"crm_field": field, "accepted": "Yes", "rejected": "No"}
        await scene.connect(reads=["lead"], answer_field=says)
        await scene.write(ada.distributed("d-1", **KNOWN), ben.distributed("d-2"))
        await scene.sync("lead")
        assert _answers(scene) == []
        scene.crm.change("lead", scene.one("lead", ada)["id"], **{field: "Yes"})
        scene.crm.change("lead", scene.one("lead", ben)["id"], **{field: "No"})
        await scene.sync("lead")
        accepted = await scene.hear(LeadAnswered, ada.concerns)
        rejected = await scene.hear(LeadAnswered, ben.concerns)
        assert (accepted.distribution_id, accepted.answer) == ("d-1", "accepted")
        assert (rejected.distribution_id, rejected.answer) == ("d-2", "rejected")
        assert len(_answers(scene)) == 2

    async def test_what_changes_on_a_distributed_lead_names_its_supplier_and_distribution(
        self, scene: Scene
    ) -> None:
        field = scene.crm.words.spare_field
        mapped = [{"of": "lead", "field": "custom.segment", "crm_field": field}]
        await scene.connect(reads=["lead", "activity"], fields=mapped)
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", supplier="initech", **KNOWN), traceparent=PARENT)
        await scene.sync("lead")
        lead = scene.one("lead", ada)["id"]
        scene.crm.change("lead", lead, phone="2", **{field: "enterprise"})
        scene.crm.put("activity", type="task", subject="Call her back", status="In Progress", about=lead)
        await scene.sync("lead", "activity")
        changed = await scene.hear(ContactChanged, lambda m: m.fields.phone == "2")
        assert changed.fields.custom == {"segment": "enterprise"}
        assert changed.changed_fields == ["custom.segment", "phone"]  # whatever else the CRM knows
        did = await scene.hear(CrmActivityChanged)
        for told in (changed, did):
            assert [(o.supplier_id, o.distribution_id) for o in told.origins] == [("initech", "d-17")]
            assert told.lead_trace_id == TRACE

    async def test_a_status_that_the_crm_does_not_offer_is_found_with_the_steps_to_add_it(
        self, scene: Scene
    ) -> None:
        offered = scene.crm.words.statuses[1]
        await scene.save(statuses=[_mapped("Good", offered), _mapped("Bad", "Never heard of")])
        answer = await scene.turn("test")
        (found,) = [finding for finding in answer["findings"] if not finding["ok"]]
        assert "Never heard of" in found["what"]
        assert "Never heard of" in found["advice"]
        await scene.save(statuses=[_mapped("Good", offered)])
        assert (await scene.turn("test"))["ok"]

    async def test_the_mail_of_a_distribution_says_how_to_answer_and_the_crm_is_written_without_one(
        self, scene: Scene
    ) -> None:
        owner = f"owner@{scene.tenant}.example"
        await scene.connect(default_owners=[owner], answer_by="email")
        ada, ben = scene.somebody(), scene.somebody("ben")
        await scene.write(ada.distributed("d-1", **KNOWN), ben.qualified(score=71, **KNOWN))
        scene.one("lead", ada)  # written, though nobody has answered
        found = text_of(await mail_to(scene, owner, ada.email))
        assert "Please accept or reject this lead:" in found
        assert found.count(f"{FEEDBACK_URL}{PATH}/") == 2
        assert PATH not in text_of(await mail_to(scene, owner, ben.email))


def _mapped(ours: str, theirs: str, **how: Any) -> dict[str, Any]:
    return {"ours": ours, "theirs": theirs, **how}


def _answers(scene: Scene) -> list[LeadAnswered]:
    return scene.heard(LeadAnswered)
