"""The suite's neutral words in SugarCRM's: modules by kind, fields by fact."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from leadbus.connector.capabilities import Kind
from leadbus.testing.crm import Facts, Words

MODULES: Mapping[Kind, str] = {
    "lead": "Leads",
    "contact": "Contacts",
    "target": "Prospects",
    "account": "Accounts",
    "user": "Users",
    "opportunity": "Opportunities",
    "activity": "Tasks",
    "list": "ProspectLists",
}
ACTIVITIES: Mapping[str, str] = {"note": "Notes", "task": "Tasks", "call": "Calls", "meeting": "Meetings"}
DUE: Mapping[str, str] = {"Tasks": "date_due", "Calls": "date_start", "Meetings": "date_start"}

_PERSON = {
    "email": "email1",
    "company": "account_name",
    "phone": "phone_work",
    "mobile": "phone_mobile",
    "city": "primary_address_city",
    "state": "primary_address_state",
    "country": "primary_address_country",
    "owner": "assigned_user_id",
    "opted_out": "email_opt_out",
    "account": "account_id",
    "score": "lead_score_c",
}
_ACTIVITY = {"subject": "name", "text": "description", "owner": "assigned_user_id", "about": "parent_id"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Leads": _PERSON,
    "Contacts": _PERSON,
    "Prospects": _PERSON,
    "Accounts": {"owner": "assigned_user_id"},
    "Users": {"name": "last_name", "email": "email1", "active": "status"},
    "Opportunities": {
        "stage": "sales_stage",
        "close_date": "date_closed",
        "owner": "assigned_user_id",
        "account": "account_id",
    },
    "ProspectLists": {},
    **dict.fromkeys(ACTIVITIES.values(), _ACTIVITY),
}

WORDS = Words(
    statuses=("New", "Assigned", "In Process"),
    closed="Dead",
    stages=("Prospecting", "Closed Won"),
    spare_field="department",
    spare_number="lead_score_c",
    missing_field="segment_c",
    fields={name: _PERSON[name] for name in ("phone", "mobile", "city", "state", "country")},
)

_STAMP = "%Y-%m-%d %H:%M:%S"


def columns(module: str, facts: Facts) -> dict[str, str]:
    """Facts as the desk takes them."""
    names = dict(FIELDS[module])
    if "due_at" in facts:
        names["due_at"] = DUE[module]
    given = {names.get(name, name): value for name, value in facts.items()}
    if module == "Users" and "active" in facts:
        given["status"] = "Active" if facts["active"] else "Inactive"
    return {name: _text(value) for name, value in given.items()}


def facts(module: str, row: Mapping[str, Any]) -> Facts:
    """A stored row as facts; the row's own names stay beside them."""
    known = {name: row[column] for name, column in FIELDS[module].items() if column in row}
    if module in DUE and row.get(DUE[module]):
        known["due_at"] = datetime.strptime(row[DUE[module]], _STAMP).replace(tzinfo=UTC)
    every = {**row, **known}
    return {name: "" if value is None else value for name, value in every.items()}


def stamp(at: datetime) -> str:
    """As Sugar writes times: UTC, without an offset."""
    return at.astimezone(UTC).strftime(_STAMP)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return stamp(value) if isinstance(value, datetime) else str(value)
