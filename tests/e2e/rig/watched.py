"""One short run of everything that the sandbox has, and all that leaves it beside its messages.

The stack of `make demo`: the services, five CRMs (each protocol once), mail; servers shared with other tests.
It ends before the first test looks at what it left.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.collector import Collector
from rig.reading import everything
from rig.story import Story
from sandbox.place import Place
from sandbox.servers import Kafka, MongoDB
from sandbox.stack import Stack

UNSAMPLED = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
"""Nothing is kept but what must always be: distributions and form submissions."""


@dataclass(frozen=True)
class Watched:
    """told: by place, all that was said there. exposed: by service, what `/metrics` said."""

    collector: Collector
    story: Story
    told: Mapping[str, str]
    exposed: Mapping[str, str]


async def watch(folder: Path, kafka: Kafka, mongodb: MongoDB) -> Watched:
    """Tells the story."""
    collector = Collector()
    async with _stack(folder, kafka, mongodb, collector) as (stack, place):
        story = Story(stack, place, collector)
        await story.tell()
        exposed = {name: text async for name, text in story.metrics()}
        records = await everything(kafka.bootstrap_servers, stack.topic_prefix)
    # Only now have the services said everything.
    told = {
        "logs": (folder / "leadbus/leadbus.log").read_text(encoding="utf-8"),
        "spans and metrics": "\n".join(collector.texts),
        "/metrics": "\n".join(exposed.values()),
        "keys and headers": "\n".join(f"{r.topic} {r.key!r} {r.headers!r}" for r in records),
    }
    return Watched(collector, story, told, exposed)


@asynccontextmanager
async def _stack(
    folder: Path, kafka: Kafka, mongodb: MongoDB, collector: Collector
) -> AsyncIterator[tuple[Stack, Place]]:
    """Told by the environment where to work, as by anybody who has servers of his own."""
    environment = {
        Kafka.variable: kafka.bootstrap_servers,
        MongoDB.variable: mongodb.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
        **UNSAMPLED,
    }
    async with AsyncExitStack() as end:
        await collector.start()
        end.push_async_callback(collector.stop)
        environ = end.enter_context(pytest.MonkeyPatch.context())
        for name, value in (environment | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}).items():
            environ.setenv(name, value)
        place = end.enter_context(Place(folder, usual_ports=False))
        yield await end.enter_async_context(Stack(place, lambda sentence: None)), place
