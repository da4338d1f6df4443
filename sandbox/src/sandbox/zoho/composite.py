"""`/__composite_requests`: up to five calls in one.

Source: Zoho's documentation by the contract notes (five of them, 207 when mixed); the shape of the rows:
the official SDK. Assumed: they run one after the other and cost what they cost alone.
"""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .errors import ApiError, success
from .operations import Call, Directory, Operation, Reply
from .store import Row

_KEY = "__composite_requests"
_MOST = 5


def operation(directory: Directory) -> Operation:
    """Of the operations that a composite may have."""

    def answer(call: Call) -> Reply:
        rows, written = [], 0
        for given in call.rows(_KEY, _MOST):
            status, body, charged = _sub_answer(call, directory, given)
            written += charged
            response = {"status_code": status, "body": body}
            details = {"sub_request_id": given.get("sub_request_id"), "status_code": status}
            rows.append(success({**details, "headers": {}, "response": response}, ""))
        codes = {row["details"]["status_code"] < 300 for row in rows}
        return Reply(207 if len(codes) > 1 else 200, {_KEY: rows}, rows=written)

    return Operation(
        "composite", "POST", f"/crm/{{version}}/{_KEY}", "write", "composite_requests.CUSTOM", answer, _free
    )


def _sub_answer(call: Call, directory: Directory, given: Row) -> tuple[int, Any, int]:
    """Status, body, and the rows it is charged for."""
    try:
        found, sub = _sub_call(call, directory, given)
        call.site.limits.spend(found.credits(sub))
        reply = found.answer(sub)
    except ApiError as refused:
        return refused.status, refused.body, 0
    return reply.status, reply.body, reply.rows


def _sub_call(call: Call, directory: Directory, given: Row) -> tuple[Operation, Call]:
    """Raises ApiError."""
    address = urlsplit(str(given.get("uri", "")))
    found, path = directory.find(str(given.get("method", "GET")).upper(), address.path)
    params = dict(parse_qsl(address.query)) | {
        name: str(value) for name, value in (given.get("params") or {}).items()
    }
    headers = {name.lower(): str(value) for name, value in (given.get("headers") or {}).items()}
    body = given.get("body")
    raw = b"" if body is None else json.dumps(body).encode()
    return found, Call(call.site, call.user, path, params, headers, body, raw)


def _free(call: Call) -> int:
    """Its parts are charged, not the whole."""
    return 0
