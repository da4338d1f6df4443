"""The CRM as a running server, in a test's own process or in one of its own."""

import asyncio
from collections import Counter
from collections.abc import Collection

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from sandbox.web import Server, TrackedProtocol, bound

from . import backdoor, desk
from .door import Door
from .endpoint import Endpoint
from .faults import Faults
from .front import Front
from .legacy import LegacyEndpoint
from .modules import edition
from .rest import RestEndpoint, Scheduler
from .sessions import Sessions
from .site import EVERYTHING, Protocols, Settings
from .store import Clock, Store, utc_now

_HOST = "127.0.0.1"


class SugarCRM:
    """A SugarCRM-family server: SOAP as recorded from SuiteCRM 7.12.5, legacy and modern REST from documents.

    database: SQLite file, or `:memory:`. A new one has the user admin (password admin) with id 1.
    site_url: what the WSDL's soap:address says; default the address really listened on.
    dies: calls that always end in fault -1, such as `v4_1.login` (7.14.6) or `v4_1.set_entry` (7.12.6+).
    cost_per_call_ms, cost_per_row_ms: the least a call takes, and what each written row adds.
    protocols: what it speaks, see `site`; what it does not speak is a 404 page.
    teams: whether records have teams (not in CE and SuiteCRM); there is the team Global with id 1.
    settings: the other switches of the site.
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
        protocols: Protocols = EVERYTHING,
        teams: bool = False,
        settings: Settings | None = None,
    ) -> None:
        settings = settings or Settings()
        self.protocols, self.settings = protocols, settings
        self.store = Store(database, clock, edition(teams=teams, modern=bool(protocols.rest)))
        self.faults = Faults()
        door = Door(self.store, settings.lock_after)
        self.sessions = Sessions(door)
        self.url = ""
        self._configured_url = site_url
        self._front = Front(self.faults, cost_per_call_ms, cost_per_row_ms)
        self._soap = Endpoint(
            self.store, self.sessions, self._front, protocols, settings, site_url or "", dies=dies
        )
        self._legacy = LegacyEndpoint(self.store, self.sessions, self._front, protocols, settings, dies=dies)
        self._rest = RestEndpoint(self.store, door, self._front, protocols, settings)
        self._scheduler = Scheduler(self.store, settings.hook_seconds) if protocols.rest else None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        if self.store.value("SELECT count(*) FROM users") == 0:
            desk.add_user(
                self.store, "admin", "admin", last_name="Administrator", is_admin=True, key=desk.ADMIN
            )
        if teams and self.store.value("SELECT count(*) FROM teams") == 0:
            desk.add_team(self.store, "Global", key=desk.GLOBAL_TEAM)

    @property
    def calls(self) -> Counter[str]:
        """HTTP calls received so far, by operation; `calls.total()` of all.

        Such as `set_entry` (SOAP), `legacy set_entry`, `rest POST Leads`, `rest PUT Leads/:record`.
        """
        return self._front.calls

    def endpoint_url(self, version: str = "v4_1") -> str:
        """Of SOAP."""
        return f"{self.url}/service/{version}/soap.php"

    def legacy_url(self, version: str = "v4_1") -> str:
        return f"{self.url}/service/{version}/rest.php"

    def rest_url(self, version: str = "v11_4") -> str:
        """Of modern REST, without a slash at its end."""
        return f"{self.url}/rest/{version}"

    async def start(self, port: int = 0, *, owns_process: bool = False) -> None:
        """Returns once it listens (port 0 = any free one). Raises OSError if the port is taken."""
        listener = bound(_HOST, port)
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        self._soap.site_url = self._configured_url or self.url
        config = uvicorn.Config(
            self._app(),
            http=TrackedProtocol,
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = Server(config, owns_process=owns_process)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()
        if self._scheduler is not None:
            self._scheduler.start()

    async def stop(self) -> None:
        """Ends the server, lets go of hanging calls and closes the database."""
        self.faults.clear()
        if self._scheduler is not None:
            await self._scheduler.stop()
        if self._server is not None:
            self._server.end()
        await self.closed()
        self.store.close()

    async def closed(self) -> None:
        """Returns when the server has ended."""
        if self._serving is not None:
            await self._serving

    def _app(self) -> Starlette:
        soap, legacy = "/service/{version}/soap.php", "/service/{version}/rest.php"
        return Starlette(
            routes=[
                Route(soap, self._soap.get, methods=["GET"]),
                Route(soap, self._soap.post, methods=["POST"]),
                Route(legacy, self._legacy.serve, methods=["GET", "POST"]),
                Route(
                    "/rest/{version}/{path:path}",
                    self._rest.serve,
                    methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
                ),
                *backdoor.routes(self.store, self._front),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)],
        )
