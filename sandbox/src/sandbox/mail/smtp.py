"""The SMTP side: aiosmtpd, with an inbox behind it and faults before it."""

import asyncio
import ssl
from collections import Counter

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .faults import Faults, Rule
from .inbox import Inbox

_OK = "250 2.0.0 Taken"
_ANSWERS = {
    "busy": "451 4.3.0 Not now",
    "refuse": "550 5.1.1 No such mailbox",
    "leave": "421 4.3.2 Closing down",
}


class Handler:
    """What aiosmtpd asks at each stage. calls: mails begun, by stage; also those that came to nothing."""

    def __init__(self, inbox: Inbox, faults: Faults, user: str = "", password: str = "") -> None:
        self.inbox, self.faults = inbox, faults
        self.calls: Counter[str] = Counter()
        self.refused_logins = 0
        self._user, self._password = user, password

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        known = LoginPassword(self._user.encode(), self._password.encode())
        if given != known:
            self.refused_logins += 1
        return AuthResult(success=given == known, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.calls["mail"] += 1
        if self._user and not session.authenticated:
            return "530 5.7.0 Sign in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: "Protocol", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.calls["recipient"] += 1
        if (rule := self.faults.strike("recipient", address)) and (refusal := await _refusal(rule, server)):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: "Protocol", session: Session, envelope: Envelope) -> str:
        self.calls["data"] += 1
        rule = self.faults.strike("data", envelope.rcpt_tos[0])
        if rule and (refusal := await _refusal(rule, server)):
            return refusal
        content = envelope.original_content or b""
        self.inbox.take(envelope.mail_from or "", envelope.rcpt_tos, content)
        if rule and rule.kind == "lose_reply":
            server.hang_up()
        return _OK


async def _refusal(rule: Rule, server: "Protocol") -> str | None:
    """The answer; None if the mail is taken after all."""
    if rule.kind == "slow":
        await asyncio.sleep(rule.seconds)
    if rule.kind == "leave":
        await server.push(_ANSWERS["leave"])
        server.hang_up()
    return _ANSWERS.get(rule.kind)


class Protocol(SMTP):
    """One connection. open: those of the server, which it joins; tls: see `MailServer`."""

    def __init__(
        self, handler: Handler, open_: set["Protocol"], tls: ssl.SSLContext | None, *, signs_in: bool
    ) -> None:
        super().__init__(
            handler,
            hostname="mail.sandbox.test",
            ident="Leadbus sandbox",
            enable_SMTPUTF8=True,
            tls_context=tls,
            authenticator=handler.authenticate if signs_in else None,
            auth_require_tls=tls is not None,
            loop=asyncio.get_running_loop(),
        )
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
