"""What every HTTP request passes on its way in."""

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadbus.problems import Problem
from leadbus.telemetry import Telemetry, names

OPEN_WHILE_STARTING = ("/healthz/", "/metrics", "/openapi.json", "/docs")


class Gate:
    """Answers 503 until all parts are ready, so that no handler meets a half-made service; measures."""

    def __init__(self, app: ASGIApp, not_ready: Callable[[], str | None], telemetry: Telemetry) -> None:
        self._app = app
        self._not_ready = not_ready
        self._duration = telemetry.histogram(names.HTTP_DURATION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(OPEN_WHILE_STARTING):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        reason = self._not_ready()
        try:
            if reason:
                refusal = Problem(503, f"{reason} Try again in a moment.", {"Retry-After": "1"})
                await refusal.response()(scope, receive, noting)
            else:
                await self._app(scope, receive, noting)
        finally:
            labels: dict[str, str | int] = {
                names.HTTP_METHOD: scope["method"],
                names.HTTP_ROUTE: _route(scope),
                names.HTTP_STATUS: status,
            }
            self._duration.record(time.perf_counter() - began, labels)


def _route(scope: Scope) -> str:
    """The path as it was declared. One that nobody declared may be anything, so it is no label."""
    if "endpoint" not in scope:
        return "unmatched"
    if declared := getattr(scope.get("route"), "path", None):  # FastAPI says so for its own routes only
        return str(declared)
    names_of = {str(value): f"{{{name}}}" for name, value in scope["path_params"].items()}
    return "/".join(names_of.get(segment, segment) for segment in scope["path"].split("/"))
