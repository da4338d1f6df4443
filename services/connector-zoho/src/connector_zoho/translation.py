"""Zoho's rows into Leadbus's, without a call; names of modules and fields are Zoho's API names.

Names of standard fields are from Zoho's documentation (modules and fields of API v8) and the samples of the
official SDK. What we write is in `values`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal

from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.connector.contract import (
    Account,
    CrmActivity,
    CrmList,
    Opportunity,
    Person,
    Row,
    User,
)
from leadbus.connector.figures import amount, plain
from leadbus.messages import Record

LEADS, CONTACTS, ACCOUNTS, DEALS, USERS = "Leads", "Contacts", "Accounts", "Deals", "Users"
NOTES, TASKS, CALLS, EVENTS = "Notes", "Tasks", "Calls", "Events"
CAMPAIGNS, TAGS = "Campaigns", "Tags"
MODULES: Mapping[Kind, tuple[str, ...]] = {
    "lead": (LEADS,),
    "contact": (CONTACTS,),
    "account": (ACCOUNTS,),
    "user": (USERS,),
    "opportunity": (DEALS,),
    "activity": (TASKS, CALLS, EVENTS, NOTES),
    "list": (CAMPAIGNS, TAGS),
}
KINDS: Mapping[str, Kind] = {module: kind for kind, modules in MODULES.items() for module in modules}
PEOPLE: Mapping[str, PersonKind] = {LEADS: "lead", CONTACTS: "contact"}
ACTIVITIES: Mapping[Literal["note", "task", "call"], str] = {"note": NOTES, "task": TASKS, "call": CALLS}
_TYPES = {TASKS: "task", CALLS: "call", EVENTS: "meeting", NOTES: "note"}

_PERSON = {
    "first_name": "First_Name",
    "last_name": "Last_Name",
    "phone": "Phone",
    "mobile": "Mobile",
    "fax": "Fax",
    "comments": "Description",
}
# A lead has no birthday, a contact no website (Zoho's documentation); a contact's company is its account.
FIELDS: Mapping[PersonKind, Mapping[str, str]] = {
    "lead": {
        **_PERSON,
        "title": "Designation",
        "company": "Company",
        "street": "Street",
        "city": "City",
        "state": "State",
        "postal_code": "Zip_Code",
        "country": "Country",
        "website": "Website",
    },
    "contact": {
        **_PERSON,
        "title": "Title",
        "street": "Mailing_Street",
        "city": "Mailing_City",
        "state": "Mailing_State",
        "postal_code": "Mailing_Zip",
        "country": "Mailing_Country",
        "birthday": "Date_of_Birth",
    },
}
"""Our standard fields (`leadbus.messages.Fields`), and what Zoho calls them."""

NEW_STATUS = "Not Contacted"
"""One of the statuses that every Zoho organisation begins with."""
# Those of a new organisation's statuses with which nobody goes on (assumed from their names).
_CLOSED = frozenset({"Junk Lead", "Lost Lead"})

_CHANGE = ("Owner", "Modified_Time")
_PERSONS = (*_CHANGE, "Created_Time", "Email", "Email_Opt_Out")
_HANGS_ON = (*_CHANGE, "Who_Id", "What_Id")
READ: Mapping[str, tuple[str, ...]] = {
    LEADS: (*_PERSONS, "Lead_Status", "Converted__s", "Converted_Contact"),
    CONTACTS: (*_PERSONS, "Account_Name"),
    ACCOUNTS: (*_CHANGE, "Account_Name"),
    DEALS: (
        *(*_CHANGE, "Deal_Name", "Contact_Name", "Account_Name", "Stage", "Amount", "Currency"),
        *("Closing_Date", "Probability", "Lead_Source"),
    ),
    TASKS: (*_HANGS_ON, "Subject", "Status", "Priority", "Due_Date"),
    CALLS: (*_HANGS_ON, "Subject", "Outbound_Call_Status", "Call_Start_Time"),
    EVENTS: (*_HANGS_ON, "Event_Title", "Start_DateTime"),
    NOTES: (*_CHANGE, "Parent_Id", "Note_Title"),
    CAMPAIGNS: (*_CHANGE, "Campaign_Name", "Type"),
}
"""Fields that a row is made of, by module, beside those that are mapped. Users and tags come whole."""
TEXT: Mapping[str, str] = {
    TASKS: "Description",
    CALLS: "Description",
    EVENTS: "Description",
    NOTES: "Note_Content",
}
"""What stands below an activity's subject."""

TITLE = 120
"""Characters of a note's title (Zoho's documentation, notes)."""
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Around:
    """What a row needs besides itself. mapped: fields to show among its values. zone: that days are in.

    For opportunities, emails: addresses by contact; currency: the organisation's own, as an ISO code.
    """

    mapped: Collection[str] = ()
    zone: tzinfo = UTC
    emails: Mapping[str, str] = field(default_factory=dict)
    currency: str | None = None


def row_of(module: str, row: Mapping[str, Any], around: Around) -> Row:
    """A row of its kind's class, from JSON or from a bulk file (where lookups are bare ids)."""
    texts = {name: text(value) for name, value in row.items()}
    common: _Common = {
        "record": Record(module=module, id=texts["id"]),
        "values": {name: texts[name] for name in around.mapped if name in texts},
        "owner_id": texts.get("Owner") or None,
        "changed_at": moment(texts.get("Modified_Time")),
    }
    return _READERS[KINDS[module]](common, module, texts, around)


def deleted_row(module: str, row: Mapping[str, Any]) -> Row:
    """A row of `GET /{Module}/deleted`, of its kind's class."""
    common: _Common = {
        "record": Record(module=module, id=text(row["id"])),
        "deleted": True,
        "changed_at": moment(text(row.get("deleted_time"))),
    }
    return _DELETED[KINDS[module]](**common, **({"kind": PEOPLE[module]} if module in PEOPLE else {}))


def text(value: Any) -> str:
    """A value in the kit's form; a lookup by its id, several joined by `;`. Times come in the user's zone."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return plain(str(value)) or str(value)
    if isinstance(value, list):
        return ";".join(filter(None, map(text, value)))
    if isinstance(value, Mapping):
        return text(value.get("id"))
    shown = str(value)
    at = moment(shown) if _MOMENT.fullmatch(shown) else None
    return at.isoformat(timespec="seconds") if at else shown


def moment(shown: str | None, zone: tzinfo = UTC) -> datetime | None:
    """A time in UTC; None for what is none. zone: of those without an offset, such as a day's beginning."""
    try:
        read = datetime.fromisoformat(shown or "")
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def email_of(row: Mapping[str, Any]) -> str | None:
    """A person's address in lower case."""
    return text(row.get("Email")).strip().lower() or None


_Common = dict[str, Any]
_Texts = Mapping[str, str]
_Reader = Callable[[_Common, str, _Texts, Around], Row]


def _person(common: _Common, module: str, texts: _Texts, around: Around) -> Person:
    email = email_of(texts)
    converted = texts.get("Converted__s") == "true"
    contact = texts.get("Converted_Contact") if converted else None
    status = texts.get("Lead_Status") or None
    opted_out = texts.get("Email_Opt_Out")
    return Person(
        **common,
        kind=PEOPLE[module],
        email=email,
        emails=(email,) if email else (),
        created_at=moment(texts.get("Created_Time")),
        status=status,
        open=not converted and status not in _CLOSED,
        account_id=texts.get("Account_Name") or None,
        converted_to=Record(module=CONTACTS, id=contact) if contact else None,
        opted_out=opted_out == "true" if opted_out else None,
    )


def _account(common: _Common, module: str, texts: _Texts, around: Around) -> Account:
    return Account(**common, name=texts.get("Account_Name", ""))


def _user(common: _Common, module: str, texts: _Texts, around: Around) -> User:
    """Statuses: active, disabled, deleted (Zoho's documentation); one who has not confirmed owns nothing."""
    status, is_confirmed = texts.get("status"), texts.get("confirm") != "false"
    common["deleted"] = status == "deleted"
    full = " ".join(filter(None, (texts.get("first_name"), texts.get("last_name"))))
    return User(
        **common,
        name=texts.get("full_name") or full,
        email=texts.get("email", "").strip().lower() or None,
        active=status == "active" and is_confirmed,
    )


def _opportunity(common: _Common, module: str, texts: _Texts, around: Around) -> Opportunity:
    """Of a deal's contacts the one named on it; others have roles in it, which lists do not tell."""
    contact, currency = texts.get("Contact_Name"), texts.get("Currency") or around.currency or ""
    email = around.emails.get(contact or "")
    probability = texts.get("Probability", "").partition(".")[0]
    return Opportunity(
        **common,
        name=texts.get("Deal_Name", ""),
        contact_ids=(contact,) if contact else (),
        contact_emails=(email,) if email else (),
        account_id=texts.get("Account_Name") or None,
        stage=texts.get("Stage") or None,
        amount=amount(texts.get("Amount", "")),
        currency=currency if _CURRENCY.fullmatch(currency) else None,
        close_date=_date(texts.get("Closing_Date", "")),
        probability=int(probability) if probability.isdecimal() else None,
        lead_source=texts.get("Lead_Source") or None,
    )


def _activity(common: _Common, module: str, texts: _Texts, around: Around) -> CrmActivity:
    """On a contact by Who_Id, on anything else (a lead, a deal) by What_Id; a note by its parent."""
    hangs_on = (texts.get("Who_Id"), texts.get("What_Id"), texts.get("Parent_Id"))
    subject = texts.get("Subject") or texts.get("Event_Title") or texts.get("Note_Title")
    due = texts.get("Due_Date") or texts.get("Call_Start_Time") or texts.get("Start_DateTime")
    below = texts.get(TEXT[module], "")
    if module == NOTES and below[:TITLE].rstrip() == subject:
        below = ""  # a note must have a content: where there is none to write, it is the subject again
    return CrmActivity(
        **common,
        type=_TYPES[module],
        subject=subject or "",
        status=texts.get("Status") or texts.get("Outbound_Call_Status") or None,
        priority=texts.get("Priority") or None,
        due_at=moment(due, around.zone),
        about=tuple(dict.fromkeys(key for key in hangs_on if key)),
        text=below,
    )


def _list(common: _Common, module: str, texts: _Texts, around: Around) -> CrmList:
    """A campaign, or a tag, which belongs to one module: that is its type."""
    name = texts.get("Campaign_Name") or texts.get("name", "")
    holds = (texts.get("Type", ""),) if module == TAGS else tuple(PEOPLE)
    return CrmList(**common, name=name, list_type=texts.get("Type") or None, holds=holds)


def _date(shown: str) -> date | None:
    try:
        return date.fromisoformat(shown[:10])
    except ValueError:
        return None


_READERS: Mapping[Kind, _Reader] = {
    **dict.fromkeys(PEOPLE.values(), _person),
    "account": _account,
    "user": _user,
    "opportunity": _opportunity,
    "activity": _activity,
    "list": _list,
}
_DELETED: Mapping[Kind, Callable[..., Row]] = {
    **dict.fromkeys(PEOPLE.values(), Person),
    "account": Account,
    "user": User,
    "opportunity": Opportunity,
    "activity": CrmActivity,
    "list": CrmList,
}
