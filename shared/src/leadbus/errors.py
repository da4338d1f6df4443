"""Errors by what is to be done about them.

    LeadbusError
    ├── Transient            wait and try again; nobody is to blame
    │   ├── RateLimited      the same, but not before `retry_after` seconds
    │   └── AddressRefused   the CRM, or a firewall before it, turns away the address we call from
    ├── AuthExpired          sign in again, once, and repeat the call
    ├── AuthRefused          the credentials are wrong: pause and ask a person
    ├── Rejected             this row will never pass as it is: park it, tell a person what to change
    ├── Conflict             somebody else wrote first: read again, then decide
    ├── Gone                 the record does not exist any more
    ├── Unsupported          the other side cannot do this at all
    ├── OutcomeUnknown       the call may or may not have been carried out: look before repeating
    ├── Undecodable          a record that no retry can read: dead letter
    └── Fenced               another owner works this partition or organisation now: drop what you hold

Every error's text is a sentence for a person and carries no personal data and no secret.
"""


class LeadbusError(Exception):
    """The root: `str(error)` is a sentence that may be shown to the person concerned."""


class Transient(LeadbusError):
    """Wait and try again."""


class RateLimited(Transient):
    """The other side asks for a pause of `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AddressRefused(Transient):
    """The address we call from is turned away: a person must let it in; tries do no harm meanwhile."""


class AuthExpired(LeadbusError):
    """The session or token has ended: sign in again and repeat the call once."""


class AuthRefused(LeadbusError):
    """The credentials are refused; more tries could lock the user."""


class Rejected(LeadbusError):
    """The other side will not take this row as it is. `field` names what to change, if known."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Conflict(LeadbusError):
    """The row was changed by somebody else, or exists already."""


class Gone(LeadbusError):
    """The record was deleted."""


class Unsupported(LeadbusError):
    """The other side cannot do this at all."""


class OutcomeUnknown(LeadbusError):
    """No answer came back: the write may have been carried out."""


class Undecodable(LeadbusError):
    """A record that cannot be read. `kind` is a short stable word for headers and metrics."""

    def __init__(self, message: str, kind: str = "undecodable") -> None:
        super().__init__(message)
        self.kind = kind


class Fenced(LeadbusError):
    """Another owner has moved on: what this process holds of the partition is stale."""
