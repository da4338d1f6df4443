"""The errors of modern REST: `{"error": label, "error_message": text}` with a status."""

from collections.abc import Mapping
from typing import Any

_STATUS: Mapping[str, int] = {
    "incorrect_version": 301,
    "need_login": 401,
    "invalid_grant": 401,
    "invalid_client": 401,
    "not_authorized": 403,
    "not_found": 404,
    "no_method": 404,
    "edit_conflict": 409,
    "request_too_large": 413,
    "missing_parameter": 422,
    "invalid_parameter": 422,
    "request_failure": 424,
    "fatal_error": 500,
    "maintenance": 503,
}
NEED_LOGIN = "You need to be logged in to perform this action."
BAD_TOKEN = "The access token provided is invalid."


class ApiError(Exception):
    """`also`: further members of the body."""

    def __init__(self, label: str, message: str = "", status: int | None = None, **also: Any) -> None:
        super().__init__(message)
        self.status = status or _STATUS[label]
        self.body: dict[str, Any] = {"error": label, "error_message": message, **also}


def need_login(message: str = NEED_LOGIN) -> ApiError:
    return ApiError("need_login", message)


def not_found(module: str, key: str) -> ApiError:
    return ApiError("not_found", f"Could not find record: {key} in module: {module}")


def not_authorized(action: str, module: str) -> ApiError:
    text = f"You are not authorized to {action} {module}. Contact your administrator if you need access."
    return ApiError("not_authorized", text)


def no_method(elements: int) -> ApiError:
    return ApiError("no_method", f"Could not find a route with {elements} elements")


def invalid(what: str) -> ApiError:
    return ApiError("invalid_parameter", f"Invalid parameter: {what}")


def missing(what: str, status: int | None = None) -> ApiError:
    return ApiError("missing_parameter", f"Missing parameter: {what}", status)
