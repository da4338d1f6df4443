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
from . import backdoor, privileges
from .desk import Desk
from .family import Family
from .front import Front
from .limits import Limits
from .ntlm import Ntlm
from .oauth import OAuth
from .odata_v2 import FAMILIES as ODATA_V2
from .site import DuplicateRule, Settings, Site
from .soap import FAMILIES as SOAP
from .soap import SERVICE, described
from .store import Clock, Store, utc_now
from .web_api import FAMILIES as WEB_API

_HOST = "127.0.0.1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_LONGEST_ADDRESS = 128 * 1024


class Dynamics:
    """A Dynamics of any version, one organisation; online also the sign-in service, at the same address.

    database: SQLite file, or `:memory:`. version: of `site.VERSIONS`. online: None = from version 9.2 on.
    call_seconds, row_seconds: the least a call takes, and what each written row adds; calls take it side by
    side. certificate: files of a certificate and its key, to be spoken with over https. requests, seconds,
    at_once: the limits (None = those of Dynamics 365; there are none on premises). The rest is as in
    `Settings`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        database: str = ":memory:",
        version: str = "9.2",
        online: bool | None = None,
        organisation: str = "contoso",
        call_seconds: float = 0.0,
        row_seconds: float = 0.0,
        requests: int | None = None,
        seconds: float | None = None,
        at_once: int | None = None,
        certificate: tuple[str, str] | None = None,
        trusted_header: str = "",
        clock: Clock = utc_now,
        **settings: Any,
    ) -> None:
        self._port, self._certificate = port, certificate
        online = version == "9.2" if online is None else online
        chosen = Settings(version=version, online=online, organisation=organisation, **settings)
        limits = Limits(clock, requests or 6000, seconds or 1200.0, at_once or 52)
        self.site = Site(
            Store(database, clock), chosen, limits if online else Limits(clock, None, None, None)
        )
        client, user = chosen.client_id, chosen.windows_user
        self.oauth = OAuth(self.site, {client: self.store.secret(client, chosen.client_secret)})
        self.ntlm = Ntlm({user: self.store.secret(user, chosen.password)}, trusted_header)
        self.desk = Desk(self.site, self.oauth, self.ntlm)
        self._front = Front(
            self.site, self.oauth, self.ntlm, call_seconds=call_seconds, row_seconds=row_seconds
        )
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        _settle(self.site, self.desk)

    # Addresses

    @property
    def url(self) -> str:
        """Scheme, host and port, without the organisation; empty until `start`."""
        return self.site.url

    @property
    def organisation_url(self) -> str:
        """What people open: online the same as `url`."""
        return f"{self.url}{self.site.root}"

    @property
    def soap_url(self) -> str:
        return f"{self.organisation_url}/XRMServices/2011/Organization.svc/web"

    @property
    def web_api_url(self) -> str:
        return f"{self.organisation_url}/api/data/v{self.site.version[0]}.{self.site.version[1]}"

    @property
    def user_id(self) -> str:
        """Of the systemuser in whose name programs work."""
        return self.site.application.id

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def faults(self) -> Faults:
        return self._front.faults

    def records(self, entity: str) -> list[dict[str, Any]]:
        """All rows, deleted ones too, see `Desk.records`."""
        return self.desk.records(entity)

    # Counting

    @property
    def calls(self) -> Counter[str]:
        """Received so far, by operation (`token`, `batch`, `create`, ...); `calls.total()` of all."""
        return self._front.calls

    @property
    def operations(self) -> Counter[str]:
        """Done so far, by name (`create`, `update`, ...), also inside of batches."""
        return self._front.operations

    @property
    def logins(self) -> int:
        """Tokens asked for, or NTLM handshakes that ended well, so far."""
        return self._front.calls["token"] if self.site.settings.online else self.ntlm.logins

    @property
    def refused_logins(self) -> int:
        return self.oauth.refused if self.site.settings.online else self.ntlm.refused

    @property
    def refused_rows(self) -> int:
        """By plug-ins, so far."""
        return self.site.refused_rows

    @property
    def reads(self) -> int:
        return self._front.natures["read"]

    @property
    def writes(self) -> int:
        return self._front.natures["write"]

    @property
    def most_at_once(self) -> int:
        """Calls in flight, at most so far."""
        return self.site.limits.most_at_once

    @property
    def throttled(self) -> int:
        """Calls refused because of a limit, so far."""
        return self.site.limits.refused

    # Running

    async def start(self, *, owns_process: bool = False) -> None:
        """Returns once it listens. Raises OSError if the port is taken."""
        listener = bound(_HOST, self._port)
        certificate, key = self._certificate or (None, None)
        scheme = "https" if certificate else "http"
        self.site.url = f"{scheme}://{_HOST}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._app(),
            http=TrackedProtocol,
            lifespan="off",
            log_level="warning",
            access_log=False,
            date_header=False,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_LONGEST_ADDRESS,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        self._server = Server(config, owns_process=owns_process)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listens.wait()

    async def stop(self) -> None:
        """Ends the server, lets go of hanging calls and closes the database."""
        self.faults.clear()
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
                Route("/{tenant}/oauth2/v2.0/token", front.token, methods=["POST"]),
                Route("/{tenant}/v2.0/.well-known/openid-configuration", front.configuration),
                *backdoor.routes(self),
                *(
                    Route(f"{self.site.root}{SERVICE}{end}", described, methods=["GET"])
                    for end in ("", "/web")
                ),
                *(
                    Route(f"{self.site.root}{path}", front.route(family), methods=_METHODS)
                    for path, family in _families(self.site)
                ),
            ],
            middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=1)],
        )


def _families(site: Site) -> list[tuple[str, Family]]:
    """Those that the version speaks: the Web API came with 8.0, SOAP is still there, OData v2 not online."""
    web_api = WEB_API if site.version >= (8, 0) else []
    return [*web_api, *SOAP, *([] if site.settings.online else ODATA_V2)]


def _settle(site: Site, desk: Desk) -> None:
    """What an organisation begins with."""
    site.duplicate_rules = [DuplicateRule(entity, ("emailaddress1",)) for entity in ("lead", "contact")]
    if site.store.was("organization", site.organization_id):
        return
    chosen = site.settings
    ours = f"{chosen.client_id}@{chosen.organisation}" if chosen.online else chosen.windows_user
    person = f"ada@{chosen.organisation}.example" if chosen.online else f"{chosen.domain}\\ada"
    desk.add_user(ours, last_name="Leadbus", key=site.application.id)
    email = f"ada@{chosen.organisation}.example"
    desk.add_user(person, first_name="Ada", last_name="Nowak", email=email, key=site.person.id)
    currency = {
        "currencyname": "Euro",
        "isocurrencycode": "EUR",
        "currencysymbol": "€",
        "currencyprecision": 2,
    }
    desk.create("transactioncurrency", currency | {"id": site.currency.id})
    about = {"name": chosen.organisation, "languagecode": 1033, "basecurrencyid": site.currency}
    days = {"expirechangetrackingindays": chosen.track_days}
    desk.create("organization", about | days | {"id": site.organization_id})
    privileges.settle(site)
