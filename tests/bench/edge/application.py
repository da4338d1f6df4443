"""Ingest as a good programmer writes it by hand for the one thing that is measured: the yardstick.

A bare ASGI application: one path, one key, JSON. It validates by the same model, refuses names given twice,
stamps tenant, prospect and time of receipt in front of what was posted, and answers for each event once
every in-sync replica has it. No framework, no telemetry, no limits. Run: `python -m bench.edge.application`,
told by variables.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import uvicorn
from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Record
from pydantic import TypeAdapter, ValidationError
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from leadbus.ids import prospect_id
from leadbus.messages import MarketingEventBody
from leadbus.topics import MARKETING_EVENTS
from leadbus.wire_names import on_wire

_MODEL: TypeAdapter[MarketingEventBody] = TypeAdapter(MarketingEventBody)
_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", b"application/json")]
_POLL_SECONDS = 0.001


class Application:
    """The ASGI application."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._tenants = {b"Bearer " + environ["BENCH_KEY"].encode(): environ["BENCH_TENANT"]}
        self._topic = on_wire(environ["LEADBUS_TOPIC_PREFIX"], MARKETING_EVENTS.name)
        self._producer = Producer(
            {
                "bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"],
                "client.id": "bare",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "socket.nagle.disable": True,
            }
        )
        self._polling = False
        self._awaited = 0

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        body = b""
        more = True
        while more:
            part: Any = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        key = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        tenant = self._tenants.get(key)
        if scope["method"] != "POST" or scope["path"] != "/v1/events" or tenant is None:
            status, answer = 401, {"detail": "a key is needed, and a path"}
        else:
            status, answer = await self._take(tenant, body.decode())
        content = json.dumps(answer, separators=(",", ":")).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    async def _take(self, tenant: str, text: str) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        now = datetime.now(UTC).isoformat()
        head = f'{{"schema_version":1,"tenant_id":"{tenant}","received_at":"{now}"'
        results: list[dict[str, Any]] = []
        answers = _Answers()
        try:
            for index, item in enumerate(_cut(text)):
                event = _MODEL.validate_json(item, extra="forbid")
                person = prospect_id(tenant, email=event.email, visitor_id=event.visitor_id)
                stamp = f'{head},"prospect_id":"{person}"'
                event_id = event.event_id
                if event_id is None:
                    event_id = str(uuid4())
                    stamp += f',"event_id":"{event_id}"'
                if event.occurred_at is None:
                    stamp += f',"occurred_at":"{now}"'
                self._produce(f"{stamp},{item[1:]}".encode(), person, answers)
                results.append(
                    {"index": index, "status": "accepted", "event_id": event_id, "prospect_id": person}
                )
        except (ValueError, ValidationError) as error:
            return 422, {"detail": str(error)}
        if await answers.failed():
            return 503, {"detail": "Kafka did not take everything"}
        return 202, {"results": results}

    def _produce(self, value: bytes, key: str, answers: "_Answers") -> None:
        answers.left += 1
        self._awaited += 1
        self._producer.produce(
            self._topic, value, key, headers=_HEADERS, on_delivery=partial(self._delivered, answers)
        )
        if not self._polling:
            self._polling = True
            asyncio.get_running_loop().call_later(_POLL_SECONDS, self._poll)

    def _delivered(self, answers: "_Answers", error: KafkaError | None, _: Record) -> None:
        self._awaited -= 1
        answers.take(error)

    def _poll(self) -> None:
        self._producer.poll(0)
        self._polling = self._awaited > 0
        if self._polling:
            asyncio.get_running_loop().call_later(_POLL_SECONDS, self._poll)


class _Answers:
    """Kafka's, to the records of one request."""

    def __init__(self) -> None:
        self.left = 0
        self._errors = 0
        self._complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, error: KafkaError | None) -> None:
        self._errors += error is not None
        self.left -= 1
        if not self.left and not self._complete.done():
            self._complete.set_result(None)

    async def failed(self) -> int:
        """How many, once all are known."""
        if self.left:
            await self._complete
        return self._errors


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is given twice")
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _cut(text: str) -> Iterator[str]:
    """The object, or each one of the array, as it is written; written without space between them."""
    if not text.startswith("["):
        _DECODER.decode(text)
        yield text
        return
    at = 1
    while True:
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        if text[end] != ",":
            return
        at = end + 1


def main() -> int:
    """The exit code."""
    uvicorn.run(
        Application(os.environ),
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
