"""The CRM as a running server, in a test's own process or in one of its own."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Collection, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from . import backdoor, desk
from .endpoint import Endpoint
from .faults import Faults
from .sessions import Sessions
from .store import Clock, Store, utc_now
from .transport import TrackedProtocol

_HOST = "127.0.0.1"


class _Server(uvicorn.Server):
    """Leaves the process's signal handlers alone unless it owns the process."""

    def __init__(self, config: uvicorn.Config, *, owns_process: bool) -> None:
        super().__init__(config)
        self.owns_process = owns_process
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals() if self.owns_process else contextlib.nullcontext():
            yield


class SugarCRM:
    """A SugarCRM-family server with the SOAP services v2, v4 and v4_1 of SuiteCRM 7.12.5.

    database: SQLite file, or `:memory:`. A new one has the user admin (password admin) with id 1.
    site_url: what the WSDL's soap:address says; default the address really listened on.
    dies: calls that always end in fault -1, such as `v4_1.login` (7.14.6) or `v4_1.set_entry` (7.12.6+).
    cost_per_call_ms, cost_per_row_ms: the least a call takes, and what each written row adds.
    """

    def __init__(
        self,
        database: str = ":memory:",
        *,
        site_url: str | None = None,
        dies: Collection[str] = (),
        cost_per_call_ms: float = 0.0,
        cost_per_row_ms: float = 0.0,
        clock: Clock = utc_now,
    ) -> None:
        self.store = Store(database, clock)
        self.faults = Faults()
        self.sessions = Sessions(self.store)
        self.url = ""
        self._configured_url = site_url
        self._endpoint = Endpoint(
            self.store,
            self.sessions,
            self.faults,
            site_url or "",
            dies=dies,
            cost_per_call_ms=cost_per_call_ms,
            cost_per_row_ms=cost_per_row_ms,
        )
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        if self.store.value("SELECT count(*) FROM users") == 0:
            desk.add_user(
                self.store, "admin", "admin", last_name="Administrator", is_admin=True, key=desk.ADMIN
            )

    @property
    def calls(self) -> Counter[str]:
        """SOAP calls received so far, by operation."""
        return self._endpoint.calls

    def endpoint_url(self, version: str = "v4_1") -> str:
        return f"{self.url}/service/{version}/soap.php"

    async def start(self, port: int = 0, *, owns_process: bool = False) -> None:
        """Returns once it listens (port 0 = any free one). Raises OSError if the port is taken."""
        # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError:
            listener.close()
            raise
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        self._endpoint.site_url = self._configured_url or self.url
        config = uvicorn.Config(
            self._app(),
            http=TrackedProtocol,
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, owns_process=owns_process)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()

    async def stop(self) -> None:
        """Ends the server, lets go of hanging calls and closes the database."""
        self.faults.clear()
        if self._server is not None:
            self._server.should_exit = True
        await self.closed()
        self.store.close()

    async def closed(self) -> None:
        """Returns when the server has ended."""
        if self._serving is not None:
            await self._serving

    def _app(self) -> Starlette:
        soap = "/service/{version}/soap.php"
        return Starlette(
            routes=[
                Route(soap, self._endpoint.get, methods=["GET"]),
                Route(soap, self._endpoint.post, methods=["POST"]),
                *backdoor.routes(self._endpoint),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)],
        )
