"""The simulator's organisation service, of a server before and of one after 7.1, which changed much."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are no packages; the client is found beside them

from soap_client import Service, served


@pytest.fixture
async def old() -> AsyncIterator[Service]:
    async with served("2011") as service:
        yield service


@pytest.fixture
async def new() -> AsyncIterator[Service]:
    async with served("2016") as service:
        yield service
