"""The reading side of the connector kit on a real MongoDB, with a CRM whose every answer a test scripts.

The CRM is as small as the contract allows: tables in memory, pages of two rows, a clock of its own. What the
vendors' protocols make of it is tested with their simulators.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.connection import Connection, Health, HealthState
from leadbus.connector.contract import Account, CrmActivity, CrmList, Opportunity, Page, Person, User
from leadbus.connector.link import Link, LinkState
from leadbus.connector.pulling.pulling import Pulling
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.errors import Gone, LeadbusError, Transient
from leadbus.ids import prospect_id
from leadbus.messages import Record
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry
from leadbus.topics import BY_NAME

NAME = "connector-scripted"
MODULES = {
    "lead": "Leads",
    "contact": "Contacts",
    "target": "Targets",
    "account": "Accounts",
    "user": "Users",
    "opportunity": "Deals",
    "activity": "Tasks",
    "list": "Lists",
}
KINDS = {
    "lead": Person,
    "contact": Person,
    "target": Person,
    "account": Account,
    "user": User,
    "opportunity": Opportunity,
    "activity": CrmActivity,
    "list": CrmList,
}
NEVER = dict.fromkeys([*MODULES, "comparison"])
FIELDS = {"first_name": "First", "last_name": "Last", "phone": "Phone", "company": "Company"}
CAPABILITIES = Capabilities(
    crm="scripted",
    modules={kind: (module,) for kind, module in MODULES.items()},
    fields=dict.fromkeys(("lead", "contact", "target"), FIELDS),
    account_fields={"annual_revenue": "Revenue", "account_type": "Type"},
    required=dict.fromkeys(("lead", "contact", "target"), frozenset()),
    new_lead_status="New",
    rows_per_write=100,
    rows_per_read=2,
    concurrent_calls=1,
    own_ids=True,
)


class Settings(ConnectionSettings):
    """Of a CRM that has no address."""

    @property
    def organisation_id(self) -> str:
        return "scripted"

    @property
    def address(self) -> str:
        return "http://127.0.0.1"


@dataclass
class Crm:
    """`rows` by id; `on_list` ids of people by list. asked: every page asked for, as (kind, since, page).

    marks: whether it makes marks of where it stood; forgotten: they are too old for it.
    """

    rows: dict[str, Any] = field(default_factory=dict)
    on_list: dict[str, list[str]] = field(default_factory=dict)
    clock: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    asked: list[tuple[str, Any, Any]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    fails_at: Any = None
    marks: bool = False
    forgotten: bool = False
    capabilities: Capabilities = CAPABILITIES

    def put(self, kind: str, key: str, **values: Any) -> Record:
        """Makes a record, or changes members of one."""
        self.clock += timedelta(seconds=1)
        values = values | {"changed_at": self.clock}
        if key in self.rows:
            self.rows[key] = replace(self.rows[key], **values)
        else:
            record = Record(module=MODULES[kind], id=key)
            if KINDS[kind] is Person:
                values = {"kind": kind, "created_at": self.clock} | values
            self.rows[key] = KINDS[kind](record, **values)
        return self.rows[key].record

    def person(self, kind: str, key: str, email: str | None, **values: Any) -> Record:
        fields = {theirs: values.pop(ours, "") for ours, theirs in FIELDS.items()}
        return self.put(kind, key, email=email, values=fields, **values)

    def erase(self, key: str) -> None:
        """Deleted, without a word to whoever asks for changes."""
        del self.rows[key]

    async def changed(
        self, kind: str, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Any]:
        self.asked.append((kind, since, page))
        if mark is not None and self.forgotten:
            raise Gone("The CRM has forgotten where reading stood.")
        since = datetime.fromisoformat(mark) if mark else since
        if self.fails_at and self.fails_at(kind, page):
            raise Transient("The CRM does not answer.")
        found = [r for r in self.rows.values() if r.record.module == MODULES[kind]]
        found = [r for r in found if (not r.deleted if since is None else r.changed_at >= since)]
        found.sort(key=lambda row: (row.changed_at, row.record.id))
        start = int(page or 0)
        more = str(start + 2) if start + 2 < len(found) else None
        made = (self.clock + timedelta(milliseconds=1)).isoformat() if self.marks and not more else None
        return Page(found[start : start + 2], more, self.clock, len(found), made)

    async def read(self, records: list[Record]) -> dict[str, Any]:
        self.reads += [record.id for record in records]
        return {r.id: self.rows[r.id] for r in records if r.id in self.rows}

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        self.asked.append((f"members of {list_id}", None, page))
        if self.fails_at and (error := self.fails_at(f"members of {list_id}", page)):
            raise error if isinstance(error, LeadbusError) else Transient("The CRM does not answer.")
        people, start = self.on_list.get(list_id, []), int(page or 0)
        more = str(start + 2) if start + 2 < len(people) else None
        rows = [self.rows[key].record for key in people[start : start + 2]]
        return Page(rows, more, self.clock, len(people))

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        return [self.rows[key].record for key in body.decode().split() if key in self.rows]

    def url_of(self, record: Record) -> str:
        return f"http://127.0.0.1/{record.module}/{record.id}"

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Heard:
    """Takes what is published, in order. refuses: does not acknowledge; dies: the process ends there."""

    events: list[Any] = field(default_factory=list)
    refuses: bool = False
    dies_after: int | None = None

    async def publish(self, records: Any) -> list[Any]:
        if self.refuses:
            return [Transient("not acknowledged") for _ in records]
        self.events += [BY_NAME[r.topic].message.model_validate_json(r.value) for r in records]
        if self.dies_after is not None and len(self.events) >= self.dies_after:
            raise asyncio.CancelledError
        return [None for _ in records]


@dataclass
class Reading:
    """One connection; everything is read when asked for, nothing by itself."""

    crm: Crm
    heard: Heard
    shop: PullShop
    connection: Connection
    client: Any
    seen: int = 0

    @property
    def tenant(self) -> str:
        return self.connection.settings.tenant_id

    def pulling(self) -> Pulling:
        return Pulling(self.connection, self.crm, self.shop)  # type: ignore[arg-type]

    async def sync(self, *kinds: Any, full: bool = False) -> list[Any]:
        """Reads these kinds (or all) to their end; what was published meanwhile."""
        await self.shop.asked.kinds(self.connection.id, kinds or list(MODULES), full=full)  # type: ignore[arg-type]
        return await self.turns()

    async def turns(self) -> list[Any]:
        pulling = self.pulling()
        while await pulling.turn() == 0.0:
            pass
        return self.news()

    def news(self) -> list[Any]:
        new, self.seen = self.heard.events[self.seen :], len(self.heard.events)
        return new

    async def row(self, key: str) -> Any:
        return (await self.shop.mirror.get(self.connection.id, [key])).get(key)

    async def problems(self) -> dict[str, tuple[str, str | None]]:
        """Code and root, by record."""
        rows = await self.shop.mirror.problems(self.connection.id)
        return {
            row.record.id: (row.problem.code, row.problem.root.id if row.problem.root else None)
            for row in rows
            if row.problem
        }

    async def link(self, record: Record, email: str, **how: Any) -> str:
        """Links a record to the prospect with this email; its id."""
        prospect = prospect_id(self.tenant, email=email)
        now = datetime.now(UTC)
        link = Link(
            "scripted", prospect, self.tenant, record, LinkState.LINKED, now, "matched", self.connection.id
        )
        link.connections = {self.connection.id}
        await self.shop.links.save([replace(link, **how)])
        return prospect

    def prospect(self, email: str) -> str:
        return prospect_id(self.tenant, email=email)


@pytest.fixture
async def reading(mongodb: Any, emptied: Callable[[str], Awaitable[str]]) -> AsyncIterator[Reading]:
    client = connect(mongodb.url, app_name="reading tests")
    database = await emptied("reading")
    heard, telemetry = Heard(), Telemetry(NAME, {})
    mirror, links = Mirror(client, database, NAME), Links(client, database, NAME)
    deliveries = Deliveries(client, database, NAME)
    shop = PullShop.of(
        client,
        database,
        NAME,
        mirror=mirror,
        links=links,
        deliveries=deliveries,
        publisher=heard,
        telemetry=telemetry,
    )
    if not await client[database].list_collection_names():
        for store in (mirror, links, deliveries, shop):
            await store.prepare()
    settings = Settings(connection_id="one", tenant_id="acme", access={}, schedules=NEVER)  # type: ignore[arg-type]
    health = Health(HealthState.WELL, "", datetime.now(UTC))
    yield Reading(Crm(), heard, shop, Connection(settings, "scripted", True, 1, health), client)
    await client.close()
    telemetry.shutdown()
