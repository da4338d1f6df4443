"""Promises about sync requests, on terms of their own, and about the tasks that salespeople are given."""

from datetime import UTC, datetime, timedelta
from typing import Any

from leadbus.messages import ProspectUpdated
from leadbus.testing.facts import Somebody, activity
from leadbus.testing.promises import Promises
from leadbus.testing.scene import Scene
from leadbus.testing.writing import KNOWN

SOURCE = "Trade Show"
"""A lead source that every vendor's CRM has from the beginning."""


class Requests(Promises):
    """See the module."""

    async def test_a_sync_request_makes_a_record_on_its_own_terms_for_all_or_for_a_branch(
        self, scene: Scene
    ) -> None:
        grace, ida = _users(scene)
        rule = {
            "when": {"country": "France"},
            "owner_email": _address(scene, "ida"),
            "lead_source": "Partner",
        }
        await scene.connect(reads=["user"], rules=[rule])
        ada, ben, cyd = (scene.somebody(name) for name in ("ada", "ben", "cyd"))
        boss = _address(scene, "grace")
        await scene.write(  # a campaign's action: many requests at once, not all of them alike
            _asked(ada, record_as="contact", owner_email=boss),
            _asked(ben, record_as="lead", owner_email=boss, lead_source=SOURCE),
            _asked(cyd),
        )
        contact, lead, plain = scene.one("contact", ada), scene.one("lead", ben), scene.one("lead", cyd)
        assert [row["last_name"] for row in (contact, lead, plain)] == [KNOWN["last_name"]] * 3
        assert [row["owner"] for row in (contact, lead)] == [grace, grace]
        assert [row["lead_source"] for row in (lead, plain)] == [SOURCE, "Partner"]
        assert plain["owner"] == ida  # the request says nothing: the connection's rule does
        assert scene.people("lead", ada) == scene.people("contact", ben) == []

    async def test_a_sync_request_says_whether_an_existing_record_is_updated_too(self, scene: Scene) -> None:
        grace, _ = _users(scene)
        await scene.connect(reads=["user"], marketing_automation={"field_updates": True})
        people = {update: scene.somebody(f"ada-{update}".lower()) for update in (True, False, None)}
        for who in people.values():
            scene.crm.put("lead", email=who.email, last_name="Byron", phone="1", lead_source="Partner")
        before = {update: scene.one("lead", who)["owner"] for update, who in people.items()}
        task = {"kind": "call", "subject": "Call {name} back"}
        terms: dict[str, Any] = {"owner_email": _address(scene, "grace"), "lead_source": SOURCE, "task": task}
        await scene.write(
            *(_asked(who, phone="2", update_existing=update, **terms) for update, who in people.items())
        )
        rows = {update: scene.one("lead", who) for update, who in people.items()}
        told = {update: (row["phone"], row["owner"], row["lead_source"]) for update, row in rows.items()}
        assert told == {
            True: ("2", grace, SOURCE),
            False: ("1", before[False], "Partner"),
            None: ("2", before[None], "Partner"),  # as the connection has it: fields, and nothing else
        }
        for row in rows.values():
            assert scene.subjects(row["id"], "call") == ["Call Ada Lovelace back"]

    async def test_a_qualified_and_a_distributed_lead_give_tasks_by_rule_once_each(
        self, scene: Scene
    ) -> None:
        grace, _ = _users(scene)
        rules = [
            {"on": "qualification", "kind": "call", "subject": "Call {name}", "due_in_days": 2},
            {"on": "distribution", "kind": "email", "subject": "Thank {supplier} for {name}"},
            {"on": "distribution", "kind": "task", "subject": "Look up {company}", "due_in_days": 2},
        ]
        await scene.connect(reads=["user"], tasks=rules)
        ada, ben = scene.somebody(), scene.somebody("ben")
        known = scene.crm.put("lead", email=ben.email, last_name="Byron", owner=grace)
        handed_over = ada.distributed(supplier="globex", **KNOWN)
        await scene.write(handed_over, ben.qualified(activity(), first_name="Ben", last_name="Byron"))
        await scene.write(handed_over, ada.qualified(activity(), at=1))
        made = {a["subject"]: a for a in scene.crm.activities_of(scene.one("lead", ada)["id"])}
        todo = {name: row["type"] for name, row in made.items() if row["type"] != "note"}
        assert todo == {
            "Email: Thank globex for Ada Lovelace": "task",
            f"Look up {KNOWN['company']}": "task",
            "Call Ada Lovelace": "call",
        }
        (call,) = [a for a in scene.crm.activities_of(known) if a["type"] == "call"]
        assert (call["subject"], call["owner"]) == ("Call Ben Byron", grace)
        for row in (call, made[f"Look up {KNOWN['company']}"]):
            assert timedelta(hours=12) < row["due_at"] - datetime.now(UTC) < timedelta(days=3)


def _asked(who: Somebody, *, at: float = 0, phone: str = "0", **terms: Any) -> ProspectUpdated:
    """A request, with what is known of the person."""
    return who.updated(at=at, fields={**KNOWN, "phone": phone, "country": "France"}, sync=terms)


def _address(scene: Scene, name: str) -> str:
    return f"{name}@{scene.tenant}.example"


def _users(scene: Scene) -> list[str]:
    """Grace and Ida, who can own records: their ids."""
    names = ("Grace Hopper", "Ida Rhodes")
    return [
        scene.crm.put("user", name=name, email=_address(scene, name.split()[0].lower())) for name in names
    ]
