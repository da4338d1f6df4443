"""Lag and commits: what tells a consumer that stands still from one that is merely behind."""

import asyncio

import pytest

from leadbus.consuming import progress
from leadbus.telemetry import Telemetry


def told(telemetry, series):
    """The sum over partitions."""
    lines = telemetry.exposition().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(series + "{"))


async def test_lag_grows_without_commits_while_a_batch_is_held_up(bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "MEASURE_SECONDS", 0.05)
    telemetry = Telemetry("scoring", {})
    held = asyncio.Event()
    async with bench.running(bench.member(telemetry=telemetry)) as member:
        await bench.publish(bench.event("p1", 0))
        await bench.eventually(lambda: told(telemetry, "leadbus_consumer_commits_total") == 1)
        await bench.eventually(lambda: told(telemetry, "leadbus_consumer_lag") == 0)
        member.handler.before = lambda batch: held.wait()
        await bench.publish(bench.event("p1", 1))
        await bench.eventually(lambda: told(telemetry, "leadbus_consumer_lag") >= 1)
        await bench.publish(*(bench.event("p1", n) for n in range(2, 5)))
        await asyncio.sleep(0.3)
        assert told(telemetry, "leadbus_consumer_commits_total") == 1
        assert told(telemetry, "leadbus_consumer_lag") >= 1
        held.set()
        await bench.eventually(lambda: told(telemetry, "leadbus_consumer_lag") == 0)
        assert told(telemetry, "leadbus_consumer_commits_total") >= 2
        assert told(telemetry, "messaging_client_sent_messages_total") == 5
