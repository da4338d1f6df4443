"""The account of what was sent, and sending: nothing is forgotten, nothing gets another id."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.upstream.account import Account
from sandbox.upstream.post import NotAnswered, post_all
from sandbox.upstream.traffic import Format, Item, Request

_KEYS = {"aurora": "key-of-aurora"}


def _request(
    number: int, *bodies: dict[str, Any], format: Format = "json", key: str | None = None
) -> Request:
    items = tuple(Item({"event_id": f"e{number}-{place}", **body}) for place, body in enumerate(bodies))
    return Request("aurora", "events", items, format, key)


def test_a_plan_survives_and_is_unanswered_until_it_is_answered(tmp_path: Path) -> None:
    first, second = _request(1, {"a": "ü"}, {"a": 2}), _request(2, {"b": 1}, format="ndjson", key="k")
    with Account(tmp_path / "account") as account:
        account.plan("a", [first, second])
        planned = account.unanswered()
        account.sending(planned[0], 10.0)
        account.sending(planned[0], 11.0)
        account.answered(planned[0], 12.0, [("accepted", "e1-0"), ("rejected", None)])
    with Account(tmp_path / "account") as account:
        assert [p.request for p in account.unanswered()] == [second]
        assert account.runs == 1
        items = account.items()
    assert [(i.body.get("a"), i.status, i.sent_at, i.answered_at) for i in items] == [
        ("ü", "accepted", 10.0, 12.0),
        (2, "rejected", 10.0, 12.0),
        (None, None, None, None),
    ]


def test_a_plan_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    def requests() -> Any:
        yield _request(1, {})
        raise Broken

    with Account(tmp_path / "account") as account:
        with pytest.raises(Broken):
            account.plan("a", requests())
        assert account.runs == 0
        assert account.items() == []


def test_the_latest_note_of_a_deed_counts_in_its_old_place(tmp_path: Path) -> None:
    with Account(tmp_path / "account") as account:
        account.note("status", "l1", {"status": "New"})
        account.note("status", "l2", {"status": "Dead"})
        account.note("status", "l1", {"status": "Dead"})
        assert list(account.notes("status").items()) == [
            ("l1", {"status": "Dead"}),
            ("l2", {"status": "Dead"}),
        ]
        assert account.notes("seed") == {}


async def test_what_was_not_taken_is_sent_again_with_the_same_ids(tmp_path: Path) -> None:
    received: list[bytes] = []

    async def reluctant(request: HttpRequest) -> Response:
        received.append(await request.body())
        if len(received) == 1:
            return JSONResponse({}, 503, {"Retry-After": "0"})
        if len(received) == 2:
            return JSONResponse({"results": [{"index": 0, "status": "failed"}]}, 503, {"Retry-After": "0"})
        return JSONResponse({"results": [{"index": 0, "status": "accepted", "event_id": "e1-0"}]}, 202)

    with Account(tmp_path / "account") as account:
        account.plan("a", [_request(1, {"type": "email_open"})])
        async with _serving(reluctant) as url:
            await post_all(account, url, _KEYS, per_second=1_000, progress=lambda done, total: None)
        (item,) = account.items()
    assert len(received) == 3
    assert len(set(received)) == 1
    assert item.status == "accepted"
    assert item.sent_at is not None
    assert item.answered_at is not None
    assert item.sent_at < item.answered_at


async def test_an_answer_that_makes_no_sense_ends_sending_and_leaves_the_item_unanswered(
    tmp_path: Path,
) -> None:
    async def lost(request: HttpRequest) -> Response:
        return JSONResponse({"detail": "no such path"}, 404)

    with Account(tmp_path / "account") as account:
        account.plan("a", [_request(1, {"type": "email_open"})])
        async with _serving(lost) as url:
            with pytest.raises(NotAnswered, match="404"):
                await post_all(account, url, _KEYS, per_second=1_000, progress=lambda done, total: None)
        assert len(account.unanswered()) == 1


async def test_each_format_is_sent_as_what_it_is(tmp_path: Path) -> None:
    seen: dict[str, tuple[Any, str | None, str | None]] = {}

    async def curious(request: HttpRequest) -> Response:
        text = (await request.body()).decode()
        media = request.headers["content-type"]
        streamed = media == "application/x-ndjson"
        read = [json.loads(line) for line in text.splitlines()] if streamed else json.loads(text)
        seen[media] = (read, request.headers.get("idempotency-key"), request.headers.get("authorization"))
        results = [{"index": i, "status": "accepted", "event_id": f"x{i}"} for i in range(2)]
        if streamed:
            lines = [*results, {"done": True}]
            return Response("".join(json.dumps(line) + "\n" for line in lines), media_type=media)
        return JSONResponse({"results": results}, 202)

    formats: tuple[Format, ...] = ("json", "ndjson", "cloudevents")
    with Account(tmp_path / "account") as account:
        account.plan("a", [_request(1, {"n": 1}, {"n": 2}, format=f, key="k") for f in formats])
        async with _serving(curious) as url:
            await post_all(account, url, _KEYS, per_second=1_000, progress=lambda done, total: None)
        assert {item.event_id for item in account.items()} == {"x0", "x1"}
    bodies = [{"event_id": "e1-0", "n": 1}, {"event_id": "e1-1", "n": 2}]
    told = ("k", "Bearer key-of-aurora")
    assert seen["application/json"] == (bodies, *told)
    assert seen["application/x-ndjson"] == (bodies, *told)
    (first, _), *headers = seen["application/cloudevents-batch+json"]
    assert (first["id"], first["data"], first["specversion"]) == ("e1-0", {"n": 1}, "1.0")
    assert tuple(headers) == told


@asynccontextmanager
async def _serving(answer: Callable[[HttpRequest], Awaitable[Response]]) -> AsyncIterator[str]:
    """Something that speaks HTTP where ingest would be; ingest cannot be made to answer like this at will."""
    app = Starlette(routes=[Route("/v1/events", answer, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", ws="none"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
