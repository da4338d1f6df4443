"""Promises about what is written: one record for one person, each fact once, the newest one last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadbus.messages import DeliveryReported
from leadbus.testing.facts import activity
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import Scene

KNOWN: dict[str, Any] = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "title": "Countess",
    "company": "Analytical Engines Ltd",
    "phone": "+44 20 7946 0018",
}


class Writing(Promises):
    """See the module."""

    async def test_a_distributed_lead_becomes_one_record_with_its_fields_and_the_lead_source(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        row = scene.one("lead", ada)
        assert {name: row[name] for name in KNOWN} == KNOWN
        assert row["lead_source"] == "Leadbus"
        assert row["status"] == scene.crm.words.statuses[0]
        report = await scene.hear(DeliveryReported, lambda m: m.outcome == "created")
        assert report.kind == "lead"
        assert report.record == scene.crm.record("lead", row["id"])
        assert [o.distribution_id for o in report.origins] == ["d-1"]

    async def test_every_write_carries_the_trace_of_the_lead_it_is_for(self, scene: Scene) -> None:
        await scene.connect()
        ada, ben = scene.somebody(), scene.somebody("ben")
        traces = {who.email: f"{number:032x}" for number, who in enumerate((ada, ben), 0xABC)}
        for who in (ada, ben):
            parent = f"00-{traces[who.email]}-00f067aa0ba902b7-01".encode()
            await scene.tell(who.qualified(activity()), traceparent=parent)
        await scene.settled(ada, ben)
        rows = [scene.one("lead", who) for who in (ada, ben)]
        # One call may write both: it is then in the trace of one of them.
        assert {row["traceparent"].split("-")[1] for row in rows} <= set(traces.values())
        report = await scene.hear(DeliveryReported, lambda m: m.prospect_id == ada.prospect)
        assert report.lead_trace_id == traces[ada.email]

    async def test_the_same_fact_twice_makes_one_record_and_one_note(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        handed_over, acted = ada.distributed(**KNOWN), ada.qualified(activity())
        await scene.write(handed_over, acted)
        await scene.write(handed_over, acted)
        assert len(scene.subjects(scene.one("lead", ada)["id"])) == 1

    async def test_a_newer_value_is_never_overwritten_by_an_older_one(self, scene: Scene) -> None:
        await scene.connect(lead_distribution={"field_updates": True})
        ada, ben = scene.somebody(), scene.somebody("ben")
        for who in (ada, ben):
            await scene.write(who.distributed(at=-5, phone="0"))
        await scene.write(ada.distributed("d-2", at=0, phone="1"))
        await scene.write(ada.distributed("d-3", at=10, phone="2"))
        await scene.write(ben.distributed("d-2", at=10, phone="2"))
        await scene.write(ben.distributed("d-3", at=0, phone="1"))
        assert [scene.one("lead", who)["phone"] for who in (ada, ben)] == ["2", "2"]

    async def test_two_connections_that_write_one_email_at_once_make_one_record(self, scene: Scene) -> None:
        for supplier in ("globex", "initech"):
            await scene.connect(supplier, supplier_id=supplier)
        ada = scene.somebody()
        await scene.write(
            ada.distributed("d-1", supplier="globex"), ada.distributed("d-2", supplier="initech")
        )
        record = scene.crm.record("lead", scene.one("lead", ada)["id"])
        await scene.hear(DeliveryReported, lambda m: m.connection_id == scene.id_of("globex"))
        await scene.hear(DeliveryReported, lambda m: m.connection_id == scene.id_of("initech"))
        assert {(m.connection_id, m.record) for m in scene.heard(DeliveryReported)} == {
            (scene.id_of(supplier), record) for supplier in ("globex", "initech")
        }

    async def test_capital_letters_in_emails_match(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email.upper(), last_name="Lovelace")
        await scene.write(ada.qualified(activity()))
        assert len(scene.subjects(scene.one("lead", ada)["id"])) == 1

    async def test_the_oldest_open_one_of_several_records_is_taken_and_nothing_is_merged(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada, now = scene.somebody(), datetime.now(UTC)
        scene.crm.load(
            "lead",
            [
                {
                    "last_name": f"Lovelace {days}",
                    "email": f"ada.{days}@{scene.tenant}.example",
                    "status": scene.crm.words.closed if days == 9 else scene.crm.words.statuses[1],
                    "changed_at": now - timedelta(days=days),
                }
                for days in (1, 9, 5)
            ],
        )
        for row in scene.crm.rows("lead"):
            scene.crm.change("lead", row["id"], email=ada.email)
        await scene.write(ada.qualified(activity()))
        rows = scene.people("lead", ada)
        notes = {row["last_name"]: len(scene.subjects(row["id"])) for row in rows}
        assert notes == {"Lovelace 1": 0, "Lovelace 9": 0, "Lovelace 5": 1}
        history = str((await scene.delivery(ada))["history"])
        assert "several" in history.lower() or "3 records" in history, history

    async def test_an_existing_record_keeps_its_fields_and_is_given_the_activities(
        self, scene: Scene
    ) -> None:
        await scene.connect()
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Byron", phone="1", lead_source="Partner")
        await scene.write(ada.qualified(activity(), last_name="Lovelace", phone="2", title="Countess"))
        row = scene.one("lead", ada)
        assert (row["last_name"], row["phone"], row["lead_source"]) == ("Byron", "1", "Partner")
        assert not row["title"]
        assert len(scene.subjects(row["id"])) == 1
        report = await scene.hear(DeliveryReported, lambda m: m.outcome == "matched")
        assert report.record == scene.crm.record("lead", row["id"])

    async def test_an_existing_records_fields_are_updated_where_that_is_allowed(self, scene: Scene) -> None:
        await scene.connect(marketing_automation={"field_updates": True})
        ada = scene.somebody()
        scene.crm.put("lead", email=ada.email, last_name="Byron", phone="1")
        await scene.write(ada.qualified(activity(), phone="2"), ada.distributed(last_name="Lovelace"))
        row = scene.one("lead", ada)
        assert (row["phone"], row["last_name"]) == ("2", "Byron")  # only marketing may

    async def test_a_change_of_address_is_written(self, scene: Scene) -> None:
        needs(scene, "email_updates")
        await scene.connect(marketing_automation={"field_updates": True})
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        key = scene.one("lead", ada)["id"]
        moved = f"countess@{scene.tenant}.example"
        change = ada.updated(at=1, previous_email=ada.email).model_copy(update={"email": moved})
        await scene.write(change)
        assert scene.row("lead", key)["email"] == moved
        assert len([row for row in scene.crm.rows("lead") if not row["deleted"]]) == 1

    async def test_the_score_is_kept_in_its_field(self, scene: Scene) -> None:
        await scene.connect(score_field=scene.crm.words.spare_number)
        ada = scene.somebody()
        await scene.write(ada.qualified(activity(), score=61))
        assert scene.one("lead", ada)[scene.crm.words.spare_number] == 61

    async def test_a_contact_gets_the_account_of_its_company_or_a_new_one(self, scene: Scene) -> None:
        await scene.connect(record_as="contact")
        ada, ben, cyd = (scene.somebody(name) for name in ("ada", "ben", "cyd"))
        known = scene.crm.put("account", name="Analytical Engines Ltd")
        await scene.write(
            ada.distributed(last_name="Lovelace", company="analytical engines ltd"),
            ben.distributed(last_name="Babbage", company="Difference Ltd"),
            cyd.distributed(last_name="Menabrea", company="Difference Ltd"),
        )
        assert scene.one("contact", ada)["account"] == known
        made = {scene.one("contact", who)["account"] for who in (ben, cyd)}
        accounts = {row["id"]: row["name"] for row in scene.crm.rows("account")}
        assert {accounts[key] for key in made} == {"Difference Ltd"}
        assert len(accounts) == 2
        assert scene.crm.rows("lead") == []

    @pytest.mark.parametrize(
        ("field", "setting"), [("last_name", "default_last_name"), ("company", "default_company")]
    )
    async def test_a_missing_required_field_is_found_before_anything_is_written(
        self, scene: Scene, field: str, setting: str
    ) -> None:
        unset: dict[str, Any] = {setting: None}
        await scene.connect(**unset)
        ada, writes = scene.somebody(), scene.crm.writes
        await scene.write(ada.distributed(**{k: v for k, v in KNOWN.items() if k != field}))
        assert scene.crm.writes == writes
        report = await scene.hear(DeliveryReported, lambda m: m.outcome == "parked")
        assert (report.field, bool(report.reason)) == (field, True)
        await scene.write(ada.distributed("d-2", at=1, **KNOWN))  # it is told after all
        assert scene.one("lead", ada)[field] == KNOWN[field]

    async def test_tasks_and_calls_are_given_to_their_owner_until_their_day(self, scene: Scene) -> None:
        await scene.connect(reads=["user"])
        ada = scene.somebody()
        owner = scene.crm.put("user", name="Grace Hopper", email=f"grace@{scene.tenant}.example")
        await scene.sync("user")
        for number, kind in enumerate(("task", "call")):
            request = {"kind": kind, "subject": f"Please {kind}", "due_in_days": 2}
            await scene.write(
                ada.asked_for(at=number, task=request, owner_email=f"grace@{scene.tenant}.example")
            )
        row = scene.one("lead", ada)
        assert row["owner"] == owner
        made = {a["type"]: a for a in scene.crm.activities_of(row["id"])}
        for kind in ("task", "call"):
            assert made[kind]["subject"] == f"Please {kind}"
            assert made[kind]["owner"] == owner
            due = made[kind]["due_at"] - datetime.now(UTC)
            assert timedelta(days=1, hours=12) < due < timedelta(days=3)

    async def test_a_deleted_record_is_made_anew_by_a_distribution_alone(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.distributed(**KNOWN))
        first = scene.one("lead", ada)["id"]
        scene.crm.delete("lead", first)
        await scene.write(ada.active(activity()))
        assert scene.people("lead", ada) == []
        await scene.hear(DeliveryReported, lambda m: m.outcome == "unlinked")
        await scene.write(ada.distributed("d-2", at=5, **KNOWN))
        assert scene.one("lead", ada)["id"] != first

    async def test_a_connection_that_is_off_collects_and_delivers_when_it_is_turned_on(
        self, scene: Scene
    ) -> None:
        await scene.connect(on=False)
        ada, calls = scene.somebody(), scene.crm.calls
        await scene.tell(ada.distributed(**KNOWN), ada.active(activity(), connections=[scene.id_of()]))
        assert scene.crm.calls == calls
        await scene.turn("on")
        await scene.settled(ada)
        row = scene.one("lead", ada)
        assert row["last_name"] == "Lovelace"
        assert len(scene.subjects(row["id"])) == 1

    async def test_records_are_written_with_the_connections_team_and_matched_within_it(
        self, scene: Scene
    ) -> None:
        needs(scene, "teams")
        for team in ("East", "West"):
            scene.crm.add_team(team)
            await scene.connect(team.lower(), **scene.crm.settings(team=team), supplier_id=team)
        ada = scene.somebody()
        await scene.write(ada.distributed("d-1", supplier="East"), ada.distributed("d-2", supplier="West"))
        assert sorted(row["team"] for row in scene.people("lead", ada)) == ["East", "West"]

    async def test_a_connection_takes_the_leads_of_its_own_supplier_alone(self, scene: Scene) -> None:
        await scene.connect(supplier_id="initech")
        ada = scene.somebody()
        await scene.tell(ada.distributed(supplier="globex"))
        assert await scene.deliveries(ada) == []
        await scene.write(ada.distributed("d-2", supplier="initech"))
        report = await scene.hear(DeliveryReported)
        assert [origin.distribution_id for origin in report.origins] == ["d-2"]


class Notes(Promises):
    """What marketing events become."""

    async def test_marketing_events_become_one_note_each(self, scene: Scene) -> None:
        await scene.connect()
        ada = scene.somebody()
        await scene.write(ada.qualified(activity("web_view", "Prices"), activity("form_submission", "Quote")))
        key = scene.one("lead", ada)["id"]
        await scene.write(ada.active(activity("email_open", "News of May")))
        subjects = scene.subjects(key)
        assert len(subjects) == 3
        for part in ("Prices", "Quote", "News of May"):
            assert sum(part in subject for subject in subjects) == 1

    async def test_marketing_events_of_a_day_become_one_note_if_so_wanted(self, scene: Scene) -> None:
        await scene.connect(notes="per_day")
        ada = scene.somebody()
        noon = datetime.now(UTC).replace(hour=12, minute=0)
        events = [(1, "Page 1"), (1, "Page 2"), (1, "Page 3"), (2, "Page 9")]
        viewed = [activity("web_view", page, at=noon - timedelta(days=days)) for days, page in events]
        await scene.write(ada.qualified(*viewed))
        notes = [a for a in scene.crm.activities_of(scene.one("lead", ada)["id"]) if a["type"] == "note"]
        assert len(notes) == 2
        written = [note["subject"] + note["text"] for note in notes]
        assert sorted(text.count("Page") for text in written) == [1, 3]

    async def test_only_the_chosen_types_of_event_are_written(self, scene: Scene) -> None:
        await scene.connect(event_types=["form_submission"])
        ada = scene.somebody()
        await scene.write(ada.qualified(activity("web_view", "Prices"), activity("form_submission", "Quote")))
        (subject,) = scene.subjects(scene.one("lead", ada)["id"])
        assert "Quote" in subject
