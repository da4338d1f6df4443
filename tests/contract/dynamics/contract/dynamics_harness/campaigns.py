"""Campaigns as they stand in the simulator, with the people on their lists."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from leadbus.testing.crm import Facts
from sandbox.dynamics.desk import Desk

_STATUSES = {0: "planned", 1: "planned", 2: "active", 3: "completed", 5: "paused"}


def on_list(desk: Desk, marketing_list: str) -> set[str]:
    """Ids of those on one marketing list."""
    return {row["entityid"] for row in _live(desk, "listmember") if row["listid"] == marketing_list}


def campaigns(desk: Desk) -> list[Facts]:
    """See `CrmUnderTest`."""
    items, members = _live(desk, "campaignitem"), _live(desk, "listmember")
    lists = {row["id"] for row in _live(desk, "list")}
    emails = {row["id"]: row["email"] for kind in ("lead", "contact") for row in _live(desk, kind)}
    found = []
    for row in _live(desk, "campaign"):
        on = {item["entityid"] for item in items if item["campaignid"] == row["id"]} & lists
        people = [emails.get(member["entityid"]) for member in members if member["listid"] in on]
        found.append(_facts(row) | {"members": {email.lower(): None for email in people if email}})
    return found


def _facts(row: Mapping[str, Any]) -> Facts:
    return {
        "name": row["name"],
        "description": row["description"] or "",
        "status": _STATUSES[row["statuscode"]],
        "starts_on": _day(row["proposedstart"]),
        "ends_on": _day(row["proposedend"]),
        "budget": None if row["budgetedcost"] is None else Decimal(str(row["budgetedcost"])),
    }


def _day(at: str | None) -> date | None:
    return date.fromisoformat(at[:10]) if at else None


def _live(desk: Desk, entity: str) -> list[dict[str, Any]]:
    return [row for row in desk.records(entity) if not row["deleted"]]
