"""A zeep client for the Sugar simulator, and fixtures that start both."""

import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from zeep import AsyncClient
from zeep.proxy import AsyncServiceProxy
from zeep.transports import AsyncTransport

from sandbox.sugar import Settings, SugarCRM, desk

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
WSDL_SPACE = "http://schemas.xmlsoap.org/wsdl/"
XS = "http://www.w3.org/2001/XMLSchema"
SCHEMA = f'<xs:schema xmlns:xs="{XS}" targetNamespace="{{0}}" xmlns="{{0}}">{{1}}</xs:schema>'
ARRAY = (
    '<xs:attribute name="arrayType" type="xs:string"/>'
    '<xs:group name="Array"><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded"/></xs:sequence>'
    '</xs:group><xs:complexType name="Array"><xs:group ref="Array" minOccurs="0"/></xs:complexType>'
)
BINDING = "{http://www.sugarcrm.com/sugarcrm}sugarsoapBinding"
PASSWORD = hashlib.md5(b"admin", usedforsecurity=False).hexdigest()


class Offline(AsyncTransport):
    """Has the documents that zeep would fetch."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self.http = httpx.AsyncClient()
        super().__init__(client=self.http, wsdl_client=httpx.Client())
        self._documents = documents

    def load(self, url: str) -> bytes:
        return self._documents[url]


class Sugar:
    """A zeep client with one login; calls are positional, as the server reads them."""

    def __init__(self, crm: SugarCRM, transport: Offline, version: str) -> None:
        client = AsyncClient(f"{crm.endpoint_url(version)}?wsdl", transport=transport)
        binding = client.wsdl.bindings[BINDING]
        self._crm = crm
        self.service = AsyncServiceProxy(client, binding, address=crm.endpoint_url(version))
        self.operations = sorted(binding.all())
        self.addresses = [
            port.binding_options["address"] for port in client.wsdl.services["sugarsoap"].ports.values()
        ]
        self.session, self.http = "", transport.http

    @staticmethod
    def array(items: Sequence[Any], array_type: str | None) -> dict[str, Any]:
        filled: dict[str, Any] = {"_value_1": list(items)}
        return filled | ({"arrayType": f"{array_type}[{len(items)}]"} if array_type else {})

    def names(self, *values: str, marked: bool = True) -> Any:
        return self.array(values, "xsd:string" if marked else None) if values else []

    def pairs(self, values: Mapping[str, str], *, marked: bool = True) -> Any:
        items = [{"name": name, "value": value} for name, value in values.items()]
        return self.array(items, "tns:name_value" if marked else None)

    @staticmethod
    def values(entry: Any) -> dict[str, str]:
        """A record's pairs; zeep reads the empty text as None."""
        return {pair["name"]: pair["value"] or "" for pair in entry["name_value_list"] or []}

    @staticmethod
    def ids(answer: Any) -> list[str]:
        return [entry["id"] for entry in answer["entry_list"] or []]

    def leads(self) -> dict[str, dict[str, Any]]:
        """What the CRM really stores, by id."""
        return {row["id"]: row for row in desk.records(self._crm.store, "Leads")}

    async def login(self, user: str = "admin", password: str = PASSWORD) -> str:
        # A kept cookie would give the same session again.
        self.http.cookies.clear()
        answer = await self.service.login({"user_name": user, "password": password}, "test", [])
        self.http.cookies.clear()
        self.session = answer["id"]
        return self.session

    async def set_entry(self, module: str, **values: str) -> str:
        return str(await self.service.set_entry(self.session, module, self.pairs(values)))

    async def set_entries(self, module: str, *rows: Mapping[str, str]) -> list[str]:
        array = self.array([self.pairs(row) for row in rows], "tns:name_value_list")
        return list(await self.service.set_entries(self.session, module, array))

    async def get(self, module: str, key: str, *fields: str) -> dict[str, str]:
        answer = await self.service.get_entry(self.session, module, key, self.names(*fields), [], False)
        return self.values(answer["entry_list"][0])

    async def find(self, query: str = "", *fields: str, **how: Any) -> Any:
        """get_entry_list of leads; `how`: order_by, offset, limit, deleted."""
        page = {"order_by": "", "offset": 0, "limit": 0, "deleted": 0} | how
        wanted = self.names(*(fields or ("id",)))
        place = (query, page["order_by"], page["offset"])
        return await self.service.get_entry_list(
            self.session, "Leads", *place, wanted, [], page["limit"], page["deleted"], False
        )


class Rest:
    """Modern REST with one login; a refusal is an answer like any other."""

    def __init__(self, crm: SugarCRM, version: str = "v11_12") -> None:
        self.crm = crm
        self.http = httpx.AsyncClient(base_url=crm.rest_url(version), trust_env=False)
        self.tokens: dict[str, Any] = {}

    async def grant(self, **how: Any) -> httpx.Response:
        """A password grant of admin on platform base, but for what `how` says."""
        wanted = {"grant_type": "password", "client_id": "sugar", "client_secret": "", "platform": "base"}
        login = {"username": "admin", "password": "admin"} if "grant_type" not in how else {}
        return await self.http.post("/oauth2/token", json=wanted | login | how)

    async def login(self, **how: Any) -> "Rest":
        answer = await self.grant(**how)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        self.http.headers["OAuth-Token"] = self.tokens["access_token"]
        return self

    async def ask(self, method: str, path: str, json: Any = None, **how: Any) -> httpx.Response:
        return await self.http.request(method, path, json=json, **how)

    async def do(self, method: str, path: str, json: Any = None, **how: Any) -> Any:
        """The answer's JSON; the call must succeed."""
        answer = await self.ask(method, path, json, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, json: Any = None, **how: Any) -> tuple[int, str]:
        """Status and label."""
        answer = await self.ask(method, path, json, **how)
        return answer.status_code, answer.json()["error"]

    async def found(self, module: str, *filter_: Any, **how: Any) -> list[str]:
        """Ids, in the order of last_name."""
        body = {"filter": list(filter_), "order_by": "last_name:asc", "fields": "last_name"} | how
        page = await self.do("POST", f"/{module}/filter", body)
        return [record["id"] for record in page["records"]]


class Legacy:
    """Legacy REST; arguments go by position, so their names do not matter here either."""

    def __init__(self, crm: SugarCRM, version: str = "v4_1") -> None:
        self.http = httpx.AsyncClient(trust_env=False)
        self.session, self._url = "", crm.legacy_url(version)

    async def ask(self, method: str, *arguments: Any) -> httpx.Response:
        rest_data = json.dumps({f"argument_{at}": value for at, value in enumerate(arguments)})
        form = {"method": method, "input_type": "JSON", "response_type": "JSON", "rest_data": rest_data}
        return await self.http.post(self._url, data=form)

    async def call(self, method: str, *arguments: Any) -> Any:
        return (await self.ask(method, *arguments)).json()

    async def do(self, method: str, *arguments: Any) -> Any:
        """A call in the session."""
        return await self.call(method, self.session, *arguments)

    async def login(self, user: str = "admin", password: str = PASSWORD) -> Any:
        self.http.cookies.clear()
        answer = await self.call("login", {"user_name": user, "password": password}, "test", [])
        self.session = answer.get("id", "")
        self.http.cookies.clear()
        return answer


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[SugarCRM]:
    server = SugarCRM(**options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def connected(crm: SugarCRM, version: str = "v4_1") -> AsyncIterator[Sugar]:
    async with httpx.AsyncClient() as http:
        wsdl = await http.get(f"{crm.endpoint_url(version)}?wsdl")
    documents = {
        str(wsdl.url): wsdl.content,
        ENCODING: SCHEMA.format(ENCODING, ARRAY).encode(),
        WSDL_SPACE: SCHEMA.format(WSDL_SPACE, "").encode(),
    }
    transport = Offline(documents)
    try:
        yield Sugar(crm, transport, version)
    finally:
        await transport.http.aclose()
        transport.wsdl_client.close()


@pytest.fixture(scope="session")
def start_crm() -> Any:
    return running


@pytest.fixture
def connect() -> Any:
    """Connects to a simulator without logging in."""
    return connected


@pytest.fixture
async def crm() -> AsyncIterator[SugarCRM]:
    async with running() as server:
        yield server


@pytest.fixture
async def sugar(crm: SugarCRM) -> AsyncIterator[Sugar]:
    async with connected(crm) as client:
        await client.login()
        yield client


@pytest.fixture(scope="module")
async def site() -> AsyncIterator[SugarCRM]:
    """One simulator for all tests of a module; it has teams."""
    async with running(teams=True, settings=Settings(hook_seconds=0.05)) as server:
        yield server


@pytest.fixture
async def rest(site: SugarCRM) -> AsyncIterator[Rest]:
    client = Rest(site)
    async with client.http:
        yield await client.login()


@pytest.fixture
async def legacy(site: SugarCRM) -> AsyncIterator[Legacy]:
    client = Legacy(site)
    async with client.http:
        await client.login()
        yield client


@pytest.fixture
def speak_rest() -> type[Rest]:
    """Modern REST with a simulator of the test's own."""
    return Rest


@pytest.fixture
def speak_legacy() -> type[Legacy]:
    return Legacy
