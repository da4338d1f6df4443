"""Campaigns as the simulator keeps them, in the suite's words; their members are on target lists."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from leadbus.testing.crm import Facts
from sandbox.sugar import desk
from sandbox.sugar.store import Store

COLUMNS: Mapping[str, str] = {"name": "name", "description": "content"}
_STATUSES = {"Planning": "planned", "Active": "active", "Inactive": "paused", "Complete": "completed"}
_ON_LISTS = """
SELECT related_type, related_id FROM prospect_lists_prospects
WHERE deleted = 0 AND prospect_list_id IN (
  SELECT prospect_list_id FROM prospect_list_campaigns WHERE deleted = 0 AND campaign_id = ?
) AND prospect_list_id IN (SELECT id FROM prospect_lists WHERE deleted = 0)
"""


def members(store: Store, target_list: str) -> set[str]:
    """Ids of those on one target list."""
    sql = "SELECT related_id FROM prospect_lists_prospects WHERE deleted = 0 AND prospect_list_id = ?"
    return {row["related_id"] for row in store.rows(sql, (target_list,))}


def live(store: Store) -> list[Facts]:
    """See `CrmUnderTest.campaigns`."""
    rows = [row for row in desk.records(store, "Campaigns") if not row["deleted"]]
    people = {
        (module, row["id"]): row["email"]
        for module in ("Leads", "Contacts", "Prospects")
        for row in (desk.records(store, module) if rows else ())
    }
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["content"] or "",
            "status": _STATUSES[row["status"]],
            "starts_on": _day(row["start_date"]),
            "ends_on": _day(row["end_date"]),
            "budget": None if row["budget"] is None else Decimal(str(row["budget"])),
            "members": {
                people[member["related_type"], member["related_id"]].lower(): None
                for member in store.rows(_ON_LISTS, (row["id"],))
            },
        }
        for row in rows
    ]


def delete(store: Store, name: str) -> None:
    """By hand."""
    (key,) = [row["id"] for row in live(store) if row["name"] == name]
    desk.change(store, "Campaigns", key, {"deleted": "1"})


def _day(stored: Any) -> date | None:
    return date.fromisoformat(str(stored)) if stored else None
