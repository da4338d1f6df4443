"""What it means that Zoho's accounts server, or we ourselves, refuse a sign-in.

Zoho's documentation: `{error}`, most often with HTTP status 200.
"""

from collections.abc import Mapping
from typing import Any

from connector_zoho import faults
from leadbus.errors import AuthRefused, LeadbusError, RateLimited, Transient

TOKENS_SECONDS = 600.0
"""How long Zoho gives no more access tokens, once too many were asked for."""


class SignInRefused(AuthRefused):
    """Signing in is refused; code: the word for it, Zoho's or ours (`SIGN_IN`)."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotSignedIn(SignInRefused):
    """Nobody has signed in for this access yet."""


class ClientRefused(SignInRefused):
    """The OAuth client (its id, secret or address) is refused."""


class Mismatch(SignInRefused):
    """Somebody else, or another organisation, signed in. typed, found: for the person, never logged."""

    typed = found = ""


_WRONG_CLIENT = (
    ClientRefused,
    "Zoho does not know the OAuth client: its id is wrong, or it is registered in another data centre.",
)
_ENDED = (
    SignInRefused,
    "Zoho does not accept the sign-in (any more): it was revoked, or a grant token was too old or had been"
    " used before. Sign in again, or give a new grant token.",
)
_NO_SUCH_CLIENT_TYPE = (ClientRefused, "Zoho's OAuth client is not of a type that may sign in like this.")
DECLINED = "access_denied"
ANOTHER_USER, ANOTHER_ORGANISATION = "another_user", "another_organisation"
NO_REFRESH_TOKEN, FORGED = "no_refresh_token", "forged"
SIGN_IN: Mapping[str, tuple[type[SignInRefused], str]] = {
    "invalid_client": _WRONG_CLIENT,
    "invalid_client_secret": (ClientRefused, "Zoho refuses the secret of the OAuth client."),
    "invalid_code": _ENDED,
    "invalid_redirect_uri": (
        ClientRefused,
        "Zoho's OAuth client does not name Leadbus's address to come back to among its redirect URIs.",
    ),
    DECLINED: (SignInRefused, "The sign-in was declined: Leadbus was not let in."),
    # Words of the OAuth standard (RFC 6749), should Zoho come to use them.
    "invalid_grant": _ENDED,
    "unauthorized_client": _NO_SUCH_CLIENT_TYPE,
    "unsupported_grant_type": _NO_SUCH_CLIENT_TYPE,
    # Ours, kept beside a grant token that is used up.
    ANOTHER_USER: (Mismatch, "Another user than the one in the settings signed in to the CRM."),
    ANOTHER_ORGANISATION: (
        Mismatch,
        "The sign-in leads to another organisation than the one in the settings.",
    ),
    FORGED: (
        SignInRefused,
        "What came back from the sign-in names an accounts server that is neither Zoho's nor the"
        " connection's own.",
    ),
    NO_REFRESH_TOKEN: (
        SignInRefused,
        "Zoho let Leadbus in for an hour only: sign in again, and give your consent when asked.",
    ),
}
NOT_SIGNED_IN = "Nobody has signed in to Zoho for this connection yet, and it has no grant token."
_NOT_NOW = "Zoho's accounts server answered with an error that Leadbus does not know."
TOO_MANY_TOKENS = "Zoho gives Leadbus no more access tokens for a while: too many were asked for."


def of_sign_in(status: int, body: Any) -> LeadbusError | None:
    """The error behind the answer to a token request, most often with status 200; None for a good one."""
    code = body.get("error") if isinstance(body, dict) else None
    if not isinstance(code, str):
        return None if status < 300 else faults.of_page(status, writing=False)
    if code == "Access Denied":
        return RateLimited(TOO_MANY_TOKENS, TOKENS_SECONDS)
    return refused(code) if code in SIGN_IN else Transient(_NOT_NOW)


def refused(code: str) -> SignInRefused:
    """The error for a word of `SIGN_IN`."""
    kind, sentence = SIGN_IN.get(code, _ENDED)
    return kind(sentence, code)


def mismatch(code: str, typed: str, found: str) -> Mismatch:
    """The error for a sign-in that is not the one typed in."""
    error = Mismatch(SIGN_IN[code][1], code)
    error.typed, error.found = typed, found
    return error
