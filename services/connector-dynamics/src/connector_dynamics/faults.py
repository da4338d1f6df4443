"""What Dynamics's answers, and what can happen on the way to it, mean for Leadbus.

Codes decide, never texts, which change by version and language. Older versions of the Web API send none with
404 and 412: the status decides then. A write that may have been carried out is OutcomeUnknown: the kit looks
before it repeats it.
"""

import re
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from connector_dynamics.codes import (
    CHANGED,
    CODES,
    DELETED,
    DENIED,
    EXISTS,
    FAILED,
    GONE,
    WAIT,
    Duplicate,
    MarkTooOld,
    Meaning,
    NotAMember,
    NotOnTheList,
    NotOurs,
    NotReached,
    NotServed,
    Untrusted,
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
    "Duplicate",
    "MarkTooOld",
    "Meaning",
    "NotAMember",
    "NotOnTheList",
    "NotOurs",
    "NotReached",
    "NotServed",
    "Untrusted",
]

LIMITS = frozenset({0x80072321, 0x80072322, 0x80072326})
LONGEST_WAIT = 3_600.0

# What is no answer of Dynamics ---------------------------------------------------------------------------

PAGE = Meaning(
    NotServed,
    OutcomeUnknown,
    "The address answers with something that Leadbus cannot read, such as a web page: the CRM may be under"
    " maintenance, or the address is not the organisation's.",
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
    412: CHANGED,
    429: WAIT,
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
NO_ANSWER = Meaning(Transient, OutcomeUnknown, "The CRM did not answer in time.")
CUT_OFF = Meaning(Transient, OutcomeUnknown, "The connection to the CRM broke before its answer came.")
UNREADABLE = Meaning(Transient, OutcomeUnknown, "The CRM's answer cannot be read.")
TOO_LONG = Meaning(Unsupported, OutcomeUnknown, "The CRM's answer is longer than Leadbus accepts.")

_ATTRIBUTE = re.compile(r"(?:'([a-z][a-z0-9_]{1,99})' attribute|attribute '?([a-z][a-z0-9_]{1,99})\b)")
_PROPERTY = re.compile(r"undeclared property '([A-Za-z][A-Za-z0-9_]{1,99})'")
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
    if issubclass(error, Rejected) and (field := _field(message)):
        return error(meaning.sentence.replace("of a field", f"of {field}"), field)
    return meaning.error(writing=writing)


def of_answer(
    status: int, body: Any, *, writing: bool, retry_after: str | None = None, by_id: bool = False
) -> LeadbusError:
    """The error behind an answer of the Web API. by_id: the call was about one record, by its id."""
    code, message = _code_and_message(body)
    known = of_code(code, message, writing=writing, retry_after=seconds(retry_after))
    if known is not None:
        return known
    meaning = _by_status(status, message, by_id=by_id)
    if meaning is not None:
        return meaning.error(writing=writing)
    if (name := _PROPERTY.search(message)) and status == 400:
        return Rejected(f"The CRM does not have the column {name[1]}: correct the field mapping.", name[1])
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


def of_transport(error: Exception, url: str, *, writing: bool) -> LeadbusError:
    """The error behind a call that got no answer; one that never left cannot have been carried out."""
    if certificate := _certificate(error):
        return Untrusted(certificate)
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if isinstance(error, httpx.ConnectTimeout):
        return NotReached(
            f"Nothing answers at port {port} of {parts.hostname}: a firewall may keep Leadbus out. It must"
            f" let TCP connections to port {port} in from the address that Leadbus calls from."
        )
    if isinstance(error, httpx.ConnectError | httpx.PoolTimeout | httpx.InvalidURL):
        return NotReached(
            f"The CRM cannot be reached at port {port} of {parts.hostname}: the server is down, the port is"
            " another one, or https and http are mixed up."
        )
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NO_ANSWER.error(writing=writing)
    return CUT_OFF.error(writing=writing)


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
    found = _ATTRIBUTE.search(message)
    return (found[1] or found[2]) if found else None


_CERTIFICATES: Mapping[int, str] = {
    10: "it has expired",
    18: "it is self-signed",
    19: "it goes back to an authority of its own",
    20: "the authority behind it is not known, or its intermediate certificate is not sent along",
    62: "it is made out to another host name",
}
"""By OpenSSL's verify codes (man verify, X509_V_ERR_*)."""


def _certificate(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            why = _CERTIFICATES.get(error.verify_code, "it is not valid")
            return (
                f"The server's certificate cannot be relied on: {why}. Install one there from an authority"
                " that browsers know, made out to the address's host name."
            )
        error = error.__cause__ or error.__context__
    return None
