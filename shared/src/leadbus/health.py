"""Health and metrics, on every service's port."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from leadbus.telemetry import Telemetry

Reasons = Callable[[], list[str]]


def add_health_routes(api: FastAPI, telemetry: Telemetry, *, live: Reasons, ready: Reasons) -> None:
    """`/healthz/live`: restart me if not 200. `/healthz/ready`: send me requests if 200. `/metrics`."""

    def answering(reasons: Reasons) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            found = reasons()
            return JSONResponse(
                {"status": "failing" if found else "ok", "reasons": found}, 503 if found else 200
            )

        return answer

    def metrics(request: Request) -> Response:
        return Response(telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)

    api.add_route("/healthz/live", _asynchronous(answering(live)), include_in_schema=False)
    api.add_route("/healthz/ready", _asynchronous(answering(ready)), include_in_schema=False)
    api.add_route("/metrics", metrics, include_in_schema=False)


def _asynchronous(answer: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """On the loop itself, not in a thread: a loop that stands still has to fail its liveness check."""

    async def on_the_loop(request: Request) -> Response:
        return answer(request)

    return on_the_loop
