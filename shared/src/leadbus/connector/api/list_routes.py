"""A connector's HTTP API: the lists of the CRM to choose from, and what the settings make of each."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, Request

from leadbus.connector.api.ownership import Ownership
from leadbus.connector.campaigning.finding import lists_there
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.settings.lists import rule_about
from leadbus.connector.taking.lists import FOUND_AS, WALKED, how_pulled
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope


def list_routes(
    *,
    ownership: Ownership,
    shop: PullShop,
    opened: Callable[[Connection], AbstractAsyncContextManager[Adapter]],
) -> APIRouter:
    """The route, bound to the caller's tenant; a part of `field_routes`. opened: the way into the CRM."""
    routes = APIRouter()

    @routes.get("/lists")
    async def lists(request: Request, connection_id: str) -> dict[str, Any]:
        """The CRM's lists as they are there now, by name.

        kinds: of people that can be on it. members: how many were, when it was read; null: it was not. rule:
        by its `list` in the settings. read: sync, once or no. closed: why nobody can be put on it, if so.
        missing: rules that mean none of them.
        """
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        settings, shown = connection.settings, []
        async with opened(connection) as adapter:
            capabilities = adapter.capabilities
            if "list" not in capabilities.modules:
                raise Problem(404, "This CRM has no lists of people.")
            there = [row async for row in lists_there(adapter)]
            urls = {row.record.id: adapter.url_of(row.record) for row in there}
        known = await shop.mirror.of_records(connection.id, [row.record for row in there])
        ours = await shop.campaigns.lists_among(
            connection.organisation_id, {row.record: row.name for row in there}
        )
        members = await shop.members.counts(connection.id)
        for row in sorted(there, key=lambda row: (row.name.casefold(), row.record.id)):
            of = known.get(row.record)
            details = of.details if of else {}
            rule = rule_about(settings.lists, row.record.id, row.name, details.get(FOUND_AS, ""))
            read = how_pulled(settings, row.record.id, row.name, details)
            is_read = read is not None and row.record.id not in ours
            shown.append(
                {
                    "record": row.record.model_dump(),
                    "name": row.name,
                    "type": row.list_type,
                    "url": urls[row.record.id],
                    "kinds": [capabilities.kind_of(module) for module in row.holds],
                    "closed": row.closed or None,
                    "members": members.get(row.record.id, 0) if WALKED in details else None,
                    "rule": rule.list if rule else None,
                    "own_name": rule.name if rule else None,
                    "list_id": rule.list_id if rule else None,
                    "read": read.keep if read and is_read else "no",
                    "pushed": rule is not None and rule.push.any,
                }
            )
        meant = {row["rule"] for row in shown}
        return {
            "connection_id": connection.id,
            "lists": shown,
            "missing": [rule.list for rule in settings.lists if rule.list not in meant],
        }

    return routes
