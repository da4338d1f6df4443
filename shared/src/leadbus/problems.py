"""HTTP errors as RFC 9457 problems: `{"type", "title", "status", "detail"}`, the detail a sentence."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from leadbus.errors import (
    AuthRefused,
    Conflict,
    Gone,
    LeadbusError,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)
from leadbus.storage.mongo import passes_by_itself

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An error, by RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}


class Problem(LeadbusError):
    """An answer other than success; `detail` says what to do."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> JSONResponse:
        """The HTTP answer."""
        title = HTTPStatus(self.status).phrase
        body = {"type": "about:blank", "title": title, "status": self.status, "detail": str(self)}
        return JSONResponse(body | self.members, self.status, self.headers, MEDIA_TYPE)


_STATUS: tuple[tuple[type[LeadbusError], int], ...] = (
    (Transient, 503),
    (Rejected, 422),
    (AuthRefused, 409),
    (Conflict, 409),
    (Gone, 404),
    (Unsupported, 501),
)


def install(api: FastAPI) -> None:
    """Makes every error of `api` a problem; a fault of ours says nothing of its insides."""
    for kind, handler in _HANDLERS:
        api.add_exception_handler(kind, handler)


async def answer_to(request: Request, error: Exception) -> JSONResponse:
    """The same, for what is served past `api`; the service's log has the cause of what is our fault."""
    handler = next(handler for kind, handler in _HANDLERS if isinstance(error, kind))
    if handler is _unexpected:
        log.error("a request failed", exc_info=error)
    return await handler(request, error)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, RateLimited):
        return Problem(429, str(error), {"Retry-After": str(max(1, round(error.retry_after)))}).response()
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 502)
    headers = {"Retry-After": "1"} if status == 503 else None
    return Problem(status, str(error), headers).response()


async def _storage(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, PyMongoError) and passes_by_itself(error):
        detail = "The database is away at present; try again in a moment."
        return Problem(503, detail, {"Retry-After": "2"}).response()
    log.error("the database refused a command", exc_info=error)
    return await _unexpected(request, error)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    details = {
        404: "There is nothing at this path; /openapi.json lists what there is.",
        405: "This path does not take that method; /openapi.json lists what it takes.",
    }
    generic = error.detail == HTTPStatus(error.status_code).phrase
    detail = details.get(error.status_code, str(error.detail)) if generic else str(error.detail)
    return Problem(error.status_code, detail, error.headers).response()


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    errors = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "reason": fault["msg"]}
        for fault in error.errors()
    ]
    first = errors[0] if errors else {"field": "", "reason": "not as described in /openapi.json"}
    where = f"{first['field']}: " if first["field"] else ""
    return Problem(422, f"The request is not valid. {where}{first['reason']}.", errors=errors).response()


async def _left(request: Request, error: Exception) -> JSONResponse:
    return Problem(400, "The sender went away before the request was complete.").response()


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after the answer, so that the server logs it.
    return Problem(500, "Something went wrong on our side; the service's log has the cause.").response()


_HANDLERS = (
    (LeadbusError, _ours),
    (PyMongoError, _storage),
    (HTTPException, _http),
    (RequestValidationError, _invalid),
    (ClientDisconnect, _left),
    (Exception, _unexpected),
)
