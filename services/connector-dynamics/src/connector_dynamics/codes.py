"""Dynamics's error codes, and what each means for Leadbus.

They are the same in SOAP (signed numbers) and in the Web API (hexadecimal): Microsoft's web service error
codes, of which the contract notes list those worth a rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leadbus.errors import (
    AddressRefused,
    AuthRefused,
    Conflict,
    Gone,
    LeadbusError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unsupported,
)


class NotServed(Transient):
    """Something answered, but not this service: a web page, a missing path, a forwarding."""


class WebPage(NotServed):
    """A page for people, or whatever else is no answer: of a firewall, a proxy, or another server."""


class NoDirectory(Transient):
    """What answers where an app registration is to sign in is no directory."""


class DirectoryBusy(RateLimited):
    """The directory asks for a pause, which says nothing of the organisation."""


class NotReached(AddressRefused):
    """No connection came about: a wrong address, a server that is down, or a firewall that lets nobody in."""


class Inside(Transient):
    """The address leads into a network that only we can reach."""


class Untrusted(Transient):
    """The server shows a certificate that nobody can rely on."""


class NotEncrypted(Transient):
    """No https comes about with what answers."""


class NotOurs(Unsupported):
    """The address belongs to another product, or to a way of signing in that Leadbus does not speak."""


class NotAMember(AuthRefused):
    """Who signs in is no user of the organisation, or one without a role."""


class Duplicate(Rejected):
    """A rule of the CRM against duplicates, or a key of it, forbids the row."""


class NotOnTheList(Rejected):
    """Somebody is to be taken off a list who is not on it."""


class MarkTooOld(Gone):
    """Changes are not told from there on any more."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The error that a condition is for a call that reads and for one that writes, and its sentence."""

    reading: type[LeadbusError]
    writing: type[LeadbusError]
    sentence: str

    def error(self, *, writing: bool) -> LeadbusError:
        return (self.writing if writing else self.reading)(self.sentence)


def both(error: type[LeadbusError], sentence: str) -> Meaning:
    return Meaning(error, error, sentence)


DELETED = "The record was deleted in the CRM."
EXISTS = both(Conflict, "The CRM has a record with this id already.")
CHANGED = both(Conflict, "The record was changed in the CRM meanwhile.")
GONE = both(Gone, DELETED)
DENIED = Meaning(
    Unsupported,
    Rejected,
    "The CRM denies its user this: an administrator of the CRM must add the privilege to the user's"
    " security role.",
)
_NO_COLUMN = Meaning(
    Unsupported,
    Rejected,
    "The CRM does not have a column that the field mapping names, or hides it: correct the mapping.",
)
WAIT = both(Transient, "The CRM asks for fewer calls.")
PLUG_IN = Meaning(
    Transient,
    Rejected,
    "A plug-in or workflow of the CRM refuses this; its message stands in the CRM's plug-in trace log: ask"
    " an administrator of the CRM.",
)
_DATABASE = both(Transient, "The CRM's database was too busy, and undid what was asked for.")
FAILED = Meaning(Transient, OutcomeUnknown, "The CRM failed without saying why.")
_OUR_CALL = Meaning(Unsupported, Rejected, "The CRM does not accept this call.")
_VALUE = "The CRM refuses the value of a field: {}."
_STATE = Meaning(Unsupported, Rejected, "The record's state in the CRM does not allow this: it is closed.")

CODES: Mapping[int, Meaning] = {
    0x80040237: EXISTS,
    0x80040333: Meaning(
        Unsupported,
        Duplicate,
        "A duplicate detection rule of the CRM refuses the record, as another one is much like it: merge them"
        " in the CRM, or change the rule (Settings > Data Management).",
    ),
    0x80060892: Meaning(
        Unsupported,
        Duplicate,
        "Another record of the CRM has a value that an alternate key of it allows only once.",
    ),
    0x80040217: GONE,
    0x80040220: DENIED,
    0x80048306: DENIED,
    0x80048405: DENIED,
    0x80040231: Meaning(
        Unsupported,
        Rejected,
        "The user or team that is to own the record lacks a privilege for it: an administrator of the CRM"
        " must add it to its security role.",
    ),
    0x80040204: both(
        NotAMember,
        "The CRM does not know this user, or it is disabled: an administrator of the CRM must add it to the"
        " organisation's users.",
    ),
    0x80072560: both(
        NotAMember,
        "Whom Leadbus signs in as is no user of the organisation: make an application user for the app"
        " registration (Power Platform admin center > Environments > Settings > Application users).",
    ),
    0x80042F09: both(
        NotAMember, "The CRM's user has no security role: an administrator of the CRM must give it one."
    ),
    0x8004A112: both(
        AuthRefused, "The CRM's user is disabled: an administrator of the CRM must enable it again."
    ),
    0x8004A104: both(
        Transient, "The organisation is disabled at present: ask an administrator of the CRM why."
    ),
    0x8004A113: both(Transient, "The organisation is open to its administrators only at present."),
    0x80041103: _NO_COLUMN,
    0x80041102: Meaning(
        Unsupported, Rejected, "The CRM does not have this kind of record, or hides it from its user."
    ),
    0x80040203: _OUR_CALL,
    0x80040216: FAILED,
    0x80040265: PLUG_IN,
    0x80040224: PLUG_IN,
    # Documented (troubleshooting of bulk operations): errors of SQL Server, as by a deadlock; its timeout;
    # a transaction that was undone.
    **dict.fromkeys((0x80044150, 0x80044151, 0x80040255), _DATABASE),
    0x80060882: CHANGED,
    0x80072322: WAIT,
    0x80072326: WAIT,
    0x80072321: WAIT,
    0x8004F701: Meaning(
        Unsupported, Rejected, "The marketing list is a dynamic one: nobody can be put on it by hand."
    ),
    0x80048458: Meaning(Unsupported, NotOnTheList, "The marketing list does not have that member."),
    0x80040301: Meaning(Unsupported, Rejected, "The marketing list is for another kind of record."),
    0x80081018: Meaning(
        Unsupported,
        Rejected,
        "The CRM's user may not create accounts, which qualifying this lead needs: an administrator of the"
        " CRM must add the privilege to its security role.",
    ),
    0x80040518: _STATE,
    0x80040233: _STATE,
    0x8004431A: Meaning(
        Unsupported,
        Rejected,
        _VALUE.format("it is none of the field's options; add the option in the CRM, or map the value"),
    ),
    0x80044331: Meaning(Unsupported, Rejected, _VALUE.format("it is longer than the field")),
    0x80048D19: Meaning(
        Unsupported, Rejected, _VALUE.format("it cannot be read as what the field holds; correct the mapping")
    ),
    0x80044354: Meaning(Unsupported, Rejected, _VALUE.format("it is of another type than the field")),
    0x80048408: Meaning(
        Unsupported, Rejected, "The CRM refuses the status, as it does not go with the state."
    ),
    0x80072491: Meaning(
        Unsupported, Rejected, "The CRM does not track the changes of this kind of record (change tracking)."
    ),
    0x80044352: both(
        MarkTooOld, "The CRM does not know any more what changed since then: everything is read again."
    ),
}
