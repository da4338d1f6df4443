"""The errors of the API: flat ones for a whole call, and those of one row.

Codes, messages and details as in the contract notes (Zoho's documentation); clients go by the code alone.
"""

from collections.abc import Mapping
from typing import Any

# Code: HTTP status, message.
_KNOWN: Mapping[str, tuple[int, str]] = {
    "ALREADY_MODIFIED": (412, "Record updated time has already passed if-unmodified-since time"),
    "AMBIGUITY_DURING_PROCESSING": (400, "ambiguity while processing the request"),
    "AUTHENTICATION_FAILURE": (401, "Authentication failed"),
    "DEPENDENT_FIELD_MISSING": (400, "dependent field missing"),
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": (
        400,
        "You can only get the first 2000 records without using page_token param.",
    ),
    "DUPLICATE_DATA": (400, "duplicate data"),
    "EXPECTED_FIELD_MISSING": (400, "expected field missing"),
    "EXPIRED_VALUE": (400, "the token given has expired"),
    "ID_ALREADY_CONVERTED": (400, "id already converted"),
    "INTERNAL_ERROR": (500, "Internal Server Error"),
    "INVALID_DATA": (400, "invalid data"),
    "INVALID_MODULE": (400, "the module name given seems to be invalid"),
    "INVALID_QUERY": (400, "invalid query formed"),
    "INVALID_REQUEST_METHOD": (400, "The http request method type is not a valid one"),
    "INVALID_TOKEN": (401, "invalid oauth token"),
    "INVALID_URL_PATTERN": (404, "Please check if the URL trying to access is a correct one"),
    "LIMIT_EXCEEDED": (400, "limit exceeded"),
    "MANDATORY_NOT_FOUND": (400, "required field not found"),
    "MULTIPLE_OR_MULTI_ERRORS": (400, "multiple errors in the record"),
    "NOT_SUBSCRIBED": (400, "The user has not subscribed for the given channel"),
    "NO_PERMISSION": (403, "permission denied"),
    "OAUTH_SCOPE_MISMATCH": (401, "invalid oauth scope to access this URL"),
    "PAGINATION_LIMIT_EXCEEDED": (
        400,
        "You can only get up to first 100000 records using page_token param.",
    ),
    "PATTERN_NOT_MATCHED": (400, "Please check whether the input values are correct"),
    "RECORD_LOCKED": (400, "You cannot perform this operation as the record is locked."),
    "REQUIRED_PARAM_MISSING": (400, "One of the expected parameter is missing"),
    "SYNTAX_ERROR": (400, "error occurred while parsing the query"),
    "TOKEN_BOUND_DATA_MISMATCH": (
        400,
        "The page_token given seems to be invalid or input param is added, altered or deleted.",
    ),
    "TOO_MANY_REQUESTS": (429, "You have reached the maximum number of concurrent requests"),
}
BAD_ID = "the id given seems to be invalid"


class ApiError(Exception):
    """Ends a call: a flat body."""

    def __init__(
        self,
        code: str,
        details: Mapping[str, Any] | None = None,
        message: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(code)
        usual_status, usual = _KNOWN.get(code, (400, code))
        self.code = code
        self.status = status or usual_status
        self.body = _body(code, details, message or usual)


class RowError(Exception):
    """Ends one row: its place in `data` of the answer."""

    def __init__(
        self, code: str, details: Mapping[str, Any] | None = None, message: str | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.row = _body(code, details, message or _KNOWN[code][1])


def _body(code: str, details: Mapping[str, Any] | None, message: str) -> dict[str, Any]:
    return {"code": code, "details": dict(details or {}), "message": message, "status": "error"}


def success(details: Mapping[str, Any], message: str, **also: Any) -> dict[str, Any]:
    """The row of something that was done; also: further members."""
    return {"code": "SUCCESS", **also, "details": dict(details), "message": message, "status": "success"}


def no_permission(permission: str) -> ApiError:
    return ApiError("NO_PERMISSION", {"permissions": [permission]})


def bad_id(index: int = 1) -> ApiError:
    """The record in the path is not there. index: which part of the path, as `resource_path_index`."""
    return ApiError("INVALID_DATA", {"resource_path_index": index}, BAD_ID)
