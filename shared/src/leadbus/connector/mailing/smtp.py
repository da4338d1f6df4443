"""The mail server: where it is, how mails are handed to it, and what its refusals mean."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from leadbus.connector.mailing.letters import Letter
from leadbus.connector.mailing.mail import Mail
from leadbus.errors import Rejected, Transient
from leadbus.settings import ConfigurationError

ANSWERS_WITHIN = 20.0
"""Seconds, for each of its answers."""
FAREWELL_SECONDS = 1.0
URL = "SMTP_URL"
FROM = "MAIL_FROM"

DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
"""By scheme of the URL."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LEAVING = 421  # RFC 5321, 3.8: the service ends the connection, whatever it was asked


class Refused(Rejected):
    """The server takes this mail for its recipient neither now nor later."""


class NotNow(Transient):
    """The server does not take this mail now; others it may."""


class ServerAway(Transient):
    """The server takes no mail at all."""


class LoginRefused(ServerAway):
    """It does not let us in; trying again soon could lock the user."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """See the module. starttls: None = if the server offers it. sender: what stands behind From."""

    host: str
    port: int
    sender: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None

    @classmethod
    def of(cls, url: str, sender: str) -> "MailServer | None":
        """None if no url is given: then no mails are made.

        url: smtp://host:port (TLS by STARTTLS if the server offers it), smtp+starttls:// (not without),
        smtps:// (TLS from the first byte); user:password@ before the host. A password is sent without TLS to
        this machine only.

        Raises:
            ConfigurationError: with what is wrong, and no value.
        """
        if not url:
            return None
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
            parts = urlsplit("")
        if not host or parts.scheme not in DEFAULT_PORTS:
            raise ConfigurationError(
                f"{URL} is not the address of a mail server, such as"
                " smtp+starttls://user:password@mail.example.com:587."
            )
        secret = parts.username is not None and host not in _LOOPBACK
        return cls(
            host=host,
            port=port or DEFAULT_PORTS[parts.scheme],
            sender=_address(sender),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or "") if parts.username else None,
            tls=parts.scheme == "smtps",
            starttls={"smtps": False, "smtp+starttls": True}.get(parts.scheme, True if secret else None),
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["Session"]:
        """For several mails, one after the other.

        Raises:
            ServerAway: it does not answer, or does not let us in.
        """
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            local_hostname=socket.gethostname(),  # its own guess asks a name server, and waits for it
            timeout=ANSWERS_WITHIN,
            use_tls=self.tls,
            start_tls=self.starttls,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            client.close()
            raise LoginRefused(
                f"The mail server refuses the user and password in {URL} (code {error.code})."
            ) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise ServerAway(_in_words(error)) from None
        try:
            yield Session(client, self.sender)
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=FAREWELL_SECONDS)
        finally:
            client.close()


class Session:
    """Hands mails over."""

    def __init__(self, client: aiosmtplib.SMTP, sender: Address) -> None:
        self._client = client
        self._sender = sender

    async def send(self, mail: Mail, letter: Letter, off_url: str) -> None:
        """Returns once the server has taken it.

        Raises:
            Refused, NotNow: it did not, and others may be sent. ServerAway: nobody knows whether it has.
        """
        message = composed(mail, letter, off_url, self._sender)
        try:
            await self._client.send_message(
                message, sender=self._sender.addr_spec, recipients=[mail.recipient]
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from None
        except aiosmtplib.SMTPDataError as error:
            raise _refusal(error) from None
        except aiosmtplib.SMTPNotSupported:
            raise Refused("The mail server takes no address that has other letters than ASCII.") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ServerAway(_in_words(error)) from None


def composed(mail: Mail, letter: Letter, off_url: str, sender: Address) -> EmailMessage:
    """The mail as it is sent, with the same Message-ID on each try: who gets it twice sees it once."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = sender
    message["To"] = mail.recipient
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no robot answers
    message["List-Unsubscribe"] = f"<{off_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _refusal(error: aiosmtplib.SMTPResponseException) -> Refused | NotNow | ServerAway:
    """By code alone: what the server says may quote the recipient."""
    if error.code == _LEAVING:
        return ServerAway(_in_words(error))
    return Refused(_in_words(error)) if error.code >= 500 else NotNow(_in_words(error))


def _in_words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return f"The mail server refuses to send in the name of {FROM} (code {error.code})."
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"The mail server answers {error.code}."
    if type(error) in {aiosmtplib.SMTPException, aiosmtplib.SMTPNotSupported}:
        return f"The mail server does not offer what {URL} asks for, such as STARTTLS."
    return f"The mail server does not answer ({type(error).__name__})."


def _address(text: str) -> Address:
    name, spec = parseaddr(text)
    try:
        found = Address(display_name=name, addr_spec=spec)
    except (ValueError, IndexError, MessageError):
        found = Address()
    if not (found.username and found.domain):
        raise ConfigurationError(
            f"{FROM} is not the address that mails are sent from, such as Leadbus <leadbus@example.com>."
        )
    return found
