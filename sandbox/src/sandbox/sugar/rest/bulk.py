"""Bulk: many requests in one call, one after another, each with its own status."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from . import query
from .api import Api
from .errors import ApiError, invalid

Answered: TypeAlias = tuple[int, Any]
Run: TypeAlias = Callable[[Api, str, str, list[str], dict[str, Any], dict[str, str]], Answered]
"""Runs one request: outer request, method, version, path's parts, arguments, headers -> status, contents."""


def bulk(api: Api, run: Run) -> list[dict[str, Any]]:
    """The envelope is fine whatever happens inside. Raises request_too_large, missing_parameter."""
    requests = api.need("requests")
    if not isinstance(requests, list):
        raise invalid("requests")
    if len(requests) > api.settings.largest_bulk:
        raise ApiError("request_too_large")
    return [_answer(api, request, run) for request in requests]


def _answer(api: Api, request: Any, run: Run) -> dict[str, Any]:
    try:
        status, contents = _run(api, request, run)
    except ApiError as refused:
        status, contents = refused.status, refused.body
    return {"contents": contents, "headers": [], "status": status}


def _run(api: Api, request: Any, run: Run) -> Answered:
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise invalid("requests")
    url = urlsplit(request["url"].replace("//", "/"))
    version, *parts = [unquote(part) for part in url.path.split("/") if part] or [""]
    arguments = query.parse(parse_qsl(url.query, keep_blank_values=True)) | _data(request.get("data"))
    headers = dict(
        str(line).lower().split(": ", 1) for line in request.get("headers") or [] if ": " in str(line)
    )
    return run(api, str(request.get("method") or "GET").upper(), version, parts, arguments, headers)


def _data(data: Any) -> dict[str, Any]:
    """A JSON text, or an object as newer documents show it."""
    if isinstance(data, str) and data:
        try:
            data = json.loads(data)
        except ValueError:
            raise invalid("data") from None
    if data and not isinstance(data, dict):
        raise invalid("data")
    return data or {}
