"""One trace per lead, from the HTTP call through every topic to the SOAP call; nobody's data in it."""

from hashlib import md5
from typing import Any

import pytest
from rig.collector import Collector, Span
from rig.installation import Installation
from rig.tenant import Tenant

from leadbus.testing.waiting import until
from leadbus.topics import TOPICS

PASSWORD = "a password that nobody may see"
PERSON = {
    "first_name": "Zebulon",
    "last_name": "Quartermaine",
    "phone": "+44 7700 900777",
    "company": "Unheard-of Ltd",
}
OF_A_DISTRIBUTION = [
    ("ingest", "POST /v1/distributions", "SERVER"),
    ("ingest", "send leads.distributed", "PRODUCER"),
    ("connector-sugar", "process leads.distributed", "CONSUMER"),
    ("connector-sugar", "sugar set_entries", "CLIENT"),
]
OF_A_FORM = [
    ("ingest", "POST /v1/events", "SERVER"),
    ("ingest", "send marketing.events", "PRODUCER"),
    ("scoring", "process marketing.events", "CONSUMER"),
    ("connector-sugar", "process leads.qualified", "CONSUMER"),
    ("connector-sugar", "sugar set_entries", "CLIENT"),
]


@pytest.fixture(scope="module")
async def tenant(ours: Installation) -> Tenant:
    return await ours.tenant()


def form(tenant: Tenant, email: str) -> list[dict[str, Any]]:
    """A form submission that crosses the threshold, after a call that did not."""
    typed = tenant.event(email, "form_submission") | {"fields": PERSON}
    return [tenant.event(email, "telequalification"), tenant.event(email, "web_view"), typed]


async def sent(collector: Collector, event_id: str) -> Span:
    """The span of the record that ingest made of a posted item."""

    def found() -> Span | None:
        return next((s for s in collector.spans if names(s) == ("PRODUCER", event_id)), None)

    return await until(found, f"the producer's span of {event_id}")


def names(span: Span) -> tuple[str, str | None]:
    return (span.kind, span.attributes.get("messaging.message.id"))


async def way_over(collector: Collector, producer: Span) -> list[tuple[str, str, str]]:
    """From the root over this span to the first SOAP call that wrote."""

    def found() -> list[Span] | None:
        writes = (
            s for s in list(collector.spans) if s.name == "sugar set_entries" and s.trace == producer.trace
        )
        return next((chain for span in writes if producer in (chain := collector.chain_to(span))), None)

    chain = await until(found, "a way to a SOAP call")
    return [(span.service, span.name, span.kind) for span in chain]


async def test_a_distribution_is_one_trace_that_continues_its_senders(
    ours: Installation, collector: Collector, tenant: Tenant
) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    item = tenant.distribution(*tenant.people(1)) | {"fields": PERSON}
    async with tenant.client(ours.ingest.url) as client:
        # The sender has decided against it (00); a distribution is kept all the same.
        headers = {"traceparent": f"00-{trace}-{parent}-00"}
        answer = await client.post("/v1/distributions", json=item, headers=headers)
    assert answer.status_code == 202
    tenant.note("distributions", item)
    producer = await sent(collector, item["event_id"])
    assert await way_over(collector, producer) == OF_A_DISTRIBUTION
    assert producer.trace == trace
    assert collector.chain_to(producer)[0].parent == parent


async def test_a_form_that_qualifies_is_one_trace(
    ours: Installation, collector: Collector, tenant: Tenant
) -> None:
    (email,) = tenant.people(1)
    items = form(tenant, email)
    for item in items:
        await tenant.post("events", [item])
    assert await way_over(collector, await sent(collector, items[-1]["event_id"])) == OF_A_FORM


async def test_each_lead_of_a_batch_of_500_has_its_own_unbroken_way_to_the_crm(
    ours: Installation, collector: Collector, tenant: Tenant
) -> None:
    people = tenant.people(8)
    forms = [form(tenant, email) for email in people]
    others = tenant.people(20)
    rest = [tenant.event(others[n % 20], "email_open") for n in range(500 - 3 * len(forms))]
    await tenant.post("events", [item for items in forms for item in items] + rest)
    for *_, submission in forms:
        producer = await sent(collector, submission["event_id"])
        assert await way_over(collector, producer) == OF_A_FORM
    # What nobody has to follow costs no span.
    unfollowed = [*rest, *(item for items in forms for item in items[:-1])]
    assert not {("PRODUCER", item["event_id"]) for item in unfollowed} & {names(s) for s in collector.spans}


async def test_no_span_log_metric_key_or_header_tells_who_it_was_or_a_password(
    ours: Installation, collector: Collector, tenant: Tenant
) -> None:
    await ours.until_drained()
    await tenant.judge()
    async with tenant.client(ours.connector.url) as client:
        access = {"url": tenant.crm.url, "user": "admin", "password": PASSWORD}
        await client.put(f"/v1/connections/{tenant.connection}-2", json={"access": access})
        tested = await client.post(f"/v1/connections/{tenant.connection}-2/test")
        assert not tested.json()["ok"]
    async with tenant.client(ours.ingest.url) as client:
        answer = await client.post("/v1/events", json={"type": "nothing", "email": PERSON["last_name"]})
        assert answer.status_code == 422
    records = await ours.records(*(topic.name for topic in TOPICS))
    assert records
    told = {
        "spans and metrics": "\n".join(collector.texts),
        "logs": "\n".join(child.log.read_text() for child in ours.all),
        "/metrics": "\n".join([await child.metrics() for child in ours.all]),
        "keys and headers": "\n".join(f"{record.key!r} {record.headers!r}" for record in records),
    }
    secret = {
        PASSWORD,
        md5(PASSWORD.encode(), usedforsecurity=False).hexdigest(),
        *PERSON.values(),
        f"@{tenant.name}.example",
    }
    assert {(place, word) for place, text in told.items() for word in secret if word in text} == set()
    assert all(told.values())
