"""What happens in a watched run: leads go there by each protocol, are worked on, and come back."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import md5
from typing import Any

from aiokafka import AIOKafkaProducer

from leadbus.consuming.decoding import Raw, dead_letter
from leadbus.errors import Undecodable
from leadbus.publishing import Outgoing
from leadbus.telemetry import names
from leadbus.telemetry.edges import Trace
from leadbus.testing.waiting import until
from leadbus.topics import LEADS_DISTRIBUTED, MARKETING_EVENTS
from leadbus.wire_names import on_wire
from rig import persons
from rig.children import client_of
from rig.collector import Collector
from rig.edges import Traces
from rig.reading import everything
from sandbox import supplier
from sandbox.cast import CONNECTIONS, TENANTS, Connection
from sandbox.place import Place
from sandbox.servers import ServerError
from sandbox.stack import Stack

FOLLOWED = {c.tenant: c for c in CONNECTIONS if c.id != "aurora-south"}
"""By tenant; two of Aurora's speak the same protocol with the same CRM."""
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "aurora": {"kind": "http_500", "operation": "set_entries"},
    "borealis": {"kind": "died_writing", "module": "Leads", "field": "last_name"},
}
"""What goes wrong once with the first lead; elsewhere any call that writes is answered with an error."""
REFUSALS: Mapping[str, Mapping[str, Any]] = {
    "connector-sugar": {"module": "Leads", "field": "last_name", "matches": persons.REFUSED_NAME},
    "connector-zoho": {"module": "Leads", "field": "Last_Name", "value": persons.REFUSED_NAME},
    "connector-dynamics": {"entity": "lead", "attribute": "lastname", "value": persons.REFUSED_NAME},
}
REPEATED = f"No {persons.REFUSED_NAME}, {persons.FIELDS['phone']}, will be taken"
"""A CRM's words that repeat what it was given."""
REPLAYED = "corona"
MEDIA = ("application/json", "application/x-ndjson", "application/cloudevents+json")
_LINK = re.compile(r"https?://\S+/(\S+)")


class Story:
    """secrets: whatever somebody signs in with; known once it is told."""

    def __init__(self, stack: Stack, place: Place, collector: Collector) -> None:
        self._stack = stack
        self._collector = collector
        self._password = place.crm_password()
        self._keys: dict[str, str] = {}
        self.secrets = {
            *(self._password, md5(self._password.encode(), usedforsecurity=False).hexdigest()),
            *(place.operator_token().read_text(), place.secret_key().read_text()),
            *(persons.WRONG_PASSWORD, persons.WRONG_KEY),
        }

    async def tell(self) -> None:
        """From the first key to the last answer."""
        await self._settle_in()
        await asyncio.gather(*map(self._leads_go, FOLLOWED), self._nobody_can_read(), self._goes_wrong())
        await asyncio.gather(*map(self._leads_arrive, FOLLOWED))
        await asyncio.gather(*map(self._salesperson, FOLLOWED), self._accepted_by_mail(), self._replay())
        await asyncio.gather(*map(self._come_back, FOLLOWED))
        # Levels are measured every few seconds; a query must find whatever is declared.
        with suppress(AssertionError):
            await until(self._measured, "figures of every kind")

    def traces(self, tenant: str) -> Traces:
        """Of its leads."""
        return Traces(self._collector, tenant, self._stack.crms[tenant].connector)

    async def _settle_in(self) -> None:
        crms, services = self._stack.crms, self._stack.running
        await asyncio.gather(*(crm.prepare(self._password) for crm in crms.values()))
        self._keys = {tenant.id: await services.make_key(tenant.id) for tenant in TENANTS}
        await asyncio.gather(
            *(services.connect(c, crms[c.tenant], self._password) for c in FOLLOWED.values())
        )
        self.secrets |= set(self._keys.values())

    async def _leads_go(self, tenant: str) -> None:
        crm = self._stack.crms[tenant]
        await crm.do("faults", **FAULTS.get(tenant, {"kind": "error", "of": "writes"}), times=1)
        said = {} if crm.connector == "connector-zoho" else {"message": REPEATED}
        await crm.do("desk/refuse", **REFUSALS[crm.connector], **said)
        suppliers = next(t for t in TENANTS if t.id == tenant).suppliers
        of = {"supplier_id": suppliers[0].id, "supplier_name": suppliers[0].name}
        handed = persons.distribution("handed", tenant, of)
        refused = persons.distribution("refused", tenant, of, last_name=persons.REFUSED_NAME)
        list_id, campaign = f"l-{tenant}", f"c-{tenant}"
        news = {"status": "opted_out", "at": "2026-01-02T03:04:05Z", "source": "preference page"}
        update = {
            "email": handed["email"],
            "subscription": news,
            "lists": [{"list_id": list_id}],
            "campaigns": [{"campaign_id": campaign}],
        }
        await self._post(tenant, "distributions", handed)
        await until(lambda: self._has_failed(tenant), f"a failed call to the CRM of {tenant}")
        await self._post(tenant, "campaigns", {"campaign_id": campaign, "name": "Spring", "sync": True})
        await self._post(tenant, "lists", {"list_id": list_id, "name": "Newsletter"})
        await self._post(tenant, "events", persons.form("form", tenant))
        await self._post(tenant, "distributions", refused)
        await self._post(tenant, "prospects", update)

    def _has_failed(self, tenant: str) -> bool:
        """Whether the first lead's trace tells of the call that went wrong."""
        ids = self.traces(tenant).ids(Trace.DISTRIBUTION)
        return any(span.failed and span.trace in ids for span in list(self._collector.spans))

    async def _leads_arrive(self, tenant: str) -> None:
        async def there() -> bool:
            known = (await self._stack.crms[tenant].tables()).by_email
            return {persons.person(name, tenant) for name in ("handed", "form")} <= known.keys()

        await until(there, f"both leads in the CRM of {tenant}")
        await self._edges(tenant, Trace.DISTRIBUTION, Trace.FORM)

    async def _salesperson(self, tenant: str) -> None:
        crm = self._stack.crms[tenant]
        tables = await crm.tables()
        lead, buyer = (tables.by_email[persons.person(name, tenant)][0] for name in ("handed", "form"))
        await crm.set_status(lead, crm.statuses[0])
        await crm.sell(buyer, f"Course for {persons.FIELDS['last_name']}", *crm.stages[0])

    async def _come_back(self, tenant: str) -> None:
        await self._edges(tenant, Trace.BACK)

    async def _measured(self) -> bool:
        told = "\n".join([text async for _, text in self.metrics()])
        return all(metric.series[0] in told for metric in names.METRICS)

    async def metrics(self) -> AsyncIterator[tuple[str, str]]:
        """Of each service what `/metrics` says."""
        for name, url in self._stack.running.urls.items():
            async with client_of(url) as client:
                yield name, (await client.get("/metrics")).text

    async def _edges(self, tenant: str, *traces: Trace) -> None:
        """Waits for them; which one is missing, a test of its own tells."""
        with suppress(AssertionError):
            await until(lambda: not self.traces(tenant).missing(*traces), f"all spans of {tenant}")

    async def _accepted_by_mail(self) -> None:
        assert await supplier.accept(self._stack, ())
        for mail in self._stack.mail.mails():
            self.secrets |= set(_LINK.findall(mail.text))

    async def _nobody_can_read(self) -> None:
        """Records with somebody in them become dead letters."""
        email = persons.person("poison", "aurora")
        bodies = (f"{email}, no JSON", json.dumps({"email": email, "fields": persons.FIELDS, email: 1}))
        for body in bodies:
            await self._write(Outgoing(MARKETING_EVENTS.name, b"a stranger's", body.encode(), ()))

    async def _replay(self) -> None:
        """Among the dead letters lies a lead that an older version could not read, and now it can be."""
        tenant = REPLAYED
        connector = self._stack.crms[tenant].connector
        records = await everything(self._stack.bootstrap_servers, self._topic(LEADS_DISTRIBUTED.name))
        record = next(r for r in records if r.value and persons.person("handed", tenant).encode() in r.value)
        told = json.loads(record.value or b"") | {"event_id": "replayed", "distribution_id": "d-replayed"}
        raw = Raw(LEADS_DISTRIBUTED.name, replace(record, value=json.dumps(told).encode()))
        await self._write(dead_letter(raw, connector, Undecodable("An older version could not read it.")))
        answer = await self._stack.running.ask(connector, "POST", "/v1/dead-letters/replay")
        assert answer == {"replayed": 1}

    async def _goes_wrong(self) -> None:
        """Refused items, unknown keys, passwords that no CRM takes."""
        urls = self._stack.running.urls
        for tenant in FOLLOWED:
            for input, item in persons.wrong_items(tenant).items():
                await self._post(tenant, input, item, status=422)
        async with client_of(urls["ingest"], persons.WRONG_KEY) as client:
            email = persons.person("unknown", "aurora")
            assert (await client.post("/v1/events", json={"email": email})).status_code == 401
            hook = f"/hooks/{FOLLOWED['corona'].id}/{persons.WRONG_KEY}"
            assert (await client.post(hook, json={"email": email})).status_code in {401, 404}
        async with client_of(urls["ingest"], self._keys["aurora"]) as client:
            for media in MEDIA:
                broken = f'{{"email": "{email}\n'
                answer = await client.post("/v1/events", content=broken, headers={"Content-Type": media})
                assert '"accepted",' not in answer.text
        await asyncio.gather(*map(self._signs_in_wrongly, FOLLOWED.values()))

    async def _signs_in_wrongly(self, connection: Connection) -> None:
        crm, services = self._stack.crms[connection.tenant], self._stack.running
        body = connection.body(await crm.settings(persons.WRONG_PASSWORD))
        path = f"/v1/connections/{connection.id}-wrong"
        with suppress(ServerError):  # some are tried when they are saved
            await services.ask(crm.connector, "PUT", path, json=body)
            tested = await services.ask(crm.connector, "POST", f"{path}/test", json={"part": "access"})
            assert not tested["ok"]

    async def _post(self, tenant: str, input: str, items: Any, status: int = 202) -> None:
        async with client_of(self._stack.running.urls["ingest"], self._keys[tenant]) as client:
            answer = await client.post(f"/v1/{input}", json=items)
        assert answer.status_code == status, (input, answer.text)

    def _topic(self, name: str) -> str:
        return on_wire(self._stack.topic_prefix, name)

    async def _write(self, record: Outgoing) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._stack.bootstrap_servers) as producer:
            headers = list(record.headers)
            topic = self._topic(record.topic)
            await producer.send_and_wait(topic, record.value, record.key, headers=headers)
