"""The CRM as a running server, in a test's own process or in one of its own."""

import asyncio
from collections import Counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from sandbox.web import Server, TrackedProtocol, bound

from ..web.faults import Faults
from . import backdoor
from .callbacks import Callbacks
from .desk import Desk
from .directory import DIRECTORY
from .front import Front
from .oauth import SCOPES, OAuth
from .site import Settings, Site
from .store import Clock, Store, utc_now

_HOST = "127.0.0.1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Zoho:
    """A Zoho CRM of version 8, one organisation: its accounts server and its API at one address.

    database: SQLite file, or `:memory:`. edition: of `limits.EDITIONS`. user: the email of its first user,
    who has all rights. credits: of a day, None = by edition. call_seconds, row_seconds: the least a call
    takes, and what each written row adds; calls take it side by side. The rest is as in `Settings`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        database: str = ":memory:",
        edition: str = "enterprise",
        zgid: str = "20000000001",
        user: str = "api@example.test",
        client_id: str = "1000.LEADBUS",
        client_secret: str = "secret",  # noqa: S107 - everybody may know it
        call_seconds: float = 0.0,
        row_seconds: float = 0.0,
        credits: int | None = None,
        search_lag_seconds: float = 0.0,
        time_zone: str = "Europe/Warsaw",
        location: str = "eu",
        bulk_seconds: float = 0.0,
        bulk_rows: int = 200_000,
        clock: Clock = utc_now,
    ) -> None:
        self.user, self.client_id = user, client_id
        self._port = port
        settings = Settings(
            edition=edition,
            zgid=zgid,
            time_zone=time_zone,
            location=location,
            search_lag_seconds=search_lag_seconds,
            bulk_seconds=bulk_seconds,
            bulk_rows=bulk_rows,
        )
        self.site = Site.open(Store(database, clock, zgid), settings, credits)
        self.desk = Desk(self.site)
        self.callbacks = Callbacks(self.site)
        if not len(self.site.users):
            self.desk.add_user(user, first_name="Ada", last_name="Nowak", admin=True)
            self.desk.set_client_secret(client_secret, client_id)
        self.oauth = OAuth(self.site, signs_in=user)
        self._front = Front(
            self.site, self.oauth, DIRECTORY, call_seconds=call_seconds, row_seconds=row_seconds
        )
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Of the accounts server and of the API; empty until `start`."""
        return self.site.url

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def faults(self) -> Faults:
        return self._front.faults

    def grant(self, user: str | None = None, scope: str = SCOPES) -> str:
        """A self client's grant token, made in the console. Raises KeyError for nobody."""
        return self.oauth.grant(user or self.user, self.client_id, scope=scope)

    def records(self, module: str) -> list[dict[str, Any]]:
        """All rows, deleted ones too, see `Desk.records`."""
        return self.desk.records(module)

    # Counting

    @property
    def calls(self) -> Counter[str]:
        """Received so far, by operation (`token`, `upsert`, `list`, ...); `calls.total()` of all."""
        return self._front.calls

    @property
    def logins(self) -> int:
        """Token requests, so far."""
        return self._front.natures["login"]

    @property
    def refused_logins(self) -> int:
        """Token requests refused in a row, until now."""
        return self.oauth.refused

    @property
    def refused_rows(self) -> int:
        """By validation rules, so far."""
        return self.site.refused_rows

    @property
    def reads(self) -> int:
        return self._front.natures["read"]

    @property
    def writes(self) -> int:
        return self._front.natures["write"]

    @property
    def credits_used(self) -> int:
        return self.site.limits.credits_used

    @property
    def most_at_once(self) -> int:
        """Calls of one app in flight, at most so far."""
        return self.site.limits.most_at_once

    @property
    def most_heavy_at_once(self) -> int:
        """Of those that have the sub-limit."""
        return self.site.limits.most_heavy_at_once

    # Running

    async def start(self, *, owns_process: bool = False) -> None:
        """Returns once it listens. Raises OSError if the port is taken."""
        listener = bound(_HOST, self._port)
        self.site.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._app(),
            http=TrackedProtocol,
            lifespan="off",
            log_level="warning",
            access_log=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = Server(config, owns_process=owns_process)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()
        self.callbacks.start()

    async def stop(self) -> None:
        """Ends the server, lets go of hanging calls and closes the database."""
        self.faults.clear()
        await self.callbacks.stop()
        if self._server is not None:
            self._server.end()
        await self.closed()
        self.store.close()

    async def closed(self) -> None:
        """Returns when the server has ended."""
        if self._serving is not None:
            await self._serving

    def _app(self) -> Starlette:
        front = self._front
        return Starlette(
            routes=[
                Route("/oauth/v2/auth", front.consent, methods=["GET"]),
                Route("/oauth/v2/token", front.token, methods=["POST"]),
                Route("/oauth/v2/token/revoke", front.revoke, methods=["POST"]),
                *backdoor.routes(self),
                Route("/{path:path}", front.api, methods=_METHODS),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)],
        )
