"""An event and the request to sync that it carries are accepted together, or neither is."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.inputs import INPUTS
from ingest.intake import Intake, Seen
from ingest.items import Item, Result
from ingest.limits import InFlight
from ingest.outbound import Outbound
from ingest.own_fields import OwnFields
from ingest.stamping import Receipt
from ingest.tracing import RequestTrace
from leadbus.errors import LeadbusError, Rejected, Transient
from leadbus.messages import ProspectUpdated
from leadbus.publishing import Outgoing
from leadbus.telemetry import Telemetry
from leadbus.topics import MARKETING_EVENTS, PROSPECTS_UPDATED

FORM = {"type": "form_submission", "email": "ada@example.com", "event_id": "f-1", "sync": {}}
EVENT = {"type": "web_view", "email": "ada@example.com", "event_id": "e-1"}


class Log:
    """A log of which some topics answer with an error."""

    def __init__(self, **errors: LeadbusError) -> None:
        self._errors = {name.replace("_", "."): error for name, error in errors.items()}
        self.kept: list[Outgoing] = []

    async def publish(self, records: Sequence[Outgoing]) -> list[LeadbusError | None]:
        self.kept += [record for record in records if record.topic not in self._errors]
        return [self._errors.get(record.topic) for record in records]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry("ingest", {"OTEL_TRACES_SAMPLER": "always_off"})
    yield made
    made.shutdown()


async def _any_field(tenant: str) -> frozenset[str]:
    return frozenset()


async def take(log: Log, telemetry: Telemetry, *bodies: dict[str, Any]) -> list[Result]:
    intake = Intake(Outbound(log, InFlight(100, 5), telemetry), OwnFields(_any_field), telemetry)
    items = [Item(index, json.dumps(body), INPUTS[0]) for index, body in enumerate(bodies)]
    trace = RequestTrace(telemetry.tracer, "/v1/events", time.time_ns(), None, "acme")
    return await intake.take(Receipt("acme", datetime.now(UTC)), items, Seen(), trace)


async def test_both_are_published_with_one_answer(telemetry: Telemetry) -> None:
    log = Log()
    results = await take(log, telemetry, EVENT, FORM)
    assert [(r.index, r.status, r.event_id) for r in results] == [
        (0, "accepted", "e-1"),
        (1, "accepted", "f-1"),
    ]
    assert [record.topic for record in log.kept] == [
        MARKETING_EVENTS.name,
        MARKETING_EVENTS.name,
        PROSPECTS_UPDATED.name,
    ]
    assert len({record.key for record in log.kept}) == 1


@pytest.mark.parametrize("topic", ["marketing_events", "prospects_updated"])
@pytest.mark.parametrize(
    ("error", "status"),
    [(Transient("not acknowledged"), "failed"), (Rejected("is too large", "value"), "rejected")],
)
async def test_where_one_of_them_is_not_acknowledged_the_item_is_not_accepted(
    telemetry: Telemetry, topic: str, error: LeadbusError, status: str
) -> None:
    (result,) = await take(Log(**{topic: error}), telemetry, FORM)
    assert result.status == status
    assert len(result.errors) == 1


async def test_sent_again_they_have_the_same_ids(telemetry: Telemetry) -> None:
    log = Log()
    for _ in range(2):
        await take(log, telemetry, FORM)
    ids = [json.loads(record.value)["event_id"] for record in log.kept]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("sync", "fields"), [({}, {}), ({"sync": {}}, {"sync": {}, "fields": {"phone": "1"}})]
)
async def test_whoever_unsubscribes_is_an_opt_out_for_every_crm_whatever_the_score(
    telemetry: Telemetry, sync: dict[str, Any], fields: dict[str, Any]
) -> None:
    log = Log()
    left = EVENT | {"type": "email_unsubscribe", "occurred_at": "2026-05-01T10:00:00Z"}
    (result,) = await take(log, telemetry, left | {"fields": {"phone": "1"}} | sync)
    assert result.status == "accepted"
    assert [record.topic for record in log.kept] == [MARKETING_EVENTS.name, PROSPECTS_UPDATED.name]
    told = ProspectUpdated.model_validate_json(log.kept[1].value)
    word = {"status": "opted_out", "at": told.occurred_at, "source": "email_unsubscribe", "explicit": True}
    assert told.subscription is not None
    assert told.subscription.model_dump() == word
    assert told.model_dump(include={"sync", "fields"}, exclude_unset=True, exclude_defaults=True) == fields
