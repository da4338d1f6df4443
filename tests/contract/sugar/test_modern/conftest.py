"""Sites by modern REST on the simulator, in two ages of SugarCRM."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from connector_sugar.modern.sessions import Sessions
from connector_sugar.modern.site import ModernSite
from connector_sugar.settings import SugarAccess
from connector_sugar.wire import Change
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import SUGAR_7, SUGAR_12

AGES = {"sugar 7": SUGAR_7, "sugar 12": SUGAR_12}
"""Without an upsert by sync_key, and with it."""


@dataclass(slots=True)
class Keeper:
    """A durable place for the tokens; `kept` is all it ever held. anew: see `TokenKeeper`."""

    kept: list[str] = field(default_factory=list)
    broken: BaseException | None = None
    anew: bool = False

    def all(self, name: str) -> list[str]:
        """Every access_token or refresh_token."""
        return [json.loads(text)[name] for text in self.kept]

    async def get(self) -> str | None:
        return self.kept[-1] if self.kept else None

    async def put(self, token: str) -> None:
        if self.broken is not None:
            raise self.broken
        self.kept.append(token)


@dataclass(slots=True)
class Calls:
    """What a site told of its calls: operation, outcome, traces."""

    seen: list[tuple[str, str, list[bytes]]] = field(default_factory=list)

    def __call__(self, operation: str, seconds: float, outcome: str, traces: Any) -> None:
        assert seconds >= 0
        self.seen.append((operation, outcome, list(traces)))

    def of(self, operation: str) -> list[str]:
        return [outcome for name, outcome, _ in self.seen if name == operation]


def access(url: str, **given: Any) -> SugarAccess:
    return SugarAccess.model_validate({"url": url, "user": "admin", "password": "admin", **given})


Start = Callable[..., Any]


@pytest.fixture
def start(start_crm: Any) -> Start:
    """Starts a simulator that knows our platform; keywords are those of `SugarCRM`."""

    @contextlib.asynccontextmanager
    async def started(**options: Any) -> AsyncIterator[SugarCRM]:
        async with start_crm(**options) as crm:
            desk.register_platform(crm.store, "leadbus")
            yield crm

    return started


@pytest.fixture(params=AGES)
async def crm(request: Any, start: Start) -> AsyncIterator[SugarCRM]:
    async with start(protocols=AGES[request.param], teams=True) as server:
        yield server


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


Open = Callable[..., ModernSite]


@pytest.fixture
async def open_site(keeper: Keeper, calls: Calls) -> AsyncIterator[Open]:
    """Opens sites, each as if in a process of its own; keywords are members of the access, and some more."""
    opened: list[ModernSite] = []

    def open_one(url: str, *, tokens: Any = None, read_timeout: float = 5.0, **given: Any) -> ModernSite:
        session = Sessions().join(access(url, **given), tokens or keeper)
        site = ModernSite(session, on_call=calls, read_timeout=read_timeout)
        opened.append(site)
        return site

    yield open_one
    for site in opened:
        await site.close()


@pytest.fixture
def site(crm: SugarCRM, open_site: Open) -> ModernSite:
    return open_site(crm.url)


@pytest.fixture
def new() -> Callable[..., Change]:
    """A new lead; keywords are its fields."""

    def make(email: str | None = None, *, opted_out: bool | None = None, **values: str) -> Change:
        trace = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01".encode()
        return Change(
            str(uuid4()),
            {"last_name": "Unknown", "status": "New", **values},
            email=email,
            opted_out=opted_out,
            traceparent=trace,
        )

    return make


@pytest.fixture
def stored(crm: SugarCRM) -> Callable[..., dict[str, dict[str, Any]]]:
    """What the CRM really holds of a module, by id."""

    def rows(module: str = "Leads") -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in desk.records(crm.store, module)}

    return rows


@pytest.fixture
def grants(crm: SugarCRM) -> Callable[[], int]:
    """How often a token was asked for so far."""
    return lambda: crm.calls["rest POST oauth2/token"]
