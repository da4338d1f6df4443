"""The mail server as two running servers: SMTP for programs, HTTP for people."""

import asyncio
import ssl
from typing import Any

import uvicorn
from starlette.applications import Starlette

from sandbox.web import ACCEPTING_TURNS, Server, bound

from . import pages
from .faults import Faults
from .inbox import Inbox, Message
from .smtp import Handler, Protocol

_HOST = "127.0.0.1"


class MailServer:
    """Takes every mail, for whomever; `async with` or `start` and `stop`.

    smtp_port, port: of SMTP and of the pages; 0 = any free one. user, password: without them nobody needs to
    sign in. tls: what STARTTLS is answered with; None = it is not offered.
    """

    def __init__(
        self,
        *,
        smtp_port: int = 0,
        port: int = 0,
        user: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.inbox, self.faults = Inbox(), Faults()
        self.handler = Handler(self.inbox, self.faults, user, password)
        self._signs_in = bool(user)
        self._tls = tls
        self.smtp_port, self._port = smtp_port, port
        self._smtp: asyncio.Server | None = None
        self._sessions: set[Protocol] = set()
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.page = ""

    @property
    def url(self) -> str:
        """Of SMTP, without user and password."""
        return f"smtp://{_HOST}:{self.smtp_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes Leadbus send its mails here."""
        return {"SMTP_URL": self.url, "MAIL_FROM": "Leadbus <leadbus@sandbox.test>"}

    def mails(self, to: str = "") -> list[Message]:
        """Newest first. to: only for this recipient."""
        return self.inbox.newest(to)

    async def misbehave(self, kind: str, **how: Any) -> None:
        """`away`: nothing answers; the rest as `Faults.add`. Raises ValueError for what cannot be."""
        if kind == "away":
            await self._leave()
            return
        self.faults.add(kind, **how)  # type: ignore[arg-type]  # it refuses what is none

    async def behave(self) -> None:
        """All is well again, from the next connection on."""
        self.faults.clear()
        if self._smtp is None:
            await self._listen()

    async def start(self, *, owns_process: bool = False) -> None:
        """Returns once both listen. Raises OSError if a port is taken."""
        await self._listen()
        listener = bound(_HOST, self._port)
        self.page = f"http://{_HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            Starlette(routes=pages.routes(self)),
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = Server(config, owns_process=owns_process)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()

    async def stop(self) -> None:
        """Ends both."""
        if self._server is not None:
            self._server.end()
        await self.closed()

    async def closed(self) -> None:
        """Returns when the pages have ended; then SMTP does."""
        if self._serving is not None:
            await self._serving
        await self._leave()

    async def __aenter__(self) -> "MailServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _listen(self) -> None:
        listener = bound(_HOST, self.smtp_port)
        self.smtp_port = listener.getsockname()[1]
        self._smtp = await asyncio.get_running_loop().create_server(
            lambda: Protocol(self.handler, self._sessions, self._tls, signs_in=self._signs_in), sock=listener
        )

    async def _leave(self) -> None:
        if self._smtp is None:
            return
        self._smtp.close()
        self._smtp = None
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)
        for session in list(self._sessions):
            session.hang_up()
        await asyncio.sleep(0)  # for them to notice
