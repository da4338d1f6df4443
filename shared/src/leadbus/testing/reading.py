"""Promises about what is read: all of it, once, and then what has changed."""

from datetime import UTC, datetime
from decimal import Decimal

from leadbus.connector.capabilities import PersonKind
from leadbus.messages import (
    AccountChanged,
    ContactChanged,
    CrmActivityChanged,
    CrmListChanged,
    LeadStatusChanged,
    OpportunityChanged,
    SubscriptionChanged,
    UserChanged,
)
from leadbus.testing.promises import Promises, needs
from leadbus.testing.scene import Scene
from leadbus.testing.waiting import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()


class Reading(Promises):
    """Each kind of record as it stands, and then on change only."""

    async def test_people_are_told_as_they_stand_and_then_when_they_change(self, scene: Scene) -> None:
        people = {kind: scene.somebody(kind) for kind in scene.crm.people}
        owner = scene.crm.put("user", name="Grace Hopper", email=f"grace@{scene.tenant}.example")
        keys = {
            kind: scene.crm.put(kind, email=who.email, last_name="Lovelace", phone="1", owner=owner)
            for kind, who in people.items()
        }
        await scene.connect(reads=["user", *people])
        for kind, who in people.items():
            told = await scene.hear(ContactChanged, who.concerns)
            assert told.record == scene.crm.record(kind, keys[kind])
            assert (told.kind, told.email) == (kind, who.email)
            assert told.state == ("client" if kind == "contact" else "prospect")
            assert (told.fields.last_name, told.fields.phone) == ("Lovelace", "1")
            assert told.owner_email == f"grace@{scene.tenant}.example"
        await scene.sync(*people)
        assert len(scene.heard(ContactChanged)) == len(people)
        for kind, key in keys.items():
            scene.crm.change(kind, key, phone="2")
        await scene.sync(*people)
        await until(lambda: _moved(scene) == sorted(people), "what has changed")

    async def test_accounts_and_users_are_told_as_they_stand_and_then_when_they_change(
        self, scene: Scene
    ) -> None:
        grace = scene.crm.put("user", name="Grace Hopper", email=f"Grace@{scene.tenant}.example")
        ida = scene.crm.put("user", name="Ida Rhodes", email=f"ida@{scene.tenant}.example")
        account = scene.crm.put("account", name="Analytical Engines Ltd", owner=grace)
        await scene.connect(reads=["user", "account"])
        user = await scene.hear(UserChanged, lambda m: m.record.id == grace)
        assert (user.email, user.active) == (f"grace@{scene.tenant}.example", True)
        assert "Hopper" in user.name
        told = await scene.hear(AccountChanged)
        assert (told.record, told.name) == (
            scene.crm.record("account", account),
            "Analytical Engines Ltd",
        )
        assert told.owner_email == user.email
        users = len(scene.heard(UserChanged))
        scene.crm.change("account", account, name="Analytical Engines Plc")
        scene.crm.change("user", ida, active=False)
        await scene.sync("user", "account")
        await scene.hear(AccountChanged, lambda m: m.name.endswith("Plc"))
        await scene.hear(UserChanged, lambda m: m.record.id == ida and not m.active)
        assert len(scene.heard(UserChanged)) == users + 1
        scene.crm.delete("account", account)
        await scene.sync("account")
        needs(scene, "deletions")
        await scene.hear(AccountChanged, lambda m: m.deleted)

    async def test_opportunities_with_our_leads_are_told_with_all_their_figures(self, scene: Scene) -> None:
        await scene.connect(reads=["contact", "account", "user", "opportunity"], record_as="contact")
        ada, stages = scene.somebody(), scene.crm.words.stages
        await scene.write(ada.distributed(last_name="Lovelace", company="Engines Ltd"), traceparent=PARENT)
        contact = scene.one("contact", ada)
        scene.crm.change("account", contact["account"], owner=scene.crm.rows("user")[0]["id"])
        key = scene.crm.put(
            "opportunity",
            name="200 engines",
            stage=stages[0],
            amount="12500.50",
            close_date="2027-01-31",
            probability=40,
            lead_source="Leadbus",
            account=contact["account"],
            contact=contact["id"],
        )
        await scene.sync("account", "contact")
        await scene.sync("opportunity")
        told = await scene.hear(OpportunityChanged)
        assert (told.prospect_id, told.record.id, told.name) == (ada.prospect, key, "200 engines")
        assert (told.stage, told.probability, told.lead_source) == (stages[0], 40, "Leadbus")
        assert Decimal(told.amount or "0") == Decimal("12500.50")
        assert str(told.close_date) == "2027-01-31"
        assert [origin.supplier_id for origin in told.origins] == ["globex"]
        assert told.lead_trace_id == TRACE
        await scene.sync("opportunity")
        scene.crm.change("opportunity", key, stage=stages[1], amount="13000")
        await scene.sync("opportunity")
        await scene.hear(OpportunityChanged, lambda m: m.stage == stages[1])
        assert len(scene.heard(OpportunityChanged)) == 2

    async def test_activities_are_told_and_our_own_notes_are_not(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "activity"])
        ada = scene.somebody()
        await scene.write(ada.distributed(), ada.asked_for(task={"kind": "task", "subject": "Ours"}))
        lead = scene.one("lead", ada)["id"]
        due = datetime(2027, 1, 31, tzinfo=UTC)  # some CRMs keep the day of a task alone
        key = scene.crm.put(
            "activity",
            type="task",
            subject="Call her back",
            status="In Progress",
            priority="High",
            due_at=due,
            about=lead,
        )
        await scene.sync("lead")
        await scene.sync("activity")
        told = await scene.hear(CrmActivityChanged, lambda m: m.record.id == key)
        assert (told.prospect_id, told.type, told.subject) == (ada.prospect, "task", "Call her back")
        assert (told.status, told.priority, told.due_at) == ("In Progress", "High", due)
        scene.crm.change("activity", key, status="Completed")
        await scene.sync("activity")
        await scene.hear(CrmActivityChanged, lambda m: m.status == "Completed")
        assert {m.subject for m in scene.heard(CrmActivityChanged)} == {"Call her back"}
        assert len(scene.heard(CrmActivityChanged)) == 2

    async def test_lists_are_told_with_who_was_put_on_them_and_taken_off(self, scene: Scene) -> None:
        people = {kind: scene.somebody(kind) for kind in scene.crm.people}
        keys = {k: scene.crm.put(k, email=who.email, last_name="X") for k, who in people.items()}
        fairs = _fairs(scene)
        at_first: list[PersonKind] = [kind for kind in people if kind != "contact"]
        for kind in at_first:
            scene.crm.join(fairs[kind], kind, keys[kind])
        await scene.connect(reads=list(people))
        await scene.save(schedules={"list": {"every_seconds": 86_400}})
        expected = {people[kind].prospect for kind in at_first}
        await until(lambda: _members(scene) == expected, "the members as they stand")
        lists = {(scene.crm.record("list", key), "Fair of May") for key in fairs.values()}
        await until(
            lambda: {(m.record, m.name) for m in scene.heard(CrmListChanged)} == lists, "all that there are"
        )
        # Members change without a change of list or person.
        scene.crm.join(fairs["contact"], "contact", keys["contact"])
        left = at_first.pop()
        scene.crm.leave(fairs[left], left, keys[left])
        await scene.sync("list")
        expected = {people[kind].prospect for kind in people if kind != left}
        await until(lambda: _members(scene) == expected, "who was added and taken off")

    async def test_a_change_of_status_comes_back_with_supplier_distribution_and_trace(
        self, scene: Scene
    ) -> None:
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", supplier="initech"), traceparent=PARENT)
        await scene.sync("lead")
        first, second, _ = scene.crm.words.statuses
        scene.crm.change("lead", scene.one("lead", ada)["id"], status=second)
        await scene.sync("lead")
        told = await scene.hear(LeadStatusChanged)
        assert (told.status, told.previous_status) == (second, first)
        assert [(o.supplier_id, o.distribution_id) for o in told.origins] == [("initech", "d-17")]
        assert (told.lead_trace_id, told.prospect_id) == (TRACE, ada.prospect)
        await scene.sync("lead")
        assert len(scene.heard(LeadStatusChanged)) == 1

    async def test_own_writes_do_not_come_back_and_a_change_at_the_same_time_does(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"], lead_distribution={"field_updates": True})
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace", phone="1"))
        await scene.sync("lead")
        await scene.write(ada.distributed("d-2", at=5, last_name="Lovelace", phone="2", title="Countess"))
        await scene.sync("lead")
        assert scene.heard(LeadStatusChanged) == []
        assert all(m.fields.phone is None or m.fields.phone == "1" for m in scene.heard(ContactChanged))
        before = len(scene.heard(ContactChanged))
        await scene.write(ada.distributed("d-3", at=6, phone="3"))
        scene.crm.change("lead", scene.one("lead", ada)["id"], title="Countess of Lovelace")
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.fields.title == "Countess of Lovelace")
        assert told.fields.phone == "3"
        assert len(scene.heard(ContactChanged)) == before + 1

    async def test_a_lead_that_is_converted_by_hand_is_told_with_its_contact(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", last_name="Lovelace"), traceparent=PARENT)
        await scene.sync("lead")
        contact = scene.crm.convert(scene.one("lead", ada)["id"])
        await scene.sync("lead", "contact")
        told = await scene.hear(ContactChanged, lambda m: m.converted_to is not None)
        assert told.converted_to == scene.crm.record("contact", contact)
        assert (told.kind, told.state, told.prospect_id) == ("lead", "client", ada.prospect)
        client = await scene.hear(ContactChanged, lambda m: m.kind == "contact")
        assert (client.state, client.prospect_id) == ("client", ada.prospect)

    async def test_a_lead_of_whose_contact_alone_is_heard_is_told_as_converted(self, scene: Scene) -> None:
        await scene.connect(reads=["lead", "contact"])
        ada = scene.somebody()
        await scene.write(ada.distributed("d-17", last_name="Lovelace"), traceparent=PARENT)
        await scene.sync("lead", "contact")
        scene.crm.convert(scene.one("lead", ada)["id"])
        await scene.sync("contact")
        told = await scene.hear(ContactChanged, lambda m: m.converted_to is not None)
        assert (told.kind, told.state, told.prospect_id) == ("lead", "client", ada.prospect)
        assert told.lead_trace_id == TRACE

    async def test_a_deletion_is_told(self, scene: Scene) -> None:
        needs(scene, "deletions")
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        key = scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        await scene.sync("lead")
        scene.crm.delete("lead", key)
        await scene.sync("lead")
        told = await scene.hear(ContactChanged, lambda m: m.deleted)
        assert (told.prospect_id, told.record.id) == (ada.prospect, key)

    async def test_people_who_were_made_opted_out_bring_their_opt_out_with_them(self, scene: Scene) -> None:
        ada, ben = scene.somebody(), scene.somebody("ben")
        scene.crm.put("contact", email=ada.email, last_name="Lovelace", opted_out=True)
        scene.crm.put("contact", email=ben.email, last_name="Babbage")
        await scene.connect(reads=["contact"])
        told = await scene.hear(SubscriptionChanged)
        assert (told.prospect_id, told.status) == (ada.prospect, "opted_out")
        await scene.hear(ContactChanged, ben.concerns)
        assert len(scene.heard(SubscriptionChanged)) == 1

    async def test_a_record_without_an_email_makes_no_prospect_until_it_gets_one(self, scene: Scene) -> None:
        ada = scene.somebody()
        key = scene.crm.put("lead", last_name="Lovelace", company="Engines Ltd")
        await scene.connect(reads=["lead"])
        row = await scene.error(lambda row: row["record"]["id"] == key)
        assert row["field"]
        assert "email" in row["reason"]
        assert (await scene.progress())["lead"]["skipped"] == 1
        assert scene.heard(ContactChanged) == []
        scene.crm.change("lead", key, email=ada.email)
        await scene.sync("lead")
        told = await scene.hear(ContactChanged)
        assert told.prospect_id == ada.prospect
        await scene.no_errors()

    async def test_a_push_has_the_record_read_though_the_schedule_is_far_away(self, scene: Scene) -> None:
        needs(scene, "push")
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        key = scene.crm.put("lead", email=ada.email, last_name="Lovelace")
        await scene.hint("lead", key)
        told = await scene.hear(ContactChanged, ada.concerns)
        assert told.record == scene.crm.record("lead", key)

    async def test_a_value_that_nobody_told_us_of_is_passed_on_as_it_is(self, scene: Scene) -> None:
        await scene.connect(reads=["lead"])
        ada = scene.somebody()
        await scene.write(ada.distributed(last_name="Lovelace"))
        scene.crm.change("lead", scene.one("lead", ada)["id"], status="Nurtured (ours alone) <&>")
        await scene.sync("lead")
        told = await scene.hear(LeadStatusChanged)
        assert told.status == "Nurtured (ours alone) <&>"

    async def test_only_records_of_the_connections_team_are_read(self, scene: Scene) -> None:
        needs(scene, "teams")
        people = {team: scene.somebody(team.lower()) for team in ("East", "West")}
        for team, who in people.items():
            scene.crm.add_team(team)
            scene.crm.put("lead", email=who.email, last_name="Lovelace", team=team)
        await scene.connect(reads=["lead"], **scene.crm.settings(team="East"))
        await scene.hear(ContactChanged)
        await scene.sync("lead", full=True)
        assert {m.prospect_id for m in scene.heard(ContactChanged)} == {people["East"].prospect}


def _moved(scene: Scene) -> list[str]:
    """The kinds of the people of whom the second phone number was told."""
    return sorted(m.kind for m in scene.heard(ContactChanged) if m.fields.phone == "2")


def _fairs(scene: Scene) -> dict[PersonKind, str]:
    """The list that holds each kind of people: one for all, or one each."""
    if "mixed_lists" in scene.crm.lacks:
        return {kind: scene.crm.put("list", name="Fair of May", holds=kind) for kind in scene.crm.people}
    return dict.fromkeys(scene.crm.people, scene.crm.put("list", name="Fair of May"))


def _members(scene: Scene) -> set[str]:
    """Who is on the tenant's lists, as its events have it."""
    members: set[str] = set()
    for message in scene.heard(CrmListChanged):
        members |= {member.prospect_id for member in message.added}
        members -= {member.prospect_id for member in message.removed}
    return members
