"""Campaigns as the simulator keeps them, in the suite's words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from leadbus.testing.crm import Facts
from sandbox.zoho import Zoho

COLUMNS: Mapping[str, str] = {"name": "Campaign_Name", "description": "Description"}
_STATUSES = {
    None: "planned",
    "Planning": "planned",
    "Active": "active",
    "Inactive": "paused",
    "Complete": "completed",
}
_MEMBERS = "SELECT module, person, status FROM members WHERE campaign = ?"


def members(zoho: Zoho, campaign: str) -> set[str]:
    """Ids of those in one campaign."""
    return {str(row["person"]) for row in zoho.store.rows(_MEMBERS, (int(campaign),))}


def live(zoho: Zoho) -> list[Facts]:
    """See `CrmUnderTest.campaigns`. A campaign without a status is one that is planned."""
    rows = [row for row in zoho.desk.records("Campaigns") if not row["deleted"]]
    people = {
        row["id"]: str(row["email"]).lower()
        for module in ("Leads", "Contacts")
        for row in (zoho.desk.records(module) if rows else ())
    }
    return [
        {
            "id": row["id"],
            "name": row["Campaign_Name"],
            "description": row["Description"] or "",
            "status": _STATUSES[row["Status"]],
            "starts_on": _day(row["Start_Date"]),
            "ends_on": _day(row["End_Date"]),
            "budget": None if row["Budgeted_Cost"] is None else Decimal(str(row["Budgeted_Cost"])),
            "members": {
                people[str(member["person"])]: member["status"]
                for member in zoho.store.rows(_MEMBERS, (int(row["id"]),))
            },
        }
        for row in rows
    ]


def _day(stored: Any) -> date | None:
    return date.fromisoformat(str(stored)) if stored else None
