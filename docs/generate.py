"""Writes what is generated under docs/: JSON Schemas, AsyncAPI, OpenAPI, settings, signals and promises.

`python docs/generate.py [FOLDER]` (make docs); a test fails when what is committed differs.
"""

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows import CONNECTORS, READERS, WRITERS
from promises_page import promises_page
from signals_page import signals_page

from leadbus.connector.settings.page import common_page, settings_page
from leadbus.runner import build, installed
from leadbus.topics import TOPICS, Topic

HERE = Path(__file__).parent
# Only so that the services can be put together; nothing is connected to.
ENVIRON = {"LEADBUS_SECRET_KEY": "A" * 43 + "=", "OTEL_SDK_DISABLED": "true"}


def documents() -> dict[str, Any]:
    """Every generated document by its path below docs/."""
    found: dict[str, Any] = {f"schemas/{topic.name}.json": schema(topic) for topic in TOPICS}
    found["asyncapi.json"] = asyncapi()
    kinds = []
    for service in build(list(installed()), ENVIRON):
        found[f"openapi/{service.name}.json"] = service.api.openapi()
        if service.name in CONNECTORS:
            kinds.append(kind := service.api.state.connection_settings)
            found[f"settings/{service.name.removeprefix('connector-')}.md"] = settings_page(kind)
    found["settings.md"] = common_page(kinds)
    found["promises.md"] = promises_page([name.removeprefix("connector-") for name in CONNECTORS])
    found["signals.md"] = signals_page()
    return found


def schema(topic: Topic) -> dict[str, Any]:
    """The JSON Schema of a topic's messages."""
    described = topic.message.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:leadbus:{topic.name}:1",
        **described,
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of all topics: who sends, who receives, keys, partitions, retention."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Leadbus",
            "version": "1",
            "description": "Facts about prospects, on Kafka. The partitioner is murmur2 for every client.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations("send", WRITERS) | _operations("receive", READERS),
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kept = (
        "compacted, for ever" if topic.retention is None else f"{topic.retention // timedelta(days=1)} days"
    )
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            topic.message.__name__: {
                "name": topic.message.CLOUD_EVENT_TYPE,
                "summary": (topic.message.__doc__ or "").strip().splitlines()[0],
                "payload": {"$ref": f"schemas/{topic.name}.json"},
                "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
            }
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.retention is None else "delete"],
                    **(
                        {"retention.ms": topic.retention // timedelta(milliseconds=1)}
                        if topic.retention
                        else {}
                    ),
                    **(
                        {"max.message.bytes": topic.largest_record_bytes}
                        if topic.largest_record_bytes
                        else {}
                    ),
                },
            }
        },
        "tags": [{"name": f"kept: {kept}"}],
    }


def _operations(action: str, services: Mapping[str, tuple[Topic, ...]]) -> dict[str, Any]:
    return {
        f"{service} {action}s {topic.name}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name.replace('/', '~1')}"},
            "summary": f"{service} {action}s {topic.name}",
        }
        for service, topics in services.items()
        for topic in topics
    }


def write(folder: Path) -> None:
    """Writes all, and removes what is not generated any more."""
    wanted = documents()
    for name, document in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_page = isinstance(document, str)
        text = document if is_page else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")
    generated = ("schemas/*.json", "openapi/*.json", "settings/*.md")
    for stale in [path for pattern in generated for path in folder.glob(pattern)]:
        if str(stale.relative_to(folder)) not in wanted:
            stale.unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
