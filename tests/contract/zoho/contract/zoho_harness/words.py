"""The suite's neutral words in Zoho's: modules by kind, fields by fact."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from leadbus.connector.capabilities import Kind
from leadbus.testing.crm import Facts, Words

MODULES: Mapping[Kind, str] = {
    "lead": "Leads",
    "contact": "Contacts",
    "account": "Accounts",
    "user": "Users",
    "opportunity": "Deals",
    "activity": "Tasks",
    "list": "Campaigns",
}
ACTIVITIES: Mapping[str, str] = {"note": "Notes", "task": "Tasks", "call": "Calls", "meeting": "Events"}
HANGS_ON: Mapping[str, tuple[str, ...]] = {
    "Notes": ("Parent_Id",),
    **dict.fromkeys(("Tasks", "Calls", "Events"), ("Who_Id", "What_Id")),
}

_PERSON = {
    "email": "Email",
    "first_name": "First_Name",
    "last_name": "Last_Name",
    "phone": "Phone",
    "mobile": "Mobile",
    "owner": "Owner",
    "opted_out": "Email_Opt_Out",
    "lead_source": "Lead_Source",
    "score": "Score",
}
_ACTIVITY = {"subject": "Subject", "text": "Description", "owner": "Owner", "priority": "Priority"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "Leads": {
        **_PERSON,
        "title": "Designation",
        "company": "Company",
        "status": "Lead_Status",
        "city": "City",
        "state": "State",
        "country": "Country",
    },
    "Contacts": {**_PERSON, "title": "Title", "account": "Account_Name", "city": "Mailing_City"},
    "Accounts": {
        "name": "Account_Name",
        "owner": "Owner",
        "annual_revenue": "Annual_Revenue",
        "account_type": "Account_Type",
    },
    "Deals": {
        "name": "Deal_Name",
        "stage": "Stage",
        "amount": "Amount",
        "currency": "Currency",
        "close_date": "Closing_Date",
        "probability": "Probability",
        "lead_source": "Lead_Source",
        "account": "Account_Name",
        "contact": "Contact_Name",
        "owner": "Owner",
    },
    "Campaigns": {"name": "Campaign_Name", "list_type": "Type", "owner": "Owner"},
    "Tasks": {**_ACTIVITY, "status": "Status", "due_at": "Due_Date"},
    "Calls": {**_ACTIVITY, "status": "Outbound_Call_Status", "due_at": "Call_Start_Time"},
    "Events": {**_ACTIVITY, "subject": "Event_Title", "due_at": "Start_DateTime"},
    "Notes": {"subject": "Note_Title", "text": "Note_Content", "owner": "Owner"},
}

WORDS = Words(
    statuses=("Not Contacted", "Contacted", "Attempted to Contact"),
    closed="Lost Lead",
    stages=("Qualification", "Closed Won"),
    spare_field="Segment",
    spare_number="Score",
    missing_field="Campaign_Code",
    fields={name: FIELDS["Leads"][name] for name in ("phone", "mobile", "city", "state", "country")},
)
_CLOSING_TIME = time(17, tzinfo=UTC)
"""Zoho's tasks have a day alone: it ends with its work."""


def columns(module: str, facts: Facts) -> dict[str, Any]:
    """Facts as the desk takes them."""
    names = FIELDS[module]
    return {names.get(name, name): _value(names.get(name, name), value) for name, value in facts.items()}


def facts(module: str, row: Mapping[str, Any]) -> Facts:
    """A stored row as facts; the row's own names stay beside them."""
    known = {name: row[column] for name, column in FIELDS[module].items() if column in row}
    if known.get("due_at"):
        known["due_at"] = _moment(str(known["due_at"]))
    every = {**row, **known}
    return {name: "" if value is None else value for name, value in every.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if name == "Due_Date" else value.isoformat()
    return float(value) if name in ("Amount", "Annual_Revenue") else value


def _moment(text: str) -> datetime:
    if len(text) == len("2027-01-31"):
        return datetime.combine(date.fromisoformat(text), _CLOSING_TIME)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
