"""What keeps a call from a server, or its answer from us: told with the host and the port that it is about.

A call that never left cannot have been carried out, so that only one that was sent leaves its outcome open.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import httpx

from connector_dynamics.codes import Meaning, NotEncrypted, NotReached, Untrusted
from leadbus.errors import LeadbusError, OutcomeUnknown, Transient
from leadbus.security.addresses import HostUnknown

NO_ANSWER = Meaning(Transient, OutcomeUnknown, "The CRM did not answer in time.")
CUT_OFF = Meaning(Transient, OutcomeUnknown, "The connection to the CRM broke before its answer came.")

_CERTIFICATES: Mapping[int, str] = {
    9: "it is not valid yet, by the clock here",
    10: "it has expired",
    18: "it is self-signed",
    19: "it goes back to an authority of its own",
    **dict.fromkeys(
        (20, 21), "the authority behind it is not known, or its intermediate certificate is not sent along"
    ),
    **dict.fromkeys((62, 64), "it is made out to another host name"),
}
"""By OpenSSL's verify codes (man verify, X509_V_ERR_*)."""


def where(url: str) -> str:
    """What an address leads to, in a person's words: port 443 of crm.example.com."""
    parts = urlsplit(url)
    return f"port {parts.port or (443 if parts.scheme == 'https' else 80)} of {parts.hostname}"


def of_transport(error: Exception, url: str, *, writing: bool) -> LeadbusError:
    """The error behind a call that got no answer."""
    place, causes = where(url), list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Untrusted(_certificate(cause, place))
        if isinstance(cause, socket.gaierror):
            return HostUnknown(urlsplit(url).hostname or "")
    if isinstance(error, httpx.ConnectTimeout):
        return NotReached(
            f"Nothing answers at {place}: a firewall may keep Leadbus out, or the server is down."
        )
    if isinstance(error, httpx.ConnectError | httpx.PoolTimeout | httpx.InvalidURL):
        return _unconnected(causes, place)
    return _unanswered(error, url).error(writing=writing)


def _unconnected(causes: list[BaseException], place: str) -> LeadbusError:
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return NotEncrypted(
            f"What answers at {place} does not speak https, or ends the connection before it has begun."
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return NotReached(
            f"The CRM cannot be reached, as connections to {place} are refused: nothing listens there, or a"
            " firewall turns Leadbus away."
        )
    return NotReached(
        f"The CRM cannot be reached at {place}: no connection comes about, as if there were no way there."
    )


def _unanswered(error: Exception, url: str) -> Meaning:
    meaning = NO_ANSWER if isinstance(error, httpx.TimeoutException | TimeoutError) else CUT_OFF
    sentence = f"{meaning.sentence[:-1]} ({where(url)})."
    if isinstance(error, httpx.RemoteProtocolError) and url.startswith("http:"):
        sentence += " It may speak https there: enter the address with https then."
    return Meaning(meaning.reading, meaning.writing, sentence)


def _certificate(error: ssl.SSLCertVerificationError, place: str) -> str:
    why = _CERTIFICATES.get(error.verify_code, "it is not valid")
    return f"The certificate that the server shows at {place} cannot be relied on: {why}."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
