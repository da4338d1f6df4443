"""Where `exactly` is found, and one stage for all schedules."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # tests are no packages; `exactly` is found beside them

from exactly.stage import Stage  # noqa: E402

from sandbox.servers import Kafka, MongoDB  # noqa: E402


@pytest.fixture(scope="module")
async def stage(kafka: Kafka, mongodb: MongoDB) -> AsyncIterator[Stage]:
    async with Stage(kafka, mongodb) as made:
        yield made
