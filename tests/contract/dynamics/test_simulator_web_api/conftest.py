"""The simulator alone, and its Web API with a token."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.dynamics import Dynamics

_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""


class Api:
    """The simulator's Web API with a token; a refusal is an answer like any other."""

    def __init__(self, crm: Dynamics) -> None:
        self.crm = crm
        self.http = httpx.AsyncClient(trust_env=False, verify=_TLS)

    async def token(self, *, tenant: str | None = None, **form: str) -> httpx.Response:
        """Asks the sign-in service; form: what is other than usual."""
        chosen = self.crm.site.settings
        usual = {"grant_type": "client_credentials", "client_id": chosen.client_id}
        usual |= {"client_secret": chosen.client_secret, "scope": f"{self.crm.url}/.default"}
        address = f"{self.crm.url}/{tenant or chosen.tenant}/oauth2/v2.0/token"
        return await self.http.post(address, data=usual | form)

    async def sign_in(self) -> "Api":
        token = (await self.token()).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        return self

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        """path: below the service root, or a whole URL. headers: `_` in their names stands for `-`."""
        url = path if path.startswith("http") else f"{self.crm.web_api_url}/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, url, json=json, headers=named)

    async def get(self, path: str, **headers: str) -> Any:
        """The answer's JSON; the call must succeed."""
        answer = await self.ask("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """Of a list, all pages."""
        found: list[dict[str, Any]] = []
        place: str | None = path
        while place:
            body = await self.get(place, **headers)
            found += body["value"]
            place = body.get("@odata.nextLink")
        return found

    async def create(self, entity_set: str, values: dict[str, Any], **headers: str) -> str:
        """The new record's id."""
        answer = await self.ask("POST", entity_set, values, **headers)
        assert answer.status_code == 204, answer.text
        return str(answer.headers["OData-EntityId"]).rpartition("(")[2].rstrip(")")

    async def refused(self, method: str, path: str, json: Any = None, **headers: str) -> tuple[int, str]:
        """Status and code."""
        answer = await self.ask(method, path, json, **headers)
        return answer.status_code, answer.json()["error"]["code"]


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Dynamics]:
    crm = Dynamics(**options)
    await crm.start()
    try:
        yield crm
    finally:
        await crm.stop()


@contextlib.asynccontextmanager
async def connected(crm: Dynamics) -> AsyncIterator[Api]:
    api = Api(crm)
    try:
        yield await api.sign_in()
    finally:
        await api.http.aclose()


@pytest.fixture(scope="session")
def start_dynamics() -> Any:
    """Starts a simulator; keywords are those of `Dynamics`."""
    return running


@pytest.fixture(scope="session")
def connect_dynamics() -> Any:
    """Signs in to a simulator's Web API."""
    return connected


@pytest.fixture
async def crm() -> AsyncIterator[Dynamics]:
    """Dynamics 365."""
    async with running() as site:
        yield site


@pytest.fixture
async def api(crm: Dynamics) -> AsyncIterator[Api]:
    async with connected(crm) as signed_in:
        yield signed_in
