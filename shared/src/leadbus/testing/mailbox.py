"""Where the service's mails arrive: a real SMTP server that keeps them, by recipient."""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

SENDER = "Leadbus <leadbus@example.com>"


class _Connection(SMTP):
    """open: those of the mailbox, which it joins."""

    def __init__(self, mailbox: "Mailbox", open_: "set[_Connection]") -> None:
        super().__init__(mailbox, loop=asyncio.get_running_loop())
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


class Mailbox:
    """Open from `start` to `stop`."""

    def __init__(self) -> None:
        self._mails: list[tuple[str, EmailMessage]] = []
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    async def start(self) -> None:
        """Listens on a port that is free."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, self._open), "127.0.0.1", 0
        )

    async def stop(self) -> None:
        """Ends it, with whoever is still connected."""
        if self._server is not None:
            self._server.close()
            for _ in range(4):  # of the loop, in which a connection is made of a socket that was accepted
                await asyncio.sleep(0)
        for connection in list(self._open):
            connection.hang_up()
        await asyncio.sleep(0)  # for them to notice

    @property
    def environ(self) -> dict[str, str]:
        """What a service is told to send its mails here."""
        assert self._server is not None
        return {
            "SMTP_URL": f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}",
            "MAIL_FROM": SENDER,
        }

    def of(self, recipient: str) -> list[EmailMessage]:
        """Oldest first."""
        return [mail for to, mail in self._mails if to == recipient]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """aiosmtpd's name for the moment in which a mail has come."""
        mail = message_from_bytes(envelope.original_content or b"", policy=default)
        self._mails += [(to, mail) for to in envelope.rcpt_tos]
        return "250 2.0.0 Taken"


def text_of(mail: EmailMessage) -> str:
    """Its plain text."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""
