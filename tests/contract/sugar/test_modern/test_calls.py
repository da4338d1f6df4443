"""Calls to modern REST: how many side by side, and what happens to a bulk in the middle."""

import asyncio
import json
from typing import Any

import httpx

from connector_sugar.modern.sessions import CALLS, Sessions
from connector_sugar.modern.site import ModernSite
from connector_sugar.settings import SugarAccess
from connector_sugar.wire import Change
from sandbox.sugar import SugarCRM, desk
from sandbox.sugar.site import SUGAR_7, SUGAR_12


class Watching(httpx.AsyncHTTPTransport):
    """Counts requests in flight; the first bulk's last answer becomes a lost session if `cut`."""

    def __init__(self, *, cut: bool = False) -> None:
        super().__init__()
        self.most = self._now = 0
        self._cut = cut

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            response = await super().handle_async_request(request)
            await response.aread()
        finally:
            self._now -= 1
        if not (self._cut and request.url.path.endswith("/bulk")):
            return response
        self._cut = False
        parts = json.loads(response.content)
        parts[-1] = {"contents": {"error": "need_login"}, "headers": [], "status": 401}
        return httpx.Response(200, json=parts)


def opened(crm: SugarCRM, keeper: Any, transport: Watching) -> ModernSite:
    access: Any = {"url": crm.url, "user": "admin", "password": "admin"}
    session = Sessions().join(SugarAccess.model_validate(access), keeper)
    return ModernSite(session, transport=transport)


async def test_few_calls_are_in_flight_however_many_are_asked_for(crm: SugarCRM, keeper: Any) -> None:
    transport = Watching()
    site = opened(crm, keeper, transport)
    await asyncio.gather(*(site.changed("Leads", None, None, (), {}) for _ in range(20)))
    assert transport.most == CALLS
    await site.close()


async def test_a_session_that_ends_in_the_middle_of_a_bulk_costs_no_row(
    crm: SugarCRM, keeper: Any, site: ModernSite, new: Any, stored: Any, grants: Any
) -> None:
    rows = [new() for _ in range(5)]
    await site.create("Leads", rows)
    cut = opened(crm, keeper, Watching(cut=True))
    await cut.sign_in()
    before = grants()
    outcomes = await cut.update("Leads", [Change(row.id, {"title": "CEO"}) for row in rows])
    assert outcomes == [None] * 5
    assert {row["title"] for row in stored().values()} == {"CEO"}
    assert grants() == before + 1
    await cut.close()


async def test_a_site_that_speaks_another_version_since_its_upgrade_is_found_out_again(
    open_site: Any,
) -> None:
    before = SugarCRM(protocols=SUGAR_12)
    desk.register_platform(before.store, "leadbus")
    await before.start()
    site = open_site(before.url)
    assert "v11_16" in (await site.info()).choice
    await before.stop()
    after = SugarCRM(protocols=SUGAR_7)
    desk.register_platform(after.store, "leadbus")
    await after.start(port=int(before.url.rpartition(":")[2]))
    assert "REST v11;" in (await site.info()).choice
    await site.close()
    await after.stop()
