"""What a dry run shows is what delivering then does, whatever is known of the person and set for it."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from leadbus.connector.rehearsing.dry_run import DryRun, Person
from leadbus.ids import prospect_id
from leadbus.messages import Fields, ProspectUpdated, Subscription, SyncRequest
from sandbox.sugar import desk

ANN, BEN, CYN, DAN, EVE = (f"{name}@example.com" for name in ("ann", "ben", "cyn", "dan", "eve"))
SEGMENT = {"of": "lead", "field": "custom.segment", "crm_field": "department", "rule": "only_if_empty"}
SAID = {"last_name": "Lovelace", "phone": "2", "city": "Bonn", "custom.segment": "gold", "custom.none": "x"}


@dataclass
class Recorder:
    """An adapter, and every row that it was told to write."""

    adapter: Any
    rows: dict[str, list[Any]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self.adapter, name)
        writes = {"create", "update", "convert", "create_accounts", "add_activities", "put_members"}
        if name not in writes:
            return verb

        async def written(rows: list[Any]) -> Any:
            self.rows.setdefault(name, []).extend(rows)
            return await verb(rows)

        return written

    def plan(self) -> dict[str, Any]:
        """In the words of a dry run."""
        row = next(iter([*self.rows.get("create", ()), *self.rows.get("update", ())]), None)
        of = Counter(activity.type for activity in self.rows.get("add_activities", ()))
        return {
            "written": dict(row.values) if row else {},
            "owner": row.owner_id if row else None,
            "lead_source": row.lead_source if row else None,
            "score": row.score if row else None,
            "opted_out": row.opted_out if row else None,
            "account": next((account.name for account in self.rows.get("create_accounts", ())), None),
            "activities": (of["note"], of["task"], of["call"]),
            "to_do": [a.subject for a in self.rows.get("add_activities", ()) if a.type != "note"],
            "members": len(self.rows.get("put_members", ())),
        }


def plan(told: Any, *, of: str | None) -> dict[str, Any]:
    """of: the id of who owns the record already: nothing is written of that."""
    besides = told.besides or {}
    owner = told.owner.id if told.owner else None
    return {
        "written": {row.crm_field: row.value for row in told.fields if row.written},
        "owner": None if owner == of else owner,
        "lead_source": told.lead_source,
        "score": besides.get("score"),
        "opted_out": besides.get("opted_out"),
        "account": told.account,
        "activities": (told.notes, told.tasks, told.calls),
        "to_do": [activity.subject for activity in told.activities if activity.type != "note"],
        "members": told.members,
    }


@dataclass
class Stage:
    bench: Any
    crm: Any
    until: Any
    records: list[Recorder] = field(default_factory=list)

    async def open(self, **settings: Any) -> None:
        desk.add_user(self.crm.store, "boss", "x", last_name="Boss", email="boss@example.com")
        for module in ("Leads", "Contacts"):
            desk.add_option(self.crm.store, module, "lead_source", "Fair")
        desk.create(self.crm.store, "ProspectLists", {"name": "Fair"})
        await self.bench.connect(self.crm, **settings)
        await self.bench.pull(kinds=("user",))
        await self.work()

    async def work(self) -> None:
        """A pod begins to."""
        await self.bench.pod(wrap=self._recorded)

    def _recorded(self, adapter: Any) -> Any:
        self.records.append(Recorder(adapter))
        return self.records[-1]

    async def told(self, **person: Any) -> Any:
        desk_ = self.bench.desk
        connection = await desk_.connections.get(f"{self.bench.tenant}-sugar")
        adapter = await desk_.workshop.adapter_for(connection)
        try:
            run = DryRun(self.bench.client, self.bench.database.name, "connector-sugar")
            return await run.run(connection, Person(**person), adapter)
        finally:
            await adapter.close()

    async def done(self, email: str, *facts: Any) -> dict[str, Any]:
        if facts:
            for recorder in self.records:
                recorder.rows.clear()
            await self.bench.feed(*facts)
        who = prospect_id(self.bench.tenant, email=email)
        if await self.bench.desk.deliveries.of_prospect(self.bench.tenant, who):
            await self.bench.settled(email)
        return next((r for r in reversed(self.records) if r.rows), Recorder(None)).plan()

    async def same(self, email: str, fact: Any, *, of: str | None = None, **person: Any) -> Any:
        """Rehearses, then does it; what was told."""
        told = await self.told(**({"email": email} | person))
        reports = len(self.bench.outcomes())
        assert plan(told, of=of) == await self.done(email, fact)
        if told.outcome != "not_taken":
            assert (await self._outcomes(reports))[-1] == told.outcome
        return told

    async def _outcomes(self, since: int) -> list[str]:
        await self.until(lambda: len(self.bench.outcomes()) > since)
        return list(self.bench.outcomes()[since:])


@pytest.fixture
def stage(bench, crm, until):
    return Stage(bench, crm, until)


def flat(**fields: str) -> dict[str, Any]:
    return Fields.from_flat({name.replace("__", "."): value for name, value in fields.items()}).model_dump(
        exclude_none=True
    )


def updated(bench: Any, email: str, at: float = 0, **facts: Any) -> ProspectUpdated:
    envelope = bench._envelope(email, None, at)
    return ProspectUpdated(**envelope, received_at=envelope["occurred_at"], **facts)


async def test_leads_of_a_supplier_are_written_as_rehearsed(stage, bench, crm):
    theirs = {"last_name": "Babbage", "email1": BEN, "phone_work": "1", "department": "silver"}
    desk.create(crm.store, "Leads", theirs)
    boss = {"when": {"country": "DE"}, "owner_email": "boss@example.com", "lead_source": "Fair"}
    await stage.open(
        fields=[SEGMENT],
        score_field="lead_score_c",
        lead_distribution={"field_updates": True},
        rules=[boss | {"existing": True}],
        tasks=[{"on": "distribution", "kind": "call", "subject": "Call {name}"}],
        lists=[{"list": "Fair", "list_id": "l-1", "push": {"add": True}}],
    )
    said = SAID | {"country": "DE"}
    fields = flat(**{name.replace(".", "__"): value for name, value in said.items()})
    new = await stage.same(ANN, bench.distributed(ANN, **fields), fields=said)
    assert (new.owner.email, new.lead_source, new.notes, new.calls) == ("boss@example.com", "Fair", 1, 1)
    assert [(a.type, a.subject) for a in new.activities if a.due_at] == [("call", "Call Lovelace")]
    known = await stage.same(BEN, bench.distributed(BEN, **fields), fields=said)
    reasons = {row.field: row.reason for row in known.fields}
    assert (known.outcome, reasons["custom.segment"]) == ("matched", "the CRM has one")
    assert plan(known, of=None)["written"]["phone_work"] == "2"
    # What was said before and a salesperson has changed since is not said anew by another lead.
    (lead,) = [row for row in desk.records(crm.store, "Leads") if row["email"] == ANN]
    desk.change(crm.store, "Leads", lead["id"], {"phone_work": "9"})
    again = await stage.same(
        ANN,
        bench.distributed(ANN, "d2", city="Rome"),
        of=lead["assigned_user_id"],
        fields={"city": "Rome"},
    )
    decided = {row.field: (row.present, row.written) for row in again.fields}
    assert (again.outcome, decided["phone"], decided["city"]) == ("updated", ("9", False), ("Bonn", True))
    # While nobody works: an opt-out that waits for a record, a score, and a list that it is to be put on.
    await bench.pods[0].stop()
    out = Subscription(status="opted_out", at=datetime.now(UTC), source="form", explicit=True)
    listed = updated(bench, CYN, subscription=out, lists=[{"list_id": "l-1", "member": True}])
    await bench.feed(listed, bench.scored(CYN, 7, 1))
    waiting = await stage.told(email=CYN)
    await bench.feed(bench.distributed(CYN, "d3"))
    await stage.work()
    assert plan(waiting, of=None) == await stage.done(CYN)
    assert (waiting.besides, waiting.members) == (waiting.besides | {"opted_out": True, "score": 7}, 1)


async def test_sync_requests_and_marketing_are_done_as_rehearsed(stage, bench, did):
    await stage.open(notes="per_day", lead_distribution={"synchronise": False})
    terms = SyncRequest.model_validate(
        {
            "record_as": "contact",
            "owner_email": "boss@example.com",
            "lead_source": "Fair",
            "task": {"kind": "task", "subject": "Look"},
        }
    )
    fields = {"last_name": "Lee", "company": "Acme"}
    asked = await stage.same(
        DAN, updated(bench, DAN, fields=flat(**fields), sync=terms), sync=terms, fields=fields
    )
    assert (asked.kind, asked.account, asked.tasks) == ("contact", "Acme", 1)
    held = await stage.same(BEN, bench.distributed(BEN, "d1"), fields={})
    assert (held.outcome, held.refused.field) == ("not_taken", "lead_distribution")
    # Known by what it did, and won by marketing for the second time.
    won = bench.qualified(EVE, did("pricing"), did("demo", minute=1), last_name="Lee")
    await stage.done(EVE, won)
    known = await stage.same(EVE, bench.qualified(EVE, version=2), by="marketing")
    assert (known.outcome, known.notes) == ("updated", 0)
    assert asdict(known)["fields"]
