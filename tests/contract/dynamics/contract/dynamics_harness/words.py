"""The suite's neutral words in Dynamics's: entities by kind, attributes by fact."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from leadbus.connector.capabilities import Kind
from leadbus.testing.crm import Facts, Words

MODULES: Mapping[Kind, str] = {
    "lead": "lead",
    "contact": "contact",
    "account": "account",
    "user": "systemuser",
    "opportunity": "opportunity",
    # Tasks, calls and meetings have one privilege in common; notes one of their own.
    "activity": "annotation",
    "list": "list",
}
ACTIVITIES: Mapping[str, str] = {
    "note": "annotation",
    "task": "task",
    "call": "phonecall",
    "meeting": "appointment",
    "email": "email",
}
HANGS_ON: Mapping[str, str] = {
    "annotation": "objectid",
    **dict.fromkeys(("task", "phonecall", "appointment", "email"), "regardingobjectid"),
}

LISTS: Mapping[str, int] = {"account": 1, "contact": 2, "lead": 4}
"""`createdfromcode`, by the kind that a list holds."""
_PERSON = {
    "email": "emailaddress1",
    "first_name": "firstname",
    "last_name": "lastname",
    "title": "jobtitle",
    "phone": "telephone1",
    "mobile": "mobilephone",
    "city": "address1_city",
    "state": "address1_stateorprovince",
    "country": "address1_country",
    "owner": "ownerid",
    "opted_out": "donotbulkemail",
    "lead_source": "leadsourcecode",
    "score": "new_score",
}
_TO_DO = {
    "subject": "subject",
    "text": "description",
    "owner": "ownerid",
    "status": "statuscode",
    "priority": "prioritycode",
    "due_at": "scheduledend",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "lead": {**_PERSON, "company": "companyname", "status": "statuscode"},
    "contact": {**_PERSON, "account": "parentcustomerid"},
    "account": {
        "name": "name",
        "owner": "ownerid",
        "annual_revenue": "revenue",
        "account_type": "customertypecode",
    },
    "opportunity": {
        "name": "name",
        "stage": "statuscode",
        "amount": "estimatedvalue",
        "close_date": "estimatedclosedate",
        "probability": "closeprobability",
        "account": "parentaccountid",
        "contact": "parentcontactid",
        "owner": "ownerid",
    },
    "list": {"name": "listname", "owner": "ownerid"},
    "task": _TO_DO,
    "phonecall": _TO_DO,
    "email": _TO_DO,
    "appointment": {**_TO_DO, "due_at": "scheduledstart"},
    "annotation": {"subject": "subject", "text": "notetext", "owner": "ownerid"},
}
_OWN_WORDS = frozenset({"lead_source"})
"""Facts of an opportunity that Dynamics has no place for: it is its lead's, or its contact's."""
_LOOKUPS = {"ownerid": "systemuser", "parentcustomerid": "account"}

WORDS = Words(
    statuses=("New", "Contacted", "Marketing Qualified"),
    closed="Lost",
    stages=("In Progress", "Won"),
    spare_field="new_segment",
    spare_number="new_score",
    missing_field="new_campaign_code",
    fields={name: _PERSON[name] for name in ("phone", "mobile", "city", "state", "country")},
)


def columns(entity: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as the desk takes them, but for options, which still have their labels."""
    names = FIELDS[entity]
    told = {
        name: value for name, value in facts.items() if not (entity == "opportunity" and name in _OWN_WORDS)
    }
    return {names.get(name, name): _value(names.get(name, name), value) for name, value in told.items()}


def facts(entity: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Facts:
    """A stored row as facts; the row's own names stay beside them. labels: of its options, by attribute."""
    every = {**row, **labels}
    known = {name: every[column] for name, column in FIELDS[entity].items() if column in every}
    if known.get("due_at"):
        known["due_at"] = datetime.fromisoformat(str(known["due_at"])).astimezone(UTC)
    return {name: "" if value is None else value for name, value in {**row, **known}.items()}


def _value(column: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if column in _LOOKUPS and isinstance(value, str):
        return (_LOOKUPS[column], value)
    return float(Decimal(value)) if column in ("estimatedvalue", "revenue") else value
