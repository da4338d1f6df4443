"""The simulator alone, and its API with a sign-in."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.zoho import Zoho

_TLS = ssl.create_default_context()
"""Making one takes longer than most of the tests."""


class Api:
    """The simulator's API with one sign-in; a refusal is an answer like any other."""

    def __init__(self, crm: Zoho) -> None:
        self.crm = crm
        self.http = httpx.AsyncClient(base_url=crm.url, trust_env=False, verify=_TLS)

    async def sign_in(self, **how: Any) -> "Api":
        """how: see `Zoho.grant`."""
        client = {"client_id": self.crm.client_id, "client_secret": "secret"}
        form = {"grant_type": "authorization_code", "code": self.crm.grant(**how), **client}
        answer = await self.http.post("/oauth/v2/token", data=form)
        token = answer.json()["access_token"]
        self.http.headers["Authorization"] = f"Zoho-oauthtoken {token}"
        return self

    async def ask(self, method: str, path: str, json: Any = None, **how: Any) -> httpx.Response:
        """path: below /crm/v8, or from /crm/ on."""
        address = path if path.startswith("/crm/") else f"/crm/v8{path}"
        return await self.http.request(method, address, json=json, **how)

    async def do(self, method: str, path: str, json: Any = None, **how: Any) -> Any:
        """The answer's JSON; the call must succeed."""
        answer = await self.ask(method, path, json, **how)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, json: Any = None, **how: Any) -> tuple[int, str]:
        """Status and code."""
        answer = await self.ask(method, path, json, **how)
        return answer.status_code, answer.json()["code"]


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Zoho]:
    crm = Zoho(**options)
    await crm.start()
    try:
        yield crm
    finally:
        await crm.stop()


@contextlib.asynccontextmanager
async def connected(crm: Zoho) -> AsyncIterator[Api]:
    api = Api(crm)
    try:
        yield await api.sign_in()
    finally:
        await api.http.aclose()


@pytest.fixture(scope="session")
def start_zoho() -> Any:
    return running


@pytest.fixture(scope="session")
def connect_zoho() -> Any:
    """Signs in to a simulator."""
    return connected


@pytest.fixture
async def crm() -> AsyncIterator[Zoho]:
    async with running() as site:
        yield site


@pytest.fixture
async def api(crm: Zoho) -> AsyncIterator[Api]:
    async with connected(crm) as signed_in:
        yield signed_in
