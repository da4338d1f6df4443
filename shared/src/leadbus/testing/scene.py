"""One case's own tenant, CRM and connections in a house."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from leadbus.connector.capabilities import Kind
from leadbus.connector.delivering.plan_notes import FIELDS_NOTE
from leadbus.messages import CampaignChanged, CrmNotification, Message
from leadbus.testing.crm import CrmUnderTest, Facts
from leadbus.testing.facts import Somebody
from leadbus.testing.house import House
from leadbus.testing.waiting import PATIENCE, until

Told = TypeVar("Told", bound=Message)

KINDS: tuple[Kind, ...] = ("lead", "contact", "target", "account", "user", "opportunity", "activity", "list")
NEVER: dict[str, None] = dict.fromkeys((*KINDS, "comparison"))
"""Schedules under which nothing is read."""
SELDOM = {"every_seconds": 86_400}
"""A schedule under which a kind is read once, and then when somebody asks for it."""


class Scene:
    """See the module. A connection is named by its last part, `one` if there is but one."""

    def __init__(self, house: House, crm: CrmUnderTest) -> None:
        self.house, self.crm = house, crm
        self.tenant = f"t-{uuid4().hex[:10]}"
        self._crms = [crm]
        self._begun = datetime.now(UTC) - timedelta(minutes=1)
        self._settings: dict[str, dict[str, Any]] = {}

    async def start(self) -> None:
        """The CRM answers."""
        await self.crm.start()

    async def stop(self) -> None:
        """Turns the connections off and ends the CRMs."""
        for crm in self._crms:
            crm.behave()
        for name in self._settings:
            await self.turn("off", name)
        await asyncio.gather(*(crm.stop() for crm in self._crms))

    async def another(self, crm: CrmUnderTest) -> CrmUnderTest:
        """A second CRM, started, which ends with the scene."""
        self._crms.append(crm)
        await crm.start()
        return crm

    # Connections ------------------------------------------------------------------------------------------

    def id_of(self, name: str = "one") -> str:
        """The whole name of a connection."""
        return f"{self.tenant}-{name}"

    async def save(
        self, name: str = "one", *, expect: int = 200, crm: CrmUnderTest | None = None, **settings: Any
    ) -> Any:
        """Saves a connection's settings, over those saved before; answers as the API does."""
        known = self._settings.get(name) or {"schedules": NEVER} | (crm or self.crm).settings()
        schedules = {"schedules": known["schedules"] | settings.pop("schedules", {})}
        self._settings[name] = known | schedules | settings
        body = self._settings[name] | {"tenant_id": self.tenant}
        return await self.house.ask("PUT", f"/v1/connections/{self.id_of(name)}", json=body, expect=expect)

    async def turn(self, way: str, name: str = "one") -> Any:
        """`on` or `off`, or `test`: the answer with its findings."""
        return await self.house.ask("POST", f"/v1/connections/{self.id_of(name)}/{way}")

    async def connect(
        self,
        name: str = "one",
        *,
        crm: CrmUnderTest | None = None,
        on: bool = True,
        reads: Sequence[Kind] = (),
        **settings: Any,
    ) -> None:
        """Saves a connection and turns it on.

        reads: kinds that are read once at the beginning, and then when somebody asks for it.
        """
        schedules = dict.fromkeys(reads, SELDOM) | settings.pop("schedules", {})
        await self.save(name, crm=crm, schedules=schedules, **settings)
        if on:
            answer = await self.turn("on", name)
            assert answer["ok"], answer["findings"]
            await self._read(reads, name)

    async def health(self, name: str = "one") -> dict[str, Any]:
        """State and reason."""
        shown = await self.house.ask("GET", "/v1/connections", params={"tenant_id": self.tenant})
        (found,) = [c for c in shown["connections"] if c["connection_id"] == self.id_of(name)]
        health: dict[str, Any] = found["health"]
        return health

    async def sync(self, *kinds: Kind, name: str = "one", full: bool = False) -> None:
        """Sync now: returns when it has been done."""
        path = f"/v1/connections/{self.id_of(name)}/sync"
        before = await self.progress(name)
        await self.house.ask("POST", path, json={"kinds": list(kinds), "full": full}, expect=202)

        async def done() -> bool:
            now = await self.progress(name)
            return all(now[kind]["last_run_at"] != before[kind]["last_run_at"] for kind in kinds)

        await until(done, f"the sync of {', '.join(kinds)}")

    async def _read(self, kinds: Sequence[Kind], name: str) -> None:
        async def done() -> bool:
            now = await self.progress(name)
            return all(now[kind]["last_run_at"] for kind in kinds)

        await until(done, f"the first reading of {', '.join(kinds)}")

    async def progress(self, name: str = "one") -> dict[str, Any]:
        """What was read so far, by kind."""
        answer = await self.house.ask("GET", f"/v1/connections/{self.id_of(name)}/pulls")
        return {row["kind"]: row for row in answer["pulls"]}

    async def hint(self, kind: Kind, record_id: str, name: str = "one") -> None:
        """The CRM pushes that a record has changed."""
        body, content_type = self.crm.notify(kind, record_id)
        now = datetime.now(UTC)
        notification = CrmNotification(
            event_id=str(uuid4()),
            tenant_id=self.tenant,
            occurred_at=now,
            connection_id=self.id_of(name),
            content_type=content_type,
            body=body,
            received_at=now,
        )
        await self.house.publish([notification])

    # Facts ------------------------------------------------------------------------------------------------

    def somebody(self, name: str = "ada", connection: str = "one") -> Somebody:
        """A prospect of the tenant."""
        return Somebody(self.tenant, f"{name}@{self.tenant}.example", self.id_of(connection))

    async def tell(self, *facts: Message, traceparent: bytes | None = None) -> None:
        """Other services publish facts; returns when the connector has taken them in."""
        await self.house.publish(facts, traceparent)

    def campaign(
        self, name: str, campaign: str = "c-1", *, at: float = 0, sync: bool = True, **facts: Any
    ) -> CampaignChanged:
        """A campaign of the tenant changed, so many seconds from when the scene began."""
        return CampaignChanged(
            event_id=str(uuid4()),
            tenant_id=self.tenant,
            occurred_at=self._begun + timedelta(seconds=at),
            received_at=datetime.now(UTC),
            campaign_id=campaign,
            name=name,
            sync=sync,
            **facts,
        )

    async def campaigns(self, name: str = "one") -> dict[str, dict[str, Any]]:
        """Where the tenant's campaigns stand in a connection's CRM, by their names."""
        answer = await self.house.ask("GET", f"/v1/connections/{self.id_of(name)}/campaigns")
        return {row["name"]: row for row in answer["campaigns"]}

    def in_crm(self, campaign: str) -> Facts | None:
        """The only campaign of that name there, if there is one."""
        found = [row for row in self.crm.campaigns() if row["name"] == campaign]
        assert len(found) <= 1, f"{len(found)} campaigns of one name"
        return found[0] if found else None

    async def made(self, campaign: str) -> Facts:
        """The same, now or later."""
        return await until(lambda: self.in_crm(campaign), f"the campaign {campaign} in the CRM")

    async def has_members(self, campaign: str, *people: Somebody) -> dict[str, str | None]:
        """Returns once these, and no others, are in the campaign: their responses, by email."""
        wanted = {who.email for who in people}

        def members() -> Facts | None:
            found = self.in_crm(campaign)
            return found if found is not None and found["members"].keys() == wanted else None

        found: Facts = await until(members, f"{len(wanted)} people in the campaign {campaign}")
        responses: dict[str, str | None] = found["members"]
        return responses

    async def deliveries(self, who: Somebody) -> list[dict[str, Any]]:
        """What the connector knows of a person, by connection."""
        path = f"/v1/prospects/{who.prospect}"
        found: list[dict[str, Any]] = (await self.house.ask("GET", path, params={"tenant_id": self.tenant}))[
            "deliveries"
        ]
        return found

    async def delivery(self, who: Somebody, name: str = "one") -> dict[str, Any]:
        """The same of one connection."""
        (found,) = [d for d in await self.deliveries(who) if d["connection_id"] == self.id_of(name)]
        return found

    async def settled(self, *people: Somebody) -> None:
        """Returns when nothing is owed for these people any more, be it written or parked."""
        for who in people:

            async def done(who: Somebody = who) -> bool:
                found = await self.deliveries(who)
                return bool(found) and not any(d["due"] for d in found)

            await until(done, f"the deliveries of {who.email} are settled")

    async def write(self, *facts: Message, traceparent: bytes | None = None) -> None:
        """Tells facts and waits until the CRM has been told."""
        await self.tell(*facts, traceparent=traceparent)
        told = {fact.key for fact in facts}
        for prospect in told:

            async def done(prospect: str = prospect) -> bool:
                path = f"/v1/prospects/{prospect}"
                answer = await self.house.ask("GET", path, params={"tenant_id": self.tenant})
                return not any(d["due"] for d in answer["deliveries"])

            await until(done, f"the deliveries of {prospect} are settled")

    # What the CRM has -------------------------------------------------------------------------------------

    def people(self, kind: Kind, who: Somebody | str, crm: CrmUnderTest | None = None) -> list[Facts]:
        """Live records with the person's email, oldest first."""
        email = who if isinstance(who, str) else who.email
        rows = (crm or self.crm).rows(kind)
        return [r for r in rows if (r["email"] or "").lower() == email.lower() and not r["deleted"]]

    def one(self, kind: Kind, who: Somebody | str, crm: CrmUnderTest | None = None) -> Facts:
        """The only live record with the person's email."""
        found = self.people(kind, who, crm)
        assert len(found) == 1, f"{len(found)} records of kind {kind} instead of one"
        return found[0]

    def row(self, kind: Kind, record_id: str) -> Facts:
        """One record by its id."""
        (found,) = [row for row in self.crm.rows(kind) if row["id"] == record_id]
        return found

    def subjects(self, record_id: str, kind: str = "note") -> list[str]:
        """Subjects of a record's activities of one type, oldest first; not of what notes a distribution."""
        found = [a["subject"] for a in self.crm.activities_of(record_id) if a["type"] == kind]
        return [subject for subject in found if FIELDS_NOTE not in subject]

    # What is published ------------------------------------------------------------------------------------

    def heard(self, kind: type[Told], name: str | None = None) -> list[Told]:
        """What was published about the tenant (and one connection) so far."""
        found = self.house.inbox.of(kind, self.tenant)
        return [m for m in found if name is None or getattr(m, "connection_id", None) == self.id_of(name)]

    async def hear(
        self,
        kind: type[Told],
        which: Callable[[Told], object] = lambda message: True,
        *,
        within: float = PATIENCE,
    ) -> Told:
        """The first message of a kind for which `which` is true, now or later."""
        return await until(
            lambda: next((m for m in self.heard(kind) if which(m)), None),
            f"a {kind.__name__} of {len(self.heard(kind))}",
            within,
        )

    # Errors -----------------------------------------------------------------------------------------------

    async def errors(self, name: str = "one") -> list[dict[str, Any]]:
        """The error report."""
        answer = await self.house.ask("GET", f"/v1/connections/{self.id_of(name)}/errors")
        found: list[dict[str, Any]] = answer["errors"]
        return found

    async def error(self, which: Callable[[dict[str, Any]], object], name: str = "one") -> dict[str, Any]:
        """One of its rows, now or later."""

        async def look() -> dict[str, Any] | None:
            return next((row for row in await self.errors(name) if which(row)), None)

        return await until(look, "a row in the error report")

    async def no_errors(self, name: str = "one") -> None:
        """Returns when the report is empty."""

        async def empty() -> bool:
            return not await self.errors(name)

        await until(empty, "an empty error report")

    async def send_again(self, *ids: str, name: str = "one") -> None:
        """Has rows of the report tried again, none named = all."""
        path = f"/v1/connections/{self.id_of(name)}/errors/send-again"
        await self.house.ask("POST", path, json={"ids": list(ids) or "all"}, expect=202)
