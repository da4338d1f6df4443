"""An adapter whose calls stay within what its organisation allows."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Literal

from leadbus.connector.budget import Budget, Urgency
from leadbus.connector.capabilities import PEOPLE, Capabilities, Kind, Verb
from leadbus.connector.contract import (
    Account,
    Adapter,
    CampaignAsSent,
    CampaignMember,
    Conversion,
    Converted,
    Created,
    CrmActivity,
    FieldInfo,
    Finding,
    Limits,
    NewAccount,
    NewActivity,
    NewPerson,
    Outcome,
    Page,
    Person,
    PersonChange,
    Row,
    Watch,
    WrittenCampaign,
)
from leadbus.connector.credits import CreditLedger
from leadbus.errors import Fenced
from leadbus.messages import Record

LEADING_TO_NEW_LEADS: frozenset[Verb] = frozenset(
    {"read", "find_by_email", "find_accounts", "create_accounts", "create", "convert"}
)
"""What delivering a new lead may take, besides what is written to it afterwards."""
RARE: frozenset[Verb] = frozenset({"check", "watch"})
"""Called now and then, so that nothing is gained by holding them back: they tell what the rest may do."""


class Budgeted:
    """Makes its calls within the organisation's budget and its credits; implements `Adapter`.

    urgency: of what it is used for, not NEW_LEADS. ledger: None = calls cost nothing. enter: the way
    in, taken for each call. holds_lease: whether this pod still works the organisation; asked once there is
    room, as waiting for it may have taken longer than a lease lasts.
    """

    def __init__(
        self,
        adapter: Adapter,
        budget: Budget,
        urgency: Urgency,
        *,
        ledger: CreditLedger | None = None,
        enter: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        holds_lease: Callable[[], bool] = lambda: True,
    ) -> None:
        self._adapter = adapter
        self._budget = budget
        self._urgency = urgency
        self._ledger = ledger
        self._enter = enter
        self._holds_lease = holds_lease
        self.capabilities: Capabilities = adapter.capabilities

    @asynccontextmanager
    async def _room(
        self, verb: Verb, rows: int = 1, calls: int = 1, modules: Iterable[str] = ()
    ) -> AsyncIterator[None]:
        """modules: of each row, as no call serves rows of two; none = all are of one.

        Raises Fenced if another pod may work this organisation by now, RateLimited if credits are gone.
        """
        calls = min(calls, self.capabilities.calls_per_verb or calls)
        urgency = self._urgency_of(verb)
        async with self._enter(), self._budget.take(calls, urgency):
            if not self._holds_lease():
                raise Fenced("Another pod may work this CRM organisation by now.")
            cost = self.capabilities.credits.get(verb)
            if self._ledger is not None and cost is not None:
                credits = sum(map(cost, Counter(modules).values() or (rows,)))
                if verb in RARE:
                    self._ledger.spend(credits, datetime.now(UTC))
                else:
                    self._ledger.take(credits, urgency, datetime.now(UTC))
            yield

    def _urgency_of(self, verb: Verb) -> Urgency:
        is_delivering = self._urgency is Urgency.DELIVERING
        if verb in RARE or (is_delivering and verb in LEADING_TO_NEW_LEADS):
            return Urgency.NEW_LEADS
        return self._urgency

    def _pages(self, rows: int) -> int:
        return -(-rows // self.capabilities.rows_per_read)

    def _writes(self, rows: int) -> int:
        return -(-rows // self.capabilities.fewest_rows_per_write)

    async def sign_in(self) -> list[Finding]:
        """See `Adapter`."""
        async with self._room("check"):
            return await self._adapter.sign_in()

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Adapter`."""
        async with self._room("check"):
            return await self._adapter.rights()

    async def teams(self) -> list[str]:
        """See `Adapter`."""
        async with self._room("check"):
            return await self._adapter.teams()

    async def limits(self) -> Limits:
        """See `Adapter`."""
        async with self._room("check"):
            return await self._adapter.limits()

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """See `Adapter`."""
        async with self._room("check"):
            return await self._adapter.describe(kind)

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. Every kind of person is a module of its own."""
        async with self._room("find_by_email", len(emails), self._pages(len(emails)) * len(PEOPLE)):
            return await self._adapter.find_by_email(emails)

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        async with self._room("find_accounts", len(names), self._pages(len(names))):
            return await self._adapter.find_accounts(names)

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`."""
        modules = [record.module for record in records]
        calls = self._pages(len(records)) + len(set(modules)) - 1
        async with self._room("read", len(records), calls, modules):
            return await self._adapter.read(records)

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """See `Adapter`. A page's rows are not known before; it counts as one."""
        async with self._room("changed"):
            return await self._adapter.changed(kind, since, page, mark)

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`. A page counts as one row."""
        async with self._room("members"):
            return await self._adapter.members(list_id, page)

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`."""
        async with self._room("activities_of", len(records), len(records)):
            return await self._adapter.activities_of(records)

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """See `Adapter`. Rows are spread over several calls, as writing is what takes long."""
        kinds = (new.kind for new in people)
        async with self._room("create", len(people), self._writes(len(people)), kinds):
            return await self._adapter.create(people)

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """See `Adapter`. Each is a call of its own."""
        async with self._room("convert", len(conversions), len(conversions)):
            return await self._adapter.convert(conversions)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        modules = (change.record.module for change in changes)
        async with self._room("update", len(changes), self._writes(len(changes)), modules):
            return await self._adapter.update(changes)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """See `Adapter`."""
        async with self._room("create_accounts", len(accounts), self._writes(len(accounts))):
            return await self._adapter.create_accounts(accounts)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """See `Adapter`."""
        types = (new.type for new in activities)
        async with self._room("add_activities", len(activities), self._writes(len(activities)), types):
            return await self._adapter.add_activities(activities)

    async def write_campaigns(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`."""
        async with self._room("write_campaigns", len(campaigns), self._writes(len(campaigns))):
            return await self._adapter.write_campaigns(campaigns)

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`."""
        modules = (member.record.module for member in members)
        async with self._room("put_members", len(members), self._writes(len(members)), modules):
            return await self._adapter.put_members(members)

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """See `Adapter`."""
        return self._adapter.interpret(body, content_type)

    async def watch(self, url: str) -> Watch:
        """See `Adapter`."""
        async with self._room("watch"):
            return await self._adapter.watch(url)

    def url_of(self, record: Record) -> str:
        """See `Adapter`."""
        return self._adapter.url_of(record)

    async def close(self) -> None:
        """See `Adapter`."""
        await self._adapter.close()
