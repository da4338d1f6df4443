"""What Dynamics's answers mean for Leadbus; that none came is for `reaching`.

Codes decide, never texts, which change by version and language. Older versions of the Web API send none with
404 and 412: the status decides then. A write that may have been carried out is OutcomeUnknown: the kit looks
before it repeats it.
"""

import re
from collections.abc import Mapping
from typing import Any

from connector_dynamics.codes import (
    CHANGED,
    CODES,
    DELETED,
    DENIED,
    EXISTS,
    FAILED,
    GONE,
    PLUG_IN,
    WAIT,
    DirectoryBusy,
    Duplicate,
    Inside,
    MarkTooOld,
    Meaning,
    NoDirectory,
    NotAMember,
    NotEncrypted,
    NotOnTheList,
    NotOurs,
    NotReached,
    NotServed,
    Untrusted,
    WebPage,
    both,
)
from leadbus.errors import (
    AddressRefused,
    AuthExpired,
    AuthRefused,
    LeadbusError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)

__all__ = [
    "CHANGED",
    "CODES",
    "DELETED",
    "EXISTS",
    "GONE",
    "DirectoryBusy",
    "Duplicate",
    "Inside",
    "MarkTooOld",
    "Meaning",
    "NoDirectory",
    "NotAMember",
    "NotEncrypted",
    "NotOnTheList",
    "NotOurs",
    "NotReached",
    "NotServed",
    "Untrusted",
    "WebPage",
]

LIMITS = frozenset({0x80072321, 0x80072322, 0x80072326})
LONGEST_WAIT = 3_600.0

# What is no answer of Dynamics ---------------------------------------------------------------------------

PAGE = Meaning(
    WebPage,
    OutcomeUnknown,
    "The address answers with something that Leadbus cannot read, such as a web page: a firewall or proxy may"
    " answer in the CRM's place, the CRM may be under maintenance, or the address is not the organisation's.",
)
STATUSES: Mapping[int, Meaning] = {
    **dict.fromkeys(
        (301, 302, 303, 307, 308),
        both(
            NotServed,
            "The address only forwards to another one, as to a sign-in page: enter the organisation web"
            " service URL, as the CRM shows it under Settings > Customizations > Developer Resources.",
        ),
    ),
    403: both(
        AddressRefused,
        "The CRM, or a firewall in front of it, turns Leadbus away: it must let calls from the address that"
        " Leadbus calls from reach the CRM.",
    ),
    404: both(NotServed, "There is no service of Dynamics at the address."),
    405: both(NotServed, "There is no service of Dynamics at the address."),
    407: both(AddressRefused, "A proxy on the way to the CRM wants Leadbus to sign in to it first."),
    412: CHANGED,
    429: WAIT,
    **dict.fromkeys(
        (502, 504),
        Meaning(
            Transient,
            OutcomeUnknown,
            "A proxy or load balancer in front of the CRM answers that it does not reach it.",
        ),
    ),
    503: both(Transient, "The CRM is not available at the moment."),
}
TOKEN_ENDED = both(AuthExpired, "The CRM has ended the access token.")
TOKEN_LOST_AGAIN = both(Transient, "The CRM refuses each access token as soon as it was given.")
REFUSED_USER = both(
    AuthRefused,
    "The CRM refuses the user name or password: enter user, password and domain again in the connection's"
    " settings.",
)
REFUSED_APP = both(
    AuthRefused,
    "The organisation does not accept the app registration's sign-in: tenant and organisation must belong"
    " together.",
)
OTHER_SIGN_IN = both(
    NotOurs,
    "The address does not let Windows users in (NTLM), as organisations with federated sign-in do not (IFD,"
    " claims, AD FS): Leadbus cannot sign in there.",
)
PAGE_LOST = both(Transient, "The CRM does not know any more where reading was to go on.")
UNREADABLE = Meaning(Transient, OutcomeUnknown, "The CRM's answer cannot be read.")
TOO_LONG = Meaning(Unsupported, OutcomeUnknown, "The CRM's answer is longer than Leadbus accepts.")

_COLUMN = r"'([a-z][a-z0-9_]{1,99})'"
_COLUMNS = re.compile(
    rf"{_COLUMN} attribute|attribute (?:with Name = )?{_COLUMN}|The value \S+ of {_COLUMN} on record"
    r"|Attribute Value Type for ([a-z][a-z0-9_]{1,99})\b"
)
"""How the texts of the codes in `CODES` name a column (error code list, contract notes)."""
_PROPERTY = re.compile(r"(?:undeclared|Invalid) property '([A-Za-z][A-Za-z0-9_]{1,99})'")
_PRIVILEGE = re.compile(r"\bprv[A-Za-z0-9_]{2,100}")


def number(code: Any) -> int | None:
    """A code as an unsigned number, however it was written; None for what is none."""
    try:
        return int(str(code), 0) & 0xFFFFFFFF
    except ValueError:
        return None


def of_code(
    code: int | None, message: str, *, writing: bool, retry_after: float | None = None
) -> LeadbusError | None:
    """The error of a code; None for one that is not known.

    message: only names of columns and privileges are taken out of it, never values.
    """
    meaning = CODES.get(code) if code else None
    if meaning is None:
        return None
    if code in LIMITS:
        return RateLimited(meaning.sentence, min(retry_after or 30.0, LONGEST_WAIT))
    error = meaning.writing if writing else meaning.reading
    if meaning is DENIED and (privilege := _PRIVILEGE.search(message)):
        return error(f"{meaning.sentence[:-1]}: {privilege[0]}.")
    if issubclass(error, Rejected) and meaning is not PLUG_IN and (field := _field(message)):
        named = meaning.sentence.replace("of a field", f"of {field}")
        return error(named.replace("have a column", f"have the column {field}"), field)
    return meaning.error(writing=writing)


def of_answer(
    status: int, body: Any, *, writing: bool, retry_after: str | None = None, by_id: bool = False
) -> LeadbusError:
    """The error behind an answer of the Web API. by_id: the call was about one record, by its id."""
    code, message = _code_and_message(body)
    if (name := _PROPERTY.search(message)) and status == 400:
        return Rejected(f"The CRM does not have the column {name[1]}: correct the field mapping.", name[1])
    known = of_code(code, message, writing=writing, retry_after=seconds(retry_after))
    if known is not None:
        return known
    meaning = _by_status(status, message, by_id=by_id)
    if meaning is not None:
        return meaning.error(writing=writing)
    if code and status == 403:
        return DENIED.error(writing=writing)
    if (message or code) and 400 <= status < 500 and status not in STATUSES:
        return _unknown(code, writing=writing)
    return of_status(status, retry_after, writing=writing)


def _by_status(status: int, message: str, *, by_id: bool) -> Meaning | None:
    """What the status alone says of an answer that is Dynamics's own."""
    if status == 404 and message:
        return GONE if by_id else CODES[0x80041102]
    return CHANGED if status == 412 and by_id else None


def of_fault(code: Any, message: str, *, writing: bool, retry_after: float | None = None) -> LeadbusError:
    """The error behind a SOAP fault; code: of its OrganizationServiceFault, None = it has none."""
    found = number(code)
    known = of_code(found, message, writing=writing, retry_after=retry_after)
    if known is not None:
        return known
    return _unknown(found, writing=writing) if found else FAILED.error(writing=writing)


def of_status(status: int, retry_after: str | None, *, writing: bool) -> LeadbusError:
    """The error behind an answer that is none of Dynamics."""
    meaning = STATUSES.get(status, PAGE if status < 500 else FAILED)
    wait = seconds(retry_after)
    if status in {429, 503} and wait is not None:
        return RateLimited(meaning.sentence, min(wait, LONGEST_WAIT))
    return meaning.error(writing=writing)


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After header's seconds, or a span as SOAP sends it (PT35S, 00:00:35); None for neither."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if span := re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", text):
        hours, minutes = (int(part or 0) for part in span.groups()[:2])
        return hours * 3_600 + minutes * 60 + float(span[3] or 0)
    if span := re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)", text):
        days, hours, minutes = (int(part or 0) for part in span.groups()[:3])
        return days * 86_400 + hours * 3_600 + minutes * 60 + float(span[4])
    return None


def _code_and_message(body: Any) -> tuple[int | None, str]:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return None, ""
    return number(error.get("code")), str(error.get("message") or "")


def _unknown(code: int | None, *, writing: bool) -> LeadbusError:
    named = f" (0x{code:08X})" if code else ""
    return (Rejected if writing else Unsupported)(f"The CRM refuses this{named}.")


def _field(message: str) -> str | None:
    found = _COLUMNS.search(message)
    return next(filter(None, found.groups())) if found else None
