"""Kafka and MongoDB for the tests: the same servers as `make up` has, started when a test first asks."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.servers import Kafka, MongoDB

# Whoever runs these has processes of its own; the rest of tests/e2e shares one installation.
_OF_THEIR_OWN = {"test_demo.py", "test_up.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares servers stays on one worker: a file, and the end-to-end tests' one installation."""
    for item in items:
        shares = item.path.parent.name == "e2e" and item.path.name not in _OF_THEIR_OWN
        item.add_marker(pytest.mark.xdist_group("one installation" if shares else str(item.path)))


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    """One broker for all tests: KAFKA_BOOTSTRAP_SERVERS, a container, or embedded. Use topics of your own."""
    async with Kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
async def mongodb(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongoDB]:
    """One replica set for all tests: MONGODB_URL, a container, or embedded. Use a database of your own."""
    async with MongoDB(tmp_path_factory.mktemp("mongodb")) as server:
        yield server


@pytest.fixture
async def own_kafka(tmp_path: Path) -> AsyncIterator[Kafka]:
    """A broker that this test may `kill`, `stop` and `start`."""
    async with Kafka(tmp_path / "kafka", environ=_without(Kafka.variable)) as server:
        yield server


@pytest.fixture
async def own_mongodb(tmp_path: Path) -> AsyncIterator[MongoDB]:
    """A replica set that this test may `kill`, `stop` and `start`."""
    async with MongoDB(tmp_path / "mongodb", environ=_without(MongoDB.variable)) as server:
        yield server


def _without(variable: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != variable}
