"""An HTTP server inside the running loop, so that several services can share one process."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from leadbus.settings import ConfigurationError

FINISH_SECONDS = 10


class _Quiet(uvicorn.Server):
    """Leaves the signals to whoever runs the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Unlogged(HttpToolsProtocol):
    """Whatever a logger of this process is told later: addresses hold hooks' tokens and sign-ins' codes."""

    def __init__(self, *how: Any, **more: Any) -> None:
        super().__init__(*how, **more)
        self.access_log = False  # uvicorn only looks whether anybody listens to its logger


class HttpServer:
    """Serves an ASGI application at `url`; port 0 takes any free one.

    trusted_proxies: addresses and networks whose X-Forwarded-For names the caller.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> None:
        self._app = app
        self._trusted_proxies = list(trusted_proxies)
        self._address = (host, port)
        self._server: _Quiet | None = None
        self._serving: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Listens, and returns once requests are answered.

        Raises:
            ConfigurationError: the port is taken, or not ours to take.
        """
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {host} cannot be listened on ({error.strerror}): give the service another"
                " port by its variable that ends in _PORT, or LEADBUS_HOST another address."
            ) from None
        # asyncio sets it only on sockets made with an explicit protocol; without it every answer that is
        # written in two parts waits 40 ms for the client's acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound: int = listener.getsockname()[1]
        reachable = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.url = f"http://{reachable}:{bound}"
        self._server = _Quiet(
            uvicorn.Config(
                self._app,
                http=_Unlogged,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                # Both named: uvicorn would believe whatever runs on the same machine.
                proxy_headers=bool(self._trusted_proxies),
                forwarded_allow_ips=self._trusted_proxies,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=FINISH_SECONDS,
            )
        )
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name=f"http {self.url}")
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # uvicorn tells it by a flag only
        if self._serving.done():
            self._serving.result()

    async def stop(self) -> None:
        """Accepts no more, finishes what is under way (at most 10 s), closes."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None

    @property
    def dead(self) -> bool:
        """Whether it ended without being told to."""
        return self._serving is not None and self._serving.done()
