"""What modern REST's errors mean for Leadbus.

`{"error": label, "error_message": text}`: the text is localised and may quote people's data, so that labels
decide, and of the text only the name of a field is ever used. Labels: developer guide; statuses vary (7.0
answers 412 for row errors).
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from connector_sugar import faults
from connector_sugar.faults import KeyRefused, Meaning, NotServed, PlatformUnknown
from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    Conflict,
    Gone,
    LeadbusError,
    OutcomeUnknown,
    Rejected,
    Transient,
    Unsupported,
)


class WrongVersion(NotServed):
    """The site does not speak this version of modern REST."""


class FailedWriting(OutcomeUnknown):
    """The server broke off a write with a page of its own; it may be one row that it cannot bear."""


class TooLarge(Rejected):
    """The request is larger than the site takes: send less at once."""


def _both(error: type[LeadbusError], sentence: str) -> Meaning:
    return Meaning(error, error, sentence)


SESSION_ENDED = _both(AuthExpired, "The CRM has ended the session.")
WRONG_PASSWORD = faults.FAULTS["10"]
PLATFORM_UNKNOWN = _both(
    PlatformUnknown, "The CRM does not know the platform in whose name Leadbus signs in."
)
KEY_REFUSED = _both(
    KeyRefused, "The CRM refuses the OAuth key, or does not let programs sign in with a password."
)
NO_REST = _both(NotServed, "There is no modern REST service of SugarCRM at the address.")
TOO_LARGE = _both(TooLarge, "The record is larger than the CRM accepts.")
DIED = Meaning(faults.Died, faults.DiedWriting, "The CRM's server failed without saying why.")
FAILED = Meaning(Transient, FailedWriting, DIED.sentence)
_ROW = Meaning(Unsupported, Rejected, "The CRM refuses a value, or lacks one that it requires.")

LABELS: Mapping[str, Meaning] = {
    "need_login": SESSION_ENDED,
    "invalid_grant": SESSION_ENDED,
    "not_authorized": Meaning(
        Unsupported,
        Rejected,
        "The CRM denies its user access to this module: an administrator of the CRM must allow the user's"
        " role to list, view and edit it.",
    ),
    "client_not_allowed": _both(
        AddressRefused,
        "The CRM lets only certain programs call it: an administrator of the CRM must allow Leadbus.",
    ),
    "not_found": _both(Gone, faults.DELETED),
    "no_method": _both(Unsupported, "The CRM's REST service does not know this call."),
    "edit_conflict": _both(Conflict, "The record was changed in the CRM meanwhile."),
    "metadata_out_of_date": _both(Transient, "The CRM's fields were changed meanwhile."),
    "request_too_large": TOO_LARGE,
    "missing_parameter": _ROW,
    "invalid_parameter": _ROW,
    "request_failure": Meaning(
        Transient, Rejected, "The CRM could not store the record: a workflow of the CRM may refuse it."
    ),
    "client_outdated": _both(Unsupported, "The CRM asks for a newer version of its REST service."),
    "maintenance": faults.STATUSES[503],
    "fatal_error": DIED,
    "incorrect_version": _both(WrongVersion, "The CRM does not speak this version of REST."),
}
_WITH_FIELD: Mapping[str, str] = {
    "missing_parameter": "The CRM requires a value for {}.",
    "invalid_parameter": "The CRM refuses the value of {}.",
}
# Where a sign-in is answered: `need_login` is a wrong password there, not an ended session.
SIGN_IN: Mapping[str, Meaning] = {
    "need_login": WRONG_PASSWORD,
    "invalid_grant": WRONG_PASSWORD,
    "invalid_client": KEY_REFUSED,
    "unauthorized_client": KEY_REFUSED,
    "unsupported_grant_type": KEY_REFUSED,
    "not_authorized": WRONG_PASSWORD,
}
_DEAD = frozenset({"need_login", "invalid_grant"})
_BAD_PLATFORM = "EXCEPTION_INVALID_PLATFORM"
# Answers that are no JSON come from the web server, or from what stands before it.
_PAGES: Mapping[int, Meaning] = {404: NO_REST, 413: TOO_LARGE, 500: FAILED}
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def of_contents(
    status: int, contents: Any, *, writing: bool, fields: Collection[str] = ()
) -> LeadbusError | None:
    """The error behind a JSON answer, None for a good one. fields: names a refusal's text may mention."""
    if status < 300:
        return None
    label = _label(contents)
    meaning = LABELS.get(label)
    if meaning is None:
        return _of_status(status, writing=writing)
    if label in _WITH_FIELD and writing and (named := _field(contents, fields)):
        return Rejected(_WITH_FIELD[label].format(named), named)
    return meaning.error(writing=writing)


def of_page(status: int, *, writing: bool) -> LeadbusError:
    """The error behind an answer that is no JSON."""
    if status in _PAGES:
        return _PAGES[status].error(writing=writing)
    if status < 300 and writing:
        # A page instead of an answer says nothing about what was done before it.
        return OutcomeUnknown(faults.PAGE.sentence)
    return faults.of_status(status, None, writing=writing)


def of_sign_in(status: int, contents: Any, grant: str) -> LeadbusError | None:
    """The error behind the answer to a token request; AuthExpired: the refresh token is dead."""
    if status < 300:
        return None
    label = _label(contents)
    if grant == "refresh_token" and label in _DEAD:
        return SESSION_ENDED.error(writing=False)
    if label == "invalid_parameter" and _BAD_PLATFORM in _text(contents):
        return PLATFORM_UNKNOWN.error(writing=False)
    if label in SIGN_IN:
        return SIGN_IN[label].error(writing=False)
    return of_contents(status, contents, writing=False)


def _of_status(status: int, *, writing: bool) -> LeadbusError:
    """An error without a label that we know."""
    if 400 <= status < 500:
        return _ROW.error(writing=writing)
    return faults.OTHER_FAULT.error(writing=writing)


def _label(contents: Any) -> str:
    found = contents.get("error") if isinstance(contents, dict) else None
    return found if isinstance(found, str) else ""


def _text(contents: Any) -> str:
    found = contents.get("error_message") if isinstance(contents, dict) else None
    return found if isinstance(found, str) else ""


def _field(contents: Any, fields: Collection[str]) -> str | None:
    """The last word of the text that is a field: `Missing parameter: last_name`."""
    return next((word for word in reversed(_WORD.findall(_text(contents))) if word in fields), None)
