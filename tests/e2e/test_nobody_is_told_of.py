"""Nothing that leaves a run beside its messages tells who somebody is, or what somebody signs in with."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import unquote

import pytest
from opentelemetry.trace import Status, StatusCode
from rig import persons
from rig.collector import Collector
from rig.watched import Watched

from leadbus.telemetry import Telemetry, names
from leadbus.telemetry.logs import JsonFormatter

pytestmark = pytest.mark.timeout(300)  # the first of a worker waits for the run
SECRET = persons.FIELDS["phone"]


def mentioned(told: Mapping[str, str], secrets: frozenset[str]) -> dict[str, set[str]]:
    """By place what is told there, in any letter case, escaped for a URL or not."""
    found = {}
    for place, text in told.items():
        plain = text.casefold()
        unescaped = unquote(plain)
        found[place] = {s for s in secrets if s.casefold() in plain or s.casefold() in unescaped}
    return {place: secrets for place, secrets in found.items() if secrets}


def test_no_log_span_metric_key_or_header_tells_of_a_person_or_a_secret(watched: Watched) -> None:
    assert all(watched.told.values())
    assert len(watched.story.secrets) > 15
    assert mentioned(watched.told, persons.PERSONAL | watched.story.secrets) == {}
    assert mentioned(watched.told, frozenset({"connector-zoho"})).keys() == watched.told.keys()


@pytest.mark.parametrize(
    "happened",
    [
        "connection corona-zoho: trouble",
        "leads.distributed.connector-zoho.dead",
        "marketing.events.scoring.dead",
        "leadbus-error",
        'key: "error.type"',
        "STATUS_CODE_ERROR",
        'leadbus_outcome="rejected"',
        'leadbus_outcome="parked"',
        'leadbus_outcome="AuthRefused"',
    ],
)
def test_there_was_something_to_tell_of_what_went_wrong(watched: Watched, happened: str) -> None:
    assert any(happened in text for text in watched.told.values())


async def test_whoever_tells_something_is_found_out_wherever_it_is(collector: Collector) -> None:
    """What is looked through is made in the ways of a run, with somebody in it in each place."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    for place in ("name", "attribute", "event", "status", "resource", "label"):
        telemetry = Telemetry(SECRET if place == "resource" else "t", environ)
        span = telemetry.tracer.start_span(SECRET if place == "name" else "n")
        if place == "attribute":
            span.set_attribute(names.ERROR_TYPE, SECRET)
        if place == "event":
            span.record_exception(ValueError(SECRET))
        if place == "status":
            span.set_status(Status(StatusCode.ERROR, SECRET))
        span.end()
        if place == "label":
            telemetry.counter(names.CRM_CALLS).add(1, {names.CONNECTION: SECRET})
        before = len(collector.texts)
        await asyncio.to_thread(telemetry.shutdown)
        exposed = telemetry.exposition().decode() if place == "label" else ""
        told = {"otlp": "\n".join(collector.texts[before:]), **({"/metrics": exposed} if exposed else {})}
        assert mentioned(told, frozenset({SECRET})).keys() == told.keys(), place
    record = logging.makeLogRecord({"msg": "No %s", "args": (SECRET.upper(),)})
    url = f"GET /?phone={SECRET.replace('+', '%2B').replace(' ', '%20')}"
    told = {"log": JsonFormatter().format(record), "url": url, "nothing": "t"}
    assert mentioned(told, frozenset({SECRET})).keys() == {"log", "url"}
