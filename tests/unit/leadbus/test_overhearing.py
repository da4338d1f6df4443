"""What the contract suite overhears of a service is what was written there, and no accident of numbers."""

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest

from leadbus.telemetry import Telemetry, names
from leadbus.testing.overhearing import Overhearing

BY_CHANCE = struct.unpack("<d", b"\x00\x00\x00@t-\x01@")[0]
"""A number whose eight bytes have in them what emails of the suite have."""


@pytest.fixture
async def overhearing() -> AsyncIterator[Overhearing]:
    heard = Overhearing()
    await heard.start()
    yield heard
    await heard.stop()


async def test_texts_are_found_in_any_letters_and_numbers_of_attributes_too(overhearing: Overhearing) -> None:
    telemetry = Telemetry("told", {"OTEL_EXPORTER_OTLP_ENDPOINT": overhearing.url})
    span = telemetry.tracer.start_span("Łukasz was here", attributes={"a": 390555123, "b": "x%40t-1.example"})
    span.end()
    await asyncio.to_thread(telemetry.shutdown)
    assert overhearing.has_spans_of(format(span.get_span_context().trace_id, "032x"))
    assert not overhearing.has_spans_of("00" * 16)
    for secret in ("łukasz", "390555123", "@t-"):
        assert overhearing.mentions(secret), secret
    assert overhearing.mentions("nobody") == []


async def test_what_the_bytes_of_a_measured_number_spell_is_no_text(overhearing: Overhearing) -> None:
    telemetry = Telemetry("told", {"OTEL_EXPORTER_OTLP_ENDPOINT": overhearing.url})
    telemetry.histogram(names.CRM_CALL_DURATION).record(BY_CHANCE)
    await asyncio.to_thread(telemetry.shutdown)
    assert overhearing.mentions(names.CRM_CALL_DURATION.name), "it was measured"
    assert overhearing.mentions("@t-") == []
