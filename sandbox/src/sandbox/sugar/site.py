"""What kind of Sugar a site is: the protocols it speaks, and the switches of its administrator."""

from dataclasses import dataclass

_OLD_VERSIONS = ("v2", "v4", "v4_1")
_LAST_MODERN = 27


def modern_versions(up_to: int) -> tuple[str, ...]:
    """`v10`, `v11`, `v11_1` ... `v11_<up_to>`: newer sites go on answering older versions."""
    return ("v10", "v11", *(f"v11_{minor}" for minor in range(1, up_to + 1)))


@dataclass(frozen=True, slots=True)
class Protocols:
    """Versions by protocol, an empty tuple = not spoken at all; and what the site says it is."""

    soap: tuple[str, ...] = _OLD_VERSIONS
    legacy: tuple[str, ...] = _OLD_VERSIONS
    rest: tuple[str, ...] = ()
    flavor: str = "CE"
    version: str = "6.5.25"


EVERYTHING = Protocols(rest=modern_versions(_LAST_MODERN))
SUITECRM_7 = Protocols()
SUITECRM_7_SOAP = Protocols(legacy=())
"""Where the web server keeps rest.php from everybody."""
SUGAR_7 = Protocols(rest=("v10", "v11"), flavor="ENT", version="7.11.0.0")
SUGAR_12 = Protocols((), (), modern_versions(16), "ENT", "12.0.0")
SUGAR_14 = Protocols((), (), modern_versions(24), "ENT", "14.0.0")


@dataclass(frozen=True, slots=True)
class Settings:
    """Switches of one site. What is marked [?] is not documented for real ones.

    lock_after: wrong passwords in a row after which a user is locked, 0 = never.
    changes_emails: SOAP and legacy updates change email1 and email_opt_out (7.8.31), or ignore them (7.12.5).
    page, largest_page: records on a page of modern REST where none or too many are asked for [?].
    largest_bulk: requests in one bulk call [?].
    own_ids: a create may bring its own id [?].
    missing_parameter: the HTTP status of that error; 412 on 7.0.
    disable_unknown_platforms: as Sugar has it since Winter '18.
    access_seconds, refresh_seconds: the lives of the two tokens.
    parallel: calls of one token that run side by side; assumed, since modern REST lets go of the PHP session.
    integrate_since: first minor of v11 with `PATCH /integrate` [?].
    email_flags_as_text: `"0"` and `"1"` instead of booleans inside `email`, as on old sites.
    count_as_text: `record_count` is text, as on some versions [?].
    hook_seconds: how often the scheduler runs; on a real site often each minute.
    """

    lock_after: int = 0
    changes_emails: bool = False
    page: int = 20
    largest_page: int = 1000
    largest_bulk: int = 100
    own_ids: bool = True
    missing_parameter: int = 422
    disable_unknown_platforms: bool = True
    access_seconds: float = 3600.0
    refresh_seconds: float = 1209600.0
    parallel: int = 8
    integrate_since: int = 10
    email_flags_as_text: bool = False
    count_as_text: bool = False
    hook_seconds: float = 60.0
