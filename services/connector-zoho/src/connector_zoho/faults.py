"""What Zoho's error codes, and what can happen on the way to it, mean for Leadbus.

Codes decide, never texts, which change by version and language, nor HTTP statuses (Zoho's documentation of
v7 and v8; what is only assumed says so). A write that may have been carried out is OutcomeUnknown: the kit
looks before it repeats it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    AuthRefused,
    Conflict,
    Gone,
    LeadbusError,
    OutcomeUnknown,
    Rejected,
    Transient,
    Unsupported,
)

NO_CREDITS_SECONDS = 900.0
"""Credits come back all day, as those of 24 hours ago do not count any more."""


class NotServed(Transient):
    """Something answered, but not Zoho's API: a web page, a missing path, a forwarding."""


class NotReached(AddressRefused):
    """No connection came about: a wrong address, a server that is down, or a firewall that lets nobody in."""


class PageLost(Transient):
    """A page token has expired or does not fit any more: begin with the first page again."""


class TooManyPages(Unsupported):
    """There are more rows than can be read page by page: read them another way."""


class AlreadyConverted(Conflict):
    """The lead is a contact already."""


class Duplicate(Rejected):
    """Another record has this value, which may be there only once: `details` of the row name it."""


class NotSubscribed(Gone):
    """The notification channel has expired, or never was."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a condition is for a call that reads and for one that writes, and its sentence."""

    reading: type[LeadbusError]
    writing: type[LeadbusError]
    sentence: str

    def error(self, *, writing: bool) -> LeadbusError:
        return (self.writing if writing else self.reading)(self.sentence)


def _both(error: type[LeadbusError], sentence: str) -> Meaning:
    return Meaning(error, error, sentence)


# Envelopes: {code, details, message, status: "error"} ------------------------------------------------

DELETED = "The record was deleted in the CRM."
CAMPAIGN_DELETED = "The campaign was deleted in the CRM."
_OUR_CALL = Meaning(Unsupported, Rejected, "The CRM does not accept this call.")
_DENIED = Meaning(
    Unsupported,
    Rejected,
    "The CRM denies its user this: an administrator of the CRM must allow it in the user's profile.",
)
_MODULE = Meaning(
    Unsupported,
    Rejected,
    "The CRM does not have this module, or hides it from its user: an administrator of the CRM can show it"
    " to the user's profile.",
)
_LATER = "The CRM lets nobody change the record at present: {}. Leadbus tries again later."
_VALUE = "The CRM refuses the value of a field."
_MISSING = "The CRM requires a value for a field that has none: map it, or give it a default in the CRM."
_PAGE_LOST = _both(PageLost, "The CRM does not know any more where reading was to go on.")
_TOO_MANY_PAGES = _both(TooManyPages, "The CRM gives no more rows in this way.")
_FAILED = Meaning(Transient, OutcomeUnknown, "The CRM failed without saying why.")
TOKEN_ENDED = _both(AuthExpired, "The CRM has ended the access token.")
TOO_MANY = _both(Transient, "The CRM asks for fewer calls at once.")

CODES: Mapping[str, Meaning] = {
    "INVALID_TOKEN": TOKEN_ENDED,
    "INVALID_OAUTHTOKEN": TOKEN_ENDED,
    "AUTHENTICATION_FAILURE": _both(
        AuthRefused,
        "The CRM does not let its user in any more, who may have been deactivated: sign in again.",
    ),
    "OAUTH_SCOPE_MISMATCH": _both(
        AuthRefused,
        "The sign-in does not allow Leadbus all that it needs: sign in again and allow all of it.",
    ),
    "NO_PERMISSION": _DENIED,
    "AUTHORIZATION_FAILED": _DENIED,
    "INVALID_DATA": Meaning(Unsupported, Rejected, _VALUE),
    "MANDATORY_NOT_FOUND": Meaning(Unsupported, Rejected, _MISSING),
    "DEPENDENT_FIELD_MISSING": Meaning(Unsupported, Rejected, _MISSING),
    "EXPECTED_FIELD_MISSING": Meaning(Unsupported, Rejected, _MISSING),
    "DEPENDENT_MISMATCH": Meaning(
        Unsupported, Rejected, "The CRM refuses a value because it does not go with that of another field."
    ),
    "MULTIPLE_OR_MULTI_ERRORS": Meaning(Unsupported, Rejected, "The CRM refuses several values."),
    "DUPLICATE_DATA": Meaning(
        Unsupported, Duplicate, "Another record of the CRM has this value, which it allows only once."
    ),
    "ALREADY_MODIFIED": _both(Conflict, "The record was changed in the CRM meanwhile."),
    "ID_ALREADY_CONVERTED": _both(AlreadyConverted, "The lead has been converted already."),
    "NOT_SUBSCRIBED": _both(NotSubscribed, "The CRM does not push its changes to Leadbus any more."),
    "RECORD_LOCKED": _both(Transient, _LATER.format("it is locked")),
    "RECORD_IN_BLUEPRINT": _both(Transient, _LATER.format("it is in a blueprint")),
    "NOT_APPROVED": _both(Transient, _LATER.format("it waits to be approved")),
    "RESOURCE_NOT_FOUND": _both(Gone, "The CRM does not have this any more."),
    "EXPIRED_VALUE": _PAGE_LOST,
    "TOKEN_BOUND_DATA_MISMATCH": _PAGE_LOST,
    "PAGINATION_LIMIT_EXCEEDED": _TOO_MANY_PAGES,
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": _TOO_MANY_PAGES,
    "INVALID_MODULE": _MODULE,
    "MODULE_NOT_SUPPORTED": _MODULE,
    "TOO_MANY_REQUESTS": TOO_MANY,
    "INTERNAL_ERROR": _FAILED,
    "INTERNAL_SERVER_ERROR": _FAILED,
    **dict.fromkeys(
        (
            "LIMIT_EXCEEDED",
            "REQUIRED_PARAM_MISSING",
            "PATTERN_NOT_MATCHED",
            "AMBIGUITY_DURING_PROCESSING",
            "INVALID_URL_PATTERN",
            "INVALID_REQUEST_METHOD",
            "SYNTAX_ERROR",
            "INVALID_QUERY",
        ),
        _OUR_CALL,
    ),
}
NO_CREDITS = "The organisation has used up its API credits of the last 24 hours: Leadbus waits for more."

TOKEN_LOST_AGAIN = _both(Transient, "The CRM refuses each access token as soon as it was given.")

# What is no answer of Zoho's ----------------------------------------------------------------------------

PAGE = Meaning(
    NotServed,
    OutcomeUnknown,
    "The address answers with something that Leadbus cannot read, such as a web page: Zoho may be under"
    " maintenance, or a proxy in between answers in its place.",
)
STATUSES: Mapping[int, Meaning] = {
    401: _both(AuthRefused, "The CRM does not accept the sign-in: sign in again."),
    403: _both(
        AddressRefused,
        "The CRM, or a firewall on the way to it, turns Leadbus away: it must let calls from the address that"
        " Leadbus calls from reach the CRM.",
    ),
    404: _both(NotServed, "There is nothing of Zoho's at the address."),
    429: TOO_MANY,
}
NOT_REACHED = _both(NotReached, "The CRM cannot be reached at its address, or its certificate is not valid.")
NO_ANSWER = Meaning(Transient, OutcomeUnknown, "The CRM did not answer in time.")
CUT_OFF = Meaning(Transient, OutcomeUnknown, "The connection to the CRM broke before its answer came.")
UNREADABLE = Meaning(Transient, OutcomeUnknown, "The CRM's answer cannot be read.")
TOO_LONG = Meaning(Unsupported, OutcomeUnknown, "The CRM's answer is longer than Leadbus accepts.")


_EMPTY = frozenset({204, 304})
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def code_of(body: Any) -> str:
    """The code of an envelope or row that is an error; empty for what is none."""
    found = body.get("code") if isinstance(body, dict) and body.get("status") == "error" else None
    return found if isinstance(found, str) else ""


def of_row(row: Mapping[str, Any]) -> LeadbusError:
    """The error behind a row whose status is `error`; it names the field by its api_name."""
    known = _of_body(row, writing=True)
    if known is not None:
        return known
    code = code_of(row)
    return Rejected(f"The CRM refuses the record ({code if _CODE.fullmatch(code) else 'without a reason'}).")


def of_answer(status: int, body: Any, *, writing: bool) -> LeadbusError | None:
    """The error that an answer in JSON is as a whole; None if it is none, or if its rows have outcomes."""
    row = _first_outcome(body)
    if status == 401:  # the official OpenAPI files wrap it in a row, live answers do not
        return of_envelope(status, row or body, writing=writing)
    if row is not None or status in _EMPTY:
        return None
    if status < 300 and not code_of(body):
        return None if writing or _tells(body) else UNREADABLE.error(writing=False)
    return of_envelope(status, body, writing=writing)


def of_envelope(status: int, body: Any, *, writing: bool) -> LeadbusError:
    """The error behind an answer in JSON that has no rows. status: where the code says nothing."""
    known = _of_body(body, writing=writing)
    if known is not None:
        return known
    if 400 <= status < 500 and status not in STATUSES and code_of(body):
        return _OUR_CALL.error(writing=writing)
    return of_page(status, writing=writing)


def of_page(status: int, *, writing: bool) -> LeadbusError:
    """The error behind an answer that is no JSON, or not in Zoho's form."""
    if status >= 500:
        return _FAILED.error(writing=writing)
    return STATUSES.get(status, PAGE).error(writing=writing)


def of_transport(error: Exception, *, writing: bool) -> LeadbusError:
    """The error behind a call that got no answer; one that never left cannot have been carried out."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.InvalidURL):
        return NOT_REACHED.error(writing=writing)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NO_ANSWER.error(writing=writing)
    return CUT_OFF.error(writing=writing)


def _tells(body: Any) -> bool:
    """Whether it is in Zoho's form: what a proxy answers in its place must not pass for no rows."""
    return isinstance(body, dict) and ("count" in body or any(isinstance(v, list) for v in body.values()))


def _first_outcome(body: Any) -> Mapping[str, Any] | None:
    """The first row with an outcome of its own, in an answer that has such rows (data, watch, tags, ...)."""
    for rows in body.values() if isinstance(body, dict) else ():
        row = rows[0] if isinstance(rows, list) and rows else None
        if isinstance(row, dict) and {"code", "status"} <= row.keys():
            return row
    return None


def _of_body(body: Any, *, writing: bool) -> LeadbusError | None:
    code = code_of(body)
    meaning = CODES.get(code)
    if meaning is None:
        return None
    details = body.get("details")
    details = details if isinstance(details, dict) else {}
    field = details.get("api_name")
    if code == "INVALID_DATA" and (field == "id" or (field is None and "resource_path_index" in details)):
        return Gone(DELETED)
    if writing and issubclass(meaning.writing, Rejected) and isinstance(field, str) and field:
        return meaning.writing(_named(code, field, details), field)
    return meaning.error(writing=writing)


def _named(code: str, field: str, details: Mapping[str, Any]) -> str:
    """What is wrong with a field. Only what Zoho says of the field is repeated, never a value."""
    if code == "INVALID_DATA":
        if isinstance(length := details.get("maximum_length"), int):
            return f"The CRM refuses the value of {field}: it holds at most {length} characters."
        if isinstance(wanted := details.get("expected_data_type"), str):
            return f"The CRM refuses the value of {field}: it must be of the type {wanted}."
        return f"The CRM refuses the value of {field}."
    if code == "DUPLICATE_DATA":
        return f"Another record of the CRM has this value in {field}, which it allows only once."
    if code == "DEPENDENT_MISMATCH":
        return f"The CRM refuses the value of {field}, as it does not go with that of another field."
    return f"The CRM requires a value for {field}: map it, or give it a default in the CRM."
