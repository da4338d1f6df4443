"""The service connector-zoho on real servers, for every class of the contract."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages; the harness is found beside them

from leadbus.testing.house import House
from sandbox.servers import Kafka, MongoDB


@pytest.fixture(scope="package")
async def house(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[House]:
    """One service for all cases that run in this process."""
    async with House("zoho", kafka.bootstrap_servers, mongodb.url) as opened:
        yield opened
