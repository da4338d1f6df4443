"""What every HTTP request passes on its way in."""

import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadbus.problems import Problem, answer_to
from leadbus.telemetry import Telemetry, names

OPEN_WHILE_STARTING = ("/healthz/", "/metrics", "/openapi.json", "/docs")

Endpoint = Callable[[Request], Awaitable[Response]]


class Gate:
    """Answers 503 until all parts are ready, so that no handler meets a half-made service; measures.

    straight: endpoints of paths that much is posted to, which FastAPI would take longer to find than they
    take to answer. What is not a POST goes through `app` all the same.
    """

    def __init__(self, app: ASGIApp, not_ready: Callable[[], str | None], telemetry: Telemetry) -> None:
        self._app = app
        self._not_ready = not_ready
        self._duration = telemetry.histogram(names.HTTP_DURATION)
        self.straight: dict[str, Endpoint] = {}

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
        endpoint = self.straight.get(path) if scope["method"] == "POST" else None
        try:
            if reason:
                refusal = Problem(503, f"{reason} Try again in a moment.", {"Retry-After": "1"})
                await refusal.response()(scope, receive, noting)
            elif endpoint:
                response = await _answered(endpoint, _Posted(scope, receive, send))
                status = response.status_code
                await response(scope, receive, send)
            else:
                await self._app(scope, receive, noting)
        finally:
            labels: dict[str, str | int] = {
                names.HTTP_METHOD: scope["method"],
                names.HTTP_ROUTE: path if endpoint else _route(scope),
                names.HTTP_STATUS: status,
            }
            self._duration.record(time.perf_counter() - began, labels)


class _Headers(Headers):
    """In a dictionary: a request is asked for some ten of them, and Starlette goes through all each time."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._first = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])
        }

    def get(self, key: str, default: Any = None) -> Any:
        return self._first.get(key.lower(), default)

    def __contains__(self, key: Any) -> bool:
        return key.lower() in self._first


class _Posted(Request):
    @cached_property
    def headers(self) -> Headers:
        return _Headers(self.scope)


async def _answered(endpoint: Endpoint, request: Request) -> Response:
    try:
        return await endpoint(request)
    except Exception as error:
        return await answer_to(request, error)


def _route(scope: Scope) -> str:
    """The path as it was declared. One that nobody declared may be anything, so it is no label."""
    if "endpoint" not in scope:
        return "unmatched"
    if declared := getattr(scope.get("route"), "path", None):  # FastAPI says so for its own routes only
        return str(declared)
    names_of = {str(value): f"{{{name}}}" for name, value in scope["path_params"].items()}
    return "/".join(names_of.get(segment, segment) for segment in scope["path"].split("/"))
