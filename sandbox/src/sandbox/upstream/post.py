"""Sends what was planned to ingest, and writes down what it answers."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sandbox.upstream.account import Account, Planned
from sandbox.upstream.traffic import Item, Request

AT_ONCE = 4
ATTEMPTS = 60
NDJSON = "application/x-ndjson"
_CLOUD_EVENT_TYPE = "leadbus.marketing.event"
_TAKEN = {"accepted", "duplicate", "rejected"}

Results = list[tuple[str, str | None]]


class NotAnswered(Exception):
    """Ingest did not take a request in time, or answered what no sender could make sense of."""


async def post_all(
    account: Account,
    ingest: str,
    keys: Mapping[str, str],
    *,
    per_second: float,
    progress: Callable[[int, int], None],
) -> None:
    """Sends all that has no answer yet, a few requests at a time, at about this many items per second.

    keys: an API key per tenant. progress: hears how many items are answered, and of how many.

    Raises:
        NotAnswered: see there; what was answered until then is kept.
    """
    planned = account.unanswered()
    total = sum(len(p.request.items) for p in planned)
    done = 0
    room = asyncio.Semaphore(AT_ONCE)
    began = time.monotonic()

    async def send(client: httpx.AsyncClient, one: Planned) -> None:
        nonlocal done
        try:
            account.sending(one, time.time())
            results = await _results(client, one.request, keys[one.request.tenant])
            account.answered(one, time.time(), results)
        finally:
            room.release()
        done += len(one.request.items)
        progress(done, total)

    ahead = 0
    async with httpx.AsyncClient(base_url=ingest, timeout=30, trust_env=False) as client:
        try:
            async with asyncio.TaskGroup() as group:
                for one in planned:
                    await asyncio.sleep(max(0.0, began + ahead / per_second - time.monotonic()))
                    ahead += len(one.request.items)
                    await room.acquire()
                    group.create_task(send(client, one))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None


async def _results(client: httpx.AsyncClient, request: Request, key: str) -> Results:
    """Status and event id per item, once every item has been taken or refused."""
    content, media = _content(request)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": media}
    if request.idempotency_key:
        headers["Idempotency-Key"] = request.idempotency_key
    for _ in range(ATTEMPTS):
        try:
            answer = await client.post(f"/v1/{request.input}", content=content, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.5)
            continue
        if answer.status_code in {429, 503}:
            await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
            continue
        results = _read(answer)
        if len(results) == len(request.items) and all(status in _TAKEN for status, _ in results):
            return results
        if answer.status_code != 200:
            raise NotAnswered(f"POST /v1/{request.input} was answered {answer.status_code} without results.")
    raise NotAnswered(f"POST /v1/{request.input} was not taken in {ATTEMPTS} attempts.")


def _read(answer: httpx.Response) -> Results:
    if answer.headers.get("content-type", "").startswith(NDJSON):
        lines: list[dict[str, Any]] = [json.loads(line) for line in answer.text.splitlines()]
        found = [line for line in lines if "done" not in line]
    else:
        found = answer.json().get("results", [])
    return [(result["status"], result.get("event_id")) for result in found]


def _content(request: Request) -> tuple[bytes, str]:
    bodies = [item.body for item in request.items]
    if request.format == "ndjson":
        return b"".join(_bytes(body) + b"\n" for body in bodies), NDJSON
    if request.format == "cloudevents":
        return _bytes([_cloud_event(item) for item in request.items]), "application/cloudevents-batch+json"
    return _bytes(bodies[0] if len(bodies) == 1 else bodies), "application/json"


def _cloud_event(item: Item) -> dict[str, Any]:
    data = {name: value for name, value in item.body.items() if name != "event_id"}
    envelope = {"specversion": "1.0", "type": _CLOUD_EVENT_TYPE, "source": "/sandbox/upstream"}
    return {**envelope, "id": item.body["event_id"], "data": data}


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
