"""Finds out what an address speaks, and opens the best of it.

The Web API first, from its newest version on, then SOAP. What was found is kept with the organisation, so
that it is asked once for all adapters. A refused sign-in ends it, as more tries could lock the user; an
organisation that lets nobody in by NTLM is asked for its authentication policy, which its WSDL tells.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin

import httpx

from connector_dynamics import faults, http, products
from connector_dynamics.client import Organisation
from connector_dynamics.http import OnCall, Request
from connector_dynamics.organisations import Organisations, Shared
from connector_dynamics.settings import DynamicsConnection
from connector_dynamics.soap import site as soap
from connector_dynamics.web_api import site as web_api
from connector_dynamics.web_api.client import Api
from connector_dynamics.wire import Info
from leadbus.errors import AuthRefused, Gone, LeadbusError, Unsupported

VERSIONS = ((9, 2), (9, 1), (9, 0), (8, 2), (8, 1), (8, 0))
"""Of the Web API; an organisation serves its own and the older ones."""
_ASKED = ("v9.0", "v8.0")
"""The lowest of each generation: whoever has a newer one serves it too (documentation: versions)."""
_NO_WEB_API = (faults.NotServed, Unsupported, Gone)
_POLICY = re.compile(r"<(?:[\w-]+:)?Authentication>(\w+)</")
_FEDERATED: Mapping[str, str] = {
    "Federation": "The organisation signs people in by claims (internet-facing deployment, IFD, or AD FS),"
    " which Leadbus does not speak: enter the organisation's internal address, where Windows users are let in"
    " (NTLM).",
    "OnlineFederation": "The organisation is one of Dynamics 365 online, which lets programs in as an app"
    " registration only: enter tenant, client_id and client_secret instead of user and password.",
    "LiveId": "The organisation is one of Dynamics 365 online, which lets programs in as an app registration"
    " only: enter tenant, client_id and client_secret instead of user and password.",
}
"""By the WSDL's ms-xrm:AuthenticationPolicy (documentation of the SDK's AuthenticationProviderType)."""
_POLICY_PATH = "XRMServices/2011/Organization.svc?wsdl=wsdl0"


@dataclass(frozen=True, slots=True)
class Found:
    """What the organisation speaks. api: the Web API's version; None = SOAP."""

    info: Info
    api: tuple[int, int] | None


class Probing:
    """One connection's way to its organisation."""

    def __init__(
        self,
        connection: DynamicsConnection,
        organisations: Organisations,
        on_call: OnCall | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        anew: bool = False,
    ) -> None:
        self._connection = connection
        self._address = connection.access.address
        self._organisations = organisations
        self._on_call = on_call
        self._transport = transport
        self._shared = organisations.join(connection, transport, on_call, anew=anew)
        self._opened: Organisation | None = None
        self._left = False

    async def open(self) -> Organisation:
        """The organisation by the best protocol that it speaks, signed in to.

        Raises:
            AuthRefused: the sign-in was refused.
            faults.NotOurs: it is another product, or one that lets Leadbus in by no way.
            AddressRefused, Transient: nothing is served; whatever says most about it.
        """
        if self._opened is None:
            found = await self._shared.kept(Found, self._find)
            self._opened = (
                soap.Soap(self._soap(), found.info)
                if found.api is None
                else web_api.WebApi(self._api(found.api), found.info, found.api)
            )
        return self._opened

    async def close(self) -> None:
        """Never raises."""
        if not self._left:
            self._left = True
            await self._organisations.leave(self._connection)
            if self._transport is not None:
                await self._transport.aclose()

    @property
    def shared(self) -> Shared:
        """What all adapters of the organisation share."""
        return self._shared

    async def _find(self) -> Found:
        access = self._connection.access
        if neighbour := products.by_address(access.url):
            raise faults.NotOurs(neighbour.sentence)
        if access.online and not access.as_app:
            raise faults.NotOurs(_FEDERATED["OnlineFederation"])
        failures: list[LeadbusError] = []
        tries: list[Callable[[], Awaitable[Found]]] = [self._by_web_api]
        if not access.as_app:
            tries.append(self._by_soap)
        for find in tries:
            try:
                return await find()
            except faults.NotOurs as error:
                failures.append(error)
                break
            except _NO_WEB_API as error:
                failures.append(error)
        raise await self._policy() or await self._neighbour() or failures[-1]

    async def _by_web_api(self) -> Found:
        for asked in _ASKED:
            api = Api(f"{self._address}/api/data/{asked}/", self._shared, self._on_call)
            try:
                answer, _ = await api.get("RetrieveVersion", "RetrieveVersion()")
                version = str(answer["Version"])
            except _NO_WEB_API as error:
                failure: LeadbusError = error
                continue
            except (LookupError, TypeError):
                raise faults.PAGE.error(writing=False) from None
            return await self._described(version)
        raise failure

    async def _described(self, version: str) -> Found:
        own = products.parts(version)[:2]
        number = next((known for known in VERSIONS if known <= own), VERSIONS[-1])
        api = self._api(number)
        who, reply = await api.get("WhoAmI", "WhoAmI")
        online = self._connection.access.as_app
        info = Info(
            product=products.name(version, online=online),
            version=version,
            protocol=f"Leadbus uses the Web API v{number[0]}.{number[1]}, the best that it offers.",
            online=online,
            organisation="",
            user_id=str(who["UserId"]).lower(),
            user_name="",
            at=reply.at,
        )
        return Found(
            await _named(web_api.WebApi(api, info, number), info, str(who["OrganizationId"])), number
        )

    async def _by_soap(self) -> Found:
        client = self._soap()
        info, organisation = await soap.describe(client)
        return Found(await _named(soap.Soap(client, info), info, organisation), None)

    def _api(self, version: tuple[int, int]) -> Api:
        major, minor = version
        root = f"{self._address}/api/data/v{major}.{minor}/"
        return Api(root, self._shared, self._on_call)

    def _soap(self) -> soap.Client:
        return soap.Client(self._address, self._shared, self._on_call)

    async def _policy(self) -> LeadbusError | None:
        """What the organisation says of how it signs people in; None = Windows, or it says nothing."""
        text = await self._page(f"{self._address}/{_POLICY_PATH}")
        found = _POLICY.search(text)
        sentence = _FEDERATED.get(found[1]) if found else None
        return faults.NotOurs(sentence) if sentence else None

    async def _neighbour(self) -> LeadbusError | None:
        for url in dict.fromkeys((self._address, urljoin(self._address, "/"))):
            if found := products.by_page(await self._page(url)):
                return faults.NotOurs(found.sentence)
        return None

    async def _page(self, url: str) -> str:
        """What anybody is shown there; empty if nothing."""
        try:
            async with http.client(self._organisations.transport(self._transport)) as client:
                return (await http.exchange(client, Request("GET", url))).text
        except (LeadbusError, httpx.HTTPError):
            return ""


async def _named(site: Organisation, info: Info, organisation_id: str) -> Info:
    """With the names of user and organisation, as far as the user may see them."""
    names: dict[str, Any] = {}
    for member, entity, id_, column in (
        ("user_name", "systemuser", info.user_id, "fullname"),
        ("organisation", "organization", organisation_id.lower(), "name"),
    ):
        try:
            rows = await site.retrieve(entity, [id_], [column])
        except AuthRefused:
            raise
        except (Unsupported, Gone, faults.NotServed):
            continue
        if rows:
            names[member] = str(rows[0].values.get(column) or "")
    return replace(info, **names)
