"""The shell around every service: order, patience, health, and what it says when something is wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from pymongo.errors import ServerSelectionTimeoutError
from starlette.requests import Request
from starlette.responses import Response

from leadbus import runner
from leadbus.errors import Rejected, Transient
from leadbus.service import Managed, Part, Service
from leadbus.settings import ConfigurationError
from leadbus.telemetry import Telemetry

Build = Callable[..., Service]


class Recorder:
    """Parts that note what happens to them."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def part(self, name: str, start: Callable[[], Awaitable[None]] | None = None) -> Managed:
        async def started() -> None:
            if start:
                await start()
            self.notes.append(f"{name} started")

        async def stopped() -> None:
            self.notes.append(f"{name} stopped")

        return Managed(name, started, stopped)


@pytest.fixture
async def service() -> AsyncIterator[Build]:
    built: list[Service] = []

    def build(*stages: list[Part]) -> Service:
        built.append(Service("tested", "127.0.0.1", 0, Telemetry("tested", {}), stages))
        return built[-1]

    yield build
    for each in built:
        await each.stop()


async def until_ready(service: Service) -> None:
    while service.not_ready:  # noqa: ASYNC110 - what an operator's probe does, too
        await asyncio.sleep(0.01)


async def ask(service: Service, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=service.url) as client:
        return await client.get(path)


async def test_parts_start_stage_by_stage_and_stop_in_reverse(service: Build) -> None:
    recorder = Recorder()
    tested = service([recorder.part("store"), recorder.part("topics")], [recorder.part("consumer")])
    stopping = asyncio.Event()
    running = asyncio.create_task(tested.run(stopping))
    await until_ready(tested)
    stopping.set()
    await running
    assert recorder.notes[2] == "consumer started"
    assert recorder.notes[3] == "consumer stopped"
    assert sorted(recorder.notes[:2]) == ["store started", "topics started"]
    assert sorted(recorder.notes[4:]) == ["store stopped", "topics stopped"]


async def test_it_waits_for_a_server_that_is_not_there_yet_and_says_so(
    service: Build, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "leadbus.service")
    there = asyncio.Event()

    async def start() -> None:
        if not there.is_set():
            raise ServerSelectionTimeoutError("mongodb://u:pw@nowhere")

    tested = service([Recorder().part("MongoDB", start)])
    starting = asyncio.create_task(tested.start())
    await asyncio.sleep(0.4)
    live, ready, other = [await ask(tested, path) for path in ("/healthz/live", "/healthz/ready", "/x")]
    assert (live.status_code, ready.status_code, other.status_code) == (200, 503, 503)
    assert ready.json()["reasons"] == ["MongoDB is not there yet (ServerSelectionTimeoutError)."]
    assert other.headers["retry-after"] == "1"
    there.set()
    await starting
    assert (await ask(tested, "/healthz/ready")).status_code == 200
    told = [record.getMessage() for record in caplog.records]
    assert sum("is away" in line for line in told) == 1
    assert sum("there now" in line for line in told) == 1
    assert not any("pw" in line for line in told)


async def test_what_waiting_does_not_help_ends_the_start(service: Build) -> None:
    async def start() -> None:
        raise ConfigurationError("marketing.events has 3 partitions instead of 12.")

    recorder = Recorder()
    tested = service([recorder.part("other")], [recorder.part("topics", start)])
    with pytest.raises(ConfigurationError, match="3 partitions"):
        await tested.run(asyncio.Event())
    assert "other stopped" in recorder.notes


async def test_liveness_and_readiness_follow_the_parts(service: Build) -> None:
    class Loop(Managed):
        dead: str | None = None
        idle: str | None = None

        def trouble(self) -> str | None:
            return self.dead

        def waiting(self) -> str | None:
            return self.idle

    async def nothing() -> None:
        pass

    loop = Loop("consumer", nothing)
    tested = service([loop])
    await tested.start()
    assert (await ask(tested, "/healthz/live")).status_code == 200
    loop.dead, loop.idle = "its loop has ended", "no partition is assigned"
    live, ready = await ask(tested, "/healthz/live"), await ask(tested, "/healthz/ready")
    assert (live.status_code, live.json()["reasons"]) == (503, ["consumer: its loop has ended"])
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["consumer: no partition is assigned"])


def broken(api: FastAPI) -> None:
    class Asked(BaseModel):
        number: int

    @api.post("/number")
    async def number(asked: Asked) -> int:
        return asked.number

    @api.get("/busy")
    async def busy() -> None:
        raise Transient("The CRM is away.")

    @api.get("/stored")
    async def stored() -> None:
        raise ServerSelectionTimeoutError("insides")

    @api.get("/refused")
    async def refused() -> None:
        raise Rejected("The CRM refuses it.", "email")

    @api.get("/{name}/crash")
    async def crash(name: str) -> None:
        raise RuntimeError("secret insides")


async def test_every_error_is_a_problem_with_a_sentence(service: Build) -> None:
    tested = service()
    broken(tested.api)
    await tested.start()
    async with httpx.AsyncClient(base_url=tested.url) as client:
        answers = [
            await client.get("/nothing"),
            await client.get("/number"),
            await client.post("/number", json={"number": "x"}),
            await client.post("/number", content=b"{", headers={"content-type": "application/json"}),
            await client.get("/busy"),
            await client.get("/refused"),
            await client.get("/a/crash"),
            await client.get("/stored"),
        ]
        metrics = (await client.get("/metrics")).text
    assert [answer.status_code for answer in answers] == [404, 405, 422, 422, 503, 422, 500, 503]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail"}
        assert answer.json()["detail"].endswith(".")
    assert answers[2].json()["errors"] == [
        {"field": "number", "reason": answers[2].json()["errors"][0]["reason"]}
    ]
    assert not any("insides" in answer.text for answer in answers)
    assert 'http_route="/{name}/crash"' in metrics
    assert 'http_route="unmatched"' in metrics
    assert "/nothing" not in metrics


async def test_a_post_that_goes_straight_to_its_endpoint_is_answered_and_measured_as_any_other(
    service: Build, caplog: pytest.LogCaptureFixture
) -> None:
    errors = {
        "/busy": Transient("The CRM is away."),
        "/stored": ServerSelectionTimeoutError("insides"),
        "/refused": Rejected("The CRM refuses it.", "email"),
        "/crash": RuntimeError("secret insides"),
    }

    async def answer(request: Request) -> Response:
        if error := errors.get(request.url.path):
            raise error
        return Response(await request.body(), 202)

    tested = service()
    for path in (*errors, "/good"):
        tested.post_straight(path, answer)
    await tested.start()
    async with httpx.AsyncClient(base_url=tested.url) as client:
        answers = {path: await client.post(path, content=b"x") for path in (*errors, "/good")}
        got = await client.get("/good")
        metrics = (await client.get("/metrics")).text
    assert [answer.status_code for answer in answers.values()] == [503, 503, 422, 500, 202]
    assert answers.pop("/good").text == "x"
    for refusal in (*answers.values(), got):
        assert refusal.headers["content-type"] == "application/problem+json"
        assert refusal.json()["detail"].endswith(".")
        assert "insides" not in refusal.text
    assert got.status_code == 405
    assert [record.exc_info[1] for record in caplog.records if record.exc_info] == [errors["/crash"]]
    for path, status in (("/good", 202), ("/busy", 503), ("/crash", 500)):
        assert f'http_response_status_code="{status}",http_route="{path}"' in metrics


async def test_a_taken_port_is_a_sentence_and_exit_code_2(service: Build) -> None:
    first = service()
    await first.start()
    port = int(first.url.rsplit(":", 1)[1])
    second = Service("second", "127.0.0.1", port, Telemetry("second", {}))
    with pytest.raises(ConfigurationError, match="_PORT"):
        await second.start()
    assert (
        await runner.serve([Service("second", "127.0.0.1", port, Telemetry("second", {}))]) == runner.MISUSED
    )


async def test_the_end_of_one_service_stops_the_others(service: Build) -> None:
    async def start() -> None:
        raise RuntimeError("broken")

    recorder = Recorder()
    healthy, failing = service([recorder.part("healthy")]), service([recorder.part("failing", start)])
    assert await runner.serve([healthy, failing]) == runner.CRASHED
    assert "healthy stopped" in recorder.notes


async def test_stopping_finishes_requests_that_are_under_way(service: Build) -> None:
    tested = service()

    @tested.api.get("/slow")
    async def slow() -> str:
        stopping.set()
        while tested.not_ready is None:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)
        return "finished"

    stopping = asyncio.Event()
    running = asyncio.create_task(runner.serve([tested], stopping))
    await until_ready(tested)
    assert (await ask(tested, "/slow")).json() == "finished"
    assert await running == runner.OK


def test_an_unknown_service_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(runner.UnknownService, match=r"nonsense.*ingest"):
        runner.build(["nonsense"], {})
    with pytest.raises(ConfigurationError, match="INGEST_PORT"):
        runner.build(["ingest"], {"INGEST_PORT": "x"})
