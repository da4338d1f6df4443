"""The sample: traffic goes in, a salesperson works, and the judge says what arrived."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from aiokafka import AIOKafkaProducer

from sandbox.api import Api
from sandbox.cast import CONNECTIONS, TENANTS
from sandbox.crms.crm import Crm
from sandbox.crms.tables import Tables
from sandbox.judge.expectation import expect
from sandbox.judge.topics import Heard, Listener
from sandbox.judge.verdict import Deeds, Verdict, judge
from sandbox.place import Place
from sandbox.salesperson import COURSE, SEED, STATUS, Salesperson
from sandbox.tracing import won
from sandbox.upstream.account import Account
from sandbox.upstream.post import post_all
from sandbox.upstream.traffic import Size, Traffic, traffic

PATIENCE_SECONDS = 60.0
UNREADABLE = "unreadable"
_BETWEEN_LOOKS = 1.5
_BREATH = 2.0
"""After everything has come: what is doubled would come after it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """per_second: items; with more, what is started here fills two cores, and leads queue.

    statuses, opportunities: what the salesperson does, per CRM.
    """

    seed: int = 1
    size: Size = field(default_factory=Size)
    per_second: float = 120.0
    statuses: int = 8
    opportunities: int = 3


class Leadbus(Protocol):
    """Where the sample runs. crms: by tenant; those whose tenants take part."""

    @property
    def crms(self) -> Mapping[str, Crm]:
        """CRMs that have been started."""

    @property
    def running(self) -> Api:
        """The services."""

    @property
    def bootstrap_servers(self) -> str:
        """Of its Kafka."""

    @property
    def topic_prefix(self) -> str:
        """Of the topics there."""

    def check(self) -> None:
        """Raises ServerError if something of it has ended by itself."""


class Sample:
    """One run of the sample on a stack."""

    def __init__(
        self,
        stack: Leadbus,
        place: Place,
        account: Account,
        listener: Listener,
        progress: Callable[[str], None],
    ) -> None:
        self._stack = stack
        self._place = place
        self._account = account
        self._listener = listener
        self._progress = progress
        self._tenants = [tenant for tenant in TENANTS if tenant.id in stack.crms]
        self._connections = [connection for connection in CONNECTIONS if connection.tenant in stack.crms]
        self.tables: dict[str, Tables] = {}

    async def set_up(self) -> dict[str, str]:
        """CRMs, keys and connections, where they are not there yet; answers the API keys by tenant."""
        services, password = self._stack.running, self._place.crm_password()
        await asyncio.gather(*(crm.prepare(password) for crm in self._stack.crms.values()))
        keys = self._place.kept_keys()
        for tenant in self._tenants:
            if tenant.id not in keys:
                keys[tenant.id] = await services.make_key(tenant.id)
                self._place.keep_keys(keys)
        return keys

    async def plan(self, plan: Plan) -> None:
        """Plans new traffic, and enters some of its people into the CRMs before they are connected."""
        run = self._account.runs
        token = f"{secrets.token_hex(2)}{run}" if run else "a"
        made = traffic(plan.seed + run, plan.size, self._tenants, token, datetime.now(UTC))
        if not run:
            await self._acquaint(made)
        self._account.plan(token, made.requests)

    async def connect(self) -> None:
        """Connections to every CRM, on."""
        password = self._place.crm_password()
        for connection in self._connections:
            await self._stack.running.connect(connection, self._stack.crms[connection.tenant], password)

    async def protocols(self) -> dict[str, str]:
        """What is spoken with each connection's CRM, in the connector's words."""
        services, crms = self._stack.running, self._stack.crms
        told = await asyncio.gather(*(services.protocol(c, crms[c.tenant]) for c in self._connections))
        return {connection.id: text for connection, text in zip(self._connections, told, strict=True)}

    def heard(self) -> Heard:
        """What the topics have said, as of the last verdict."""
        return self._listener.heard

    async def feed(self, plan: Plan, keys: dict[str, str]) -> None:
        """Sends whatever has no answer yet, and one record that nobody can read."""
        await self._put_unreadable()

        def progress(done: int, total: int) -> None:
            self._stack.check()
            self._progress(f"{done} of {total} items posted")

        url = self._stack.running.urls["ingest"]
        await post_all(self._account, url, keys, per_second=plan.per_second, progress=progress)

    async def sell(self, plan: Plan) -> None:
        """The salesperson's day."""
        promising = won(await self._listener.listen())
        for crm in self._stack.crms.values():
            self._progress(f"a salesperson works in the CRM {crm.name}")
            await Salesperson(crm, self._account).works(plan.statuses, plan.opportunities, promising)

    async def until_quiet(self) -> Verdict:
        """The verdict once nothing is missing, or after a minute of waiting."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (verdict := await self.judged()).waits and time.monotonic() < until:
            self._stack.check()
            self._progress(f"waiting for {verdict.waits} things to arrive, such as: {verdict.faults[0]}")
            await asyncio.sleep(_BETWEEN_LOOKS)
        return verdict

    async def final(self) -> Verdict:
        """`until_quiet`, and once more after a moment."""
        await self.until_quiet()
        await asyncio.sleep(_BREATH)
        return await self.until_quiet()

    async def judged(self) -> Verdict:
        """The verdict as of now."""
        self.tables = {name: await crm.tables() for name, crm in self._stack.crms.items()}
        made = [opportunity for tables in self.tables.values() for opportunity in tables.opportunities]
        deeds = Deeds(
            seeds={key: facts["row"] for key, facts in self._account.notes(SEED).items()},
            statuses=self._account.notes(STATUS),
            sold=frozenset(o.id for o in made if o.name.startswith(COURSE)),
            unreadable=len(self._account.notes(UNREADABLE)),
        )
        return judge(expect(self._account.items()), self.tables, await self._listener.listen(), deeds)

    async def _acquaint(self, made: Traffic) -> None:
        for name, crm in self._stack.crms.items():
            await Salesperson(crm, self._account).knew(made.acquainted[name])

    async def _put_unreadable(self) -> None:
        """A record as another system might write it by mistake: it must block nothing."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._stack.bootstrap_servers, acks="all", enable_idempotence=True
        )
        await producer.start()
        try:
            topic = f"{self._stack.topic_prefix}marketing.events"
            sent = await producer.send_and_wait(topic, b"this is no JSON", key=b"sandbox")
        finally:
            await producer.stop()
        self._account.note(UNREADABLE, f"{sent.partition}/{sent.offset}", {})
