"""What SugarCRM's faults, and what can happen on the way to it, mean for Leadbus.

Numbers are the same in SOAP and legacy REST. They were recorded on SuiteCRM 7.12.5; 12, 60 and those from
1000 on were read in its source.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

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


class NotServed(Transient):
    """Something answered, but not the service: a web page, a missing path, a forwarding."""


class NotReached(AddressRefused):
    """No connection came about: a wrong address, a server that is down, or a firewall that lets nobody in."""


class Missing(NotServed):
    """There is nothing at that path."""


class Died(Transient):
    """The service died (fault -1) on a call that only reads."""


class DiedWriting(OutcomeUnknown):
    """The service died (fault -1) on a write: what it had written until then stays."""


class PlatformUnknown(AuthRefused):
    """The API platform in whose name Leadbus signs in is not registered."""


class KeyRefused(AuthRefused):
    """The OAuth key is refused, or programs may not sign in with a password at all."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a condition is for a call that reads and for one that writes, and its sentence."""

    reading: type[LeadbusError]
    writing: type[LeadbusError]
    sentence: str

    def error(self, *, writing: bool) -> LeadbusError:
        return (self.writing if writing else self.reading)(self.sentence)


FAULTS: Mapping[str, Meaning] = {
    "-1": Meaning(
        Died,
        DiedWriting,
        "The CRM's service broke off in the middle of the call; its own log says why.",
    ),
    "10": Meaning(
        AuthRefused,
        AuthRefused,
        "The CRM refuses the user name or password: enter them again in the connection's settings.",
    ),
    "11": Meaning(AuthExpired, AuthExpired, "The CRM has ended the session."),
    "12": Meaning(
        AuthRefused,
        AuthRefused,
        "The CRM's user is not set up completely: sign in to the CRM once with it and finish its profile.",
    ),
    "20": Meaning(
        Unsupported,
        Unsupported,
        "The CRM does not have this module, or its user may not see it: an administrator of the CRM can"
        " show it to the user's role.",
    ),
    "40": Meaning(
        Unsupported,
        Rejected,
        "The CRM denies its user access to this module: an administrator of the CRM must allow the user's"
        " role to list, view and edit it.",
    ),
    "30": Meaning(Unsupported, Rejected, "The CRM does not support this call."),
    "31": Meaning(Unsupported, Rejected, "The CRM does not have the relationship that this call is about."),
    "60": Meaning(Transient, Transient, "The CRM has too many sessions open at the moment."),
    "1000": Meaning(Unsupported, Rejected, "The CRM does not accept this kind of call."),
    "1001": Meaning(Unsupported, Rejected, "The CRM does not accept the data of this call."),
    "1008": Meaning(
        AuthRefused,
        AuthRefused,
        "The password of the CRM's user has expired: set a new one in the CRM, then in the connection's"
        " settings.",
    ),
    "1009": Meaning(
        AuthRefused,
        AuthRefused,
        "The CRM has locked its user out after failed sign-ins: an administrator of the CRM must unlock it.",
    ),
    "1012": Meaning(
        AuthRefused,
        AuthRefused,
        "The CRM's directory (LDAP) refuses the user: for the services of SugarCRM it needs a user with a"
        " password of its own.",
    ),
    "SOAP-ENV:Client": Meaning(
        Unsupported, Unsupported, "The CRM's SOAP service does not know this call, or could not read it."
    ),
}
OTHER_FAULT = Meaning(Transient, OutcomeUnknown, "The CRM answered with an error that Leadbus does not know.")

PAGE = Meaning(
    NotServed,
    NotServed,
    "The address answers with a web page instead of the CRM's service: the CRM may be under maintenance,"
    " or the address is not the one at which people sign in to it.",
)
STATUSES: Mapping[int, Meaning] = {
    **dict.fromkeys(
        (301, 302, 303, 307, 308),
        Meaning(
            NotServed,
            NotServed,
            "The address only forwards to another one: enter the address at which the forwarding ends.",
        ),
    ),
    **dict.fromkeys(
        (401, 403),
        Meaning(
            AddressRefused,
            AddressRefused,
            "The web server or a firewall in front of the CRM turns Leadbus away: it must let calls from the"
            " address that Leadbus calls from reach the CRM.",
        ),
    ),
    404: Meaning(
        Missing,
        Missing,
        "There is no SugarCRM service at the address: enter the one at which people sign in to the CRM.",
    ),
    # The service behind a gateway, or the script itself, may have worked on after this was sent.
    **dict.fromkeys(
        (500, 502, 504),
        Meaning(Transient, OutcomeUnknown, "The CRM's server failed without saying why."),
    ),
    503: Meaning(Transient, Transient, "The CRM is not available at the moment."),
    429: Meaning(Transient, Transient, "The CRM asks for fewer calls."),
}

NOT_REACHED = Meaning(
    NotReached, NotReached, "The CRM cannot be reached at its address, or its certificate is not valid."
)
NO_ANSWER = Meaning(Transient, OutcomeUnknown, "The CRM did not answer in time.")
CUT_OFF = Meaning(Transient, OutcomeUnknown, "The connection to the CRM broke before its answer came.")
UNREADABLE = Meaning(Transient, OutcomeUnknown, "The CRM's answer cannot be read.")
TOO_LONG = Meaning(Unsupported, OutcomeUnknown, "The CRM's answer is longer than Leadbus accepts.")
SESSION_LOST_AGAIN = Meaning(Transient, Transient, "The CRM ends each session as soon as it has begun.")

REFUSED_ROW = (
    "The CRM's service broke off twice on this record, while it answers otherwise: a workflow or a required"
    " field of the CRM may refuse it; the CRM's own log says which."
)
NOT_STORED = (
    "The CRM did not store the record and gave no reason: its user may lack the right to edit this module."
)
EXISTS = "The CRM has a record with this id already."
DELETED = "The record was deleted in the CRM."
BAD_ADDRESS = "The CRM does not take this email address."
NOT_LINKED = "The CRM did not relate the record to another one and gave no reason."
CAMPAIGN_DELETED = "The campaign was deleted in the CRM."
LIST_DELETED = "The campaign's target list, which holds its members, was deleted in the CRM."
NO_TEAMS = "This edition of SugarCRM has no teams: leave the teams of the connection empty."


def unknown_team(name: str) -> Unsupported:
    """The error for a team of the settings that the CRM does not have."""
    return Unsupported(
        f"The CRM has no team named {name} (upper and lower case count), or its user may not see it."
    )


WHY_TO_ANSWER = "Without an answer nothing can be written to the CRM or read from it."
_ADVICE: Mapping[type[LeadbusError], str] = {
    PlatformUnknown: "Register it in the CRM under Admin > API Platforms (from Sugar 8.0; before, by a"
    " package with the Platform extension), or enter one that is registered there; base would sign the user's"
    " people out of their web pages. Then test again.",
    KeyRefused: "In the CRM, under Admin > OAuth Keys, make a key with the client type user, and enter it and"
    " its secret in the connection's settings; a cloud site may have to be opened for it by SugarCRM. Then"
    " test again.",
    AuthRefused: "Correct what is refused, then test again; each further try could lock the user out.",
    NotReached: "Check the address; if it is right, ask whoever runs the CRM whether it is up and lets"
    " Leadbus in.",
    AddressRefused: "Ask whoever runs the CRM's web server or firewall to let Leadbus in, then test again.",
    NotServed: "Open the address in a browser: the CRM's own sign-in page must appear. Then test again.",
    Died: "Update SuiteCRM, or run it on PHP 7.4: 7.14 as shipped dies at every sign-in over SOAP on PHP 8.",
    Unsupported: "Ask an administrator of the CRM to allow its user what is missing, then test again.",
}


def advice(error: Exception) -> str:
    """What to do about a check that could not be made."""
    found = (text for kind, text in _ADVICE.items() if isinstance(error, kind))
    return next(found, "Test again in a few minutes.")


def of_fault(code: str | None, *, writing: bool) -> LeadbusError:
    """The error behind a SOAP fault's code."""
    return FAULTS.get(code or "", OTHER_FAULT).error(writing=writing)


def of_status(status: int, retry_after: str | None, *, writing: bool) -> LeadbusError:
    """The error behind an answer that is no SOAP. retry_after: the header's value, in seconds."""
    meaning = STATUSES.get(status, PAGE)
    if status in {429, 503} and retry_after and retry_after.isdecimal():
        return RateLimited(meaning.sentence, float(retry_after))
    return meaning.error(writing=writing)


def of_transport(error: httpx.HTTPError | TimeoutError, *, writing: bool) -> LeadbusError:
    """The error behind a call that got no answer; one that never left cannot have been carried out."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return NOT_REACHED.error(writing=writing)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return NO_ANSWER.error(writing=writing)
    return CUT_OFF.error(writing=writing)
