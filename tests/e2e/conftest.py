"""The whole system: one installation that most tests share, and one aside whose servers are killed."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # tests are no packages; `rig` is found beside them
pytest.register_assert_rewrite("rig")

from rig.aside import Aside, without  # noqa: E402
from rig.collector import Collector  # noqa: E402
from rig.installation import SERVICES, Installation  # noqa: E402
from rig.stories import killed_before_publishing, servers_gone  # noqa: E402
from rig.watched import Watched, watch  # noqa: E402

from sandbox.servers import Kafka, MongoDB  # noqa: E402

SCORING = 4
"""Members at first; a test adds the fifth. Taking turns at topics, so many would part a prospect's."""
STORIES = (killed_before_publishing, servers_gone)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with processes of their own first, while it is quiet; last those whose stories take longest."""
    places = [place for place, item in enumerate(items) if HERE in item.path.parents]
    ordered = sorted((items[place] for place in places), key=_turn)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _turn(item: pytest.Item) -> int:
    names = getattr(item, "fixturenames", ())
    return 2 if "aside" in names else 1 if "ours" in names else 0


@pytest.fixture(scope="package")
async def aside(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Aside]:
    """Stories under way on servers of their own."""
    folder = tmp_path_factory.mktemp("aside")
    aside = Aside(folder, (*SERVICES, "scoring", "connector-sugar"), STORIES)
    yield aside
    await aside.stop()


@pytest.fixture(scope="package")
def begun_early(request: pytest.FixtureRequest) -> None:
    """The stories begin before the first test that runs beside them, if they are to be told at all."""
    if any("aside" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("aside")


@pytest.fixture(scope="package")
async def collector() -> AsyncIterator[Collector]:
    """Where `ours` sends its spans and metrics."""
    collector = Collector()
    await collector.start()
    yield collector
    await collector.stop()


@pytest.fixture(scope="package")
async def ours(
    begun_early: None,
    tmp_path_factory: pytest.TempPathFactory,
    kafka: Kafka,
    collector: Collector,
) -> AsyncIterator[Installation]:
    """Ingest, feedback, four members of scoring, two of connector-sugar; a MongoDB of their own to freeze."""
    folder = tmp_path_factory.mktemp("e2e")
    # Nothing is kept but what must always be: distributions and form submissions.
    telemetry = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    }
    async with (
        MongoDB(folder / "mongodb", environ=without(MongoDB.variable)) as mongodb,
        Installation(kafka, mongodb, folder / "services", **telemetry) as installation,
    ):
        await installation.start(*SERVICES, "feedback", *["scoring"] * (SCORING - 1), "connector-sugar")
        yield installation


@pytest.fixture(scope="package")
async def watched(tmp_path_factory: pytest.TempPathFactory, kafka: Kafka, mongodb: MongoDB) -> Watched:
    """What a short run of everything left behind; nothing of it runs any more."""
    return await watch(tmp_path_factory.mktemp("watched"), kafka, mongodb)
