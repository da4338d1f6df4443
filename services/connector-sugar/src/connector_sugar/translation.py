"""Leadbus's rows into SugarCRM's and back, without a call; names are the same by every protocol.

Names and lengths are those of SuiteCRM 7.12; what is longer the CRM would cut without a word, so that it is
cut here and what was written is what will be read.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from connector_sugar.wire import Change, Entry
from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.connector.contract import (
    Account,
    CrmActivity,
    CrmList,
    NewAccount,
    NewActivity,
    NewPerson,
    Opportunity,
    Person,
    PersonChange,
    Row,
    User,
)
from leadbus.connector.figures import amount
from leadbus.messages import Record

LEADS, CONTACTS, PROSPECTS, ACCOUNTS, USERS = "Leads", "Contacts", "Prospects", "Accounts", "Users"
OPPORTUNITIES, LISTS, CAMPAIGNS = "Opportunities", "ProspectLists", "Campaigns"
NOTES, TASKS, CALLS, MEETINGS = "Notes", "Tasks", "Calls", "Meetings"
MODULES: Mapping[Kind, tuple[str, ...]] = {
    "lead": (LEADS,),
    "contact": (CONTACTS,),
    "target": (PROSPECTS,),
    "account": (ACCOUNTS,),
    "user": (USERS,),
    "opportunity": (OPPORTUNITIES,),
    "activity": (TASKS, CALLS, MEETINGS, NOTES),
    "list": (LISTS,),
}
KINDS: Mapping[str, Kind] = {module: kind for kind, modules in MODULES.items() for module in modules}
PEOPLE: Mapping[str, PersonKind] = {LEADS: "lead", CONTACTS: "contact", PROSPECTS: "target"}
ACTIVITIES: Mapping[Literal["note", "task", "call"], str] = {"note": NOTES, "task": TASKS, "call": CALLS}
_TYPES = {TASKS: "task", CALLS: "call", MEETINGS: "meeting", NOTES: "note"}

_PERSON = {
    "first_name": "first_name",
    "last_name": "last_name",
    "title": "title",
    "phone": "phone_work",
    "mobile": "phone_mobile",
    "fax": "phone_fax",
    "street": "primary_address_street",
    "city": "primary_address_city",
    "state": "primary_address_state",
    "postal_code": "primary_address_postalcode",
    "country": "primary_address_country",
    "birthday": "birthdate",
    "comments": "description",
}
# Contacts have no website, and their account_name creates an account (read in source: add_create_account).
FIELDS: Mapping[PersonKind, Mapping[str, str]] = {
    "lead": {**_PERSON, "company": "account_name", "website": "website"},
    "contact": _PERSON,
    "target": {**_PERSON, "company": "account_name"},
}
_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(("first_name", "last_name", "title", "lead_source"), 100),
    **dict.fromkeys(("phone_work", "phone_mobile", "phone_fax", "phone_home", "phone_other"), 100),
    **dict.fromkeys(("primary_address_city", "primary_address_state"), 100),
    **dict.fromkeys(("account_name", "website", "name", "primary_address_country"), 255),
    "primary_address_street": 150,
    "primary_address_postalcode": 20,
}

STATUS, NEW_STATUS = "status", "New"
_CLOSED = frozenset({"Converted", "Dead"})
_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CALL_MINUTES = "15"

_OWNER = ("assigned_user_id",)
_HANGS_ON = ("parent_type", "parent_id", "contact_id")
READ: Mapping[str, tuple[str, ...]] = {
    LEADS: (*_OWNER, "date_entered", "status", "converted", "contact_id"),
    CONTACTS: (*_OWNER, "date_entered", "account_id"),
    PROSPECTS: (*_OWNER, "date_entered"),
    ACCOUNTS: (*_OWNER, "name"),
    USERS: ("user_name", "first_name", "last_name", "status"),
    OPPORTUNITIES: (
        *(*_OWNER, "name", "sales_stage", "amount", "currency_id", "date_closed", "probability"),
        *("lead_source", "account_id"),
    ),
    TASKS: (*_OWNER, *_HANGS_ON, "name", "status", "priority", "date_due"),
    CALLS: (*_OWNER, *_HANGS_ON[:2], "name", "status", "date_start"),
    MEETINGS: (*_OWNER, *_HANGS_ON[:2], "name", "status", "date_start"),
    NOTES: (*_OWNER, *_HANGS_ON, "name"),
    LISTS: (*_OWNER, "name", "list_type"),
}
"""Fields that a row is made of, by module, beside those that are mapped."""
LINKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    OPPORTUNITIES: {"contacts": ("id",)},
    CALLS: {"contacts": ("id",), "leads": ("id",)},
    MEETINGS: {"contacts": ("id",), "leads": ("id",)},
}
"""Related rows that a row is made of, by module."""
MEMBERS: Mapping[str, str] = {"prospects": PROSPECTS, "leads": LEADS, "contacts": CONTACTS}
"""Links of a list, and the module of those on it."""


# Into SugarCRM ----------------------------------------------------------------------------------------


def fit(name: str, value: str) -> str:
    """The value as the field will keep it."""
    return _NOT_TEXT.sub("", value).replace("\r\n", "\n")[: _LENGTHS.get(name)]


def _values(values: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are told, as the fields will keep them."""
    return {name: fit(name, value) for name, value in values.items() if value is not None}


def new_person(new: NewPerson, score_field: str | None, teams: Collection[str] = ()) -> Change:
    """A lead, contact or target under the id given."""
    told: dict[str, str | None] = {
        "lead_source": new.lead_source if new.kind != "target" else None,
        "status": NEW_STATUS if new.kind == "lead" else None,
        "account_id": new.account_id if new.kind == "contact" else None,
        "assigned_user_id": new.owner_id,
    }
    values = _values({**new.values, **told, **_score(score_field, new.score)})
    return Change(
        new.id,
        values,
        email=new.email,
        opted_out=new.opted_out,
        teams=tuple(teams),
        traceparent=new.traceparent,
    )


def person_change(change: PersonChange, score_field: str | None) -> Change:
    """What to write to a person who is there."""
    told = {
        "lead_source": change.lead_source,
        "assigned_user_id": change.owner_id,
        STATUS: change.status,
    }
    values = _values({**change.values, **told, **_score(score_field, change.score)})
    return Change(
        change.record.id,
        values,
        email=change.email,
        opted_out=change.opted_out,
        traceparent=change.traceparent,
    )


def new_account(new: NewAccount, owner_id: str, teams: Collection[str] = ()) -> Change:
    """An account under the id given; it needs an owner, or nobody sees it among theirs."""
    values = _values({"name": new.name, "assigned_user_id": new.owner_id or owner_id})
    return Change(new.id, values, teams=tuple(teams), traceparent=new.traceparent)


def new_activity(new: NewActivity, now: datetime, teams: Collection[str] = ()) -> Change:
    """A note, task or call on the record. now: when a call without a time is due."""
    record = new.record
    told: dict[str, str | None] = {
        "name": new.subject,
        "description": new.text,
        "parent_type": record.module,
        "parent_id": record.id,
        "assigned_user_id": new.owner_id,
    }
    if new.type == "task":
        due = new.due_at.isoformat() if new.due_at else None
        status = "Completed" if new.done else "Not Started"
        told |= {"status": status, "priority": "Medium", "date_due": due}
    if new.type == "call":
        told |= {
            "status": "Planned",
            "direction": "Outbound",
            "date_start": (new.due_at or now).isoformat(),
            "duration_hours": "0",
            "duration_minutes": _CALL_MINUTES,
        }
    if record.module == CONTACTS and new.type != "call":  # calls have no such field
        told["contact_id"] = record.id
    return Change(new.id, _values(told), teams=tuple(teams), traceparent=new.traceparent)


def _score(score_field: str | None, score: int | None) -> dict[str, str]:
    return {score_field: str(score)} if score_field and score is not None else {}


# Out of SugarCRM --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Around:
    """What a row needs beside its entry. mapped: fields to show among its values.

    For opportunities, emails: addresses by contact; currencies: ISO codes by id.
    """

    mapped: Collection[str] = ()
    emails: Mapping[str, Collection[str]] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)


def row_of(module: str, entry: Entry, around: Around) -> Row:
    """A row as read with `READ` and `LINKS`, of its kind's class."""
    common: _Common = {
        "record": Record(module=module, id=entry.id),
        "values": {name: entry.values[name] for name in around.mapped if name in entry.values},
        "owner_id": entry.values.get("assigned_user_id") or None,
        "deleted": entry.deleted,
        "changed_at": entry.modified_at,
    }
    return _READERS[KINDS[module]](common, module, entry, around)


_Common = dict[str, Any]
_Reader = Callable[[_Common, str, Entry, Around], Row]


def _person(common: _Common, module: str, entry: Entry, around: Around) -> Person:
    values, primary = entry.values, next((email for email in entry.emails if email.primary), None)
    status = values.get("status") or None if module == LEADS else None
    converted = module == LEADS and values.get("converted") == "true"
    contact = values.get("contact_id") if converted else None
    return Person(
        **common,
        kind=PEOPLE[module],
        email=primary.address if primary else None,
        emails=tuple(email.address for email in entry.emails),
        created_at=_moment(values.get("date_entered")),
        status=status,
        open=not converted and status not in _CLOSED,
        account_id=values.get("account_id") or None if module == CONTACTS else None,
        converted_to=Record(module=CONTACTS, id=contact) if contact else None,
        opted_out=primary.opted_out if primary else None,
    )


def _account(common: _Common, module: str, entry: Entry, around: Around) -> Account:
    return Account(**common, name=entry.values.get("name", ""))


def _user(common: _Common, module: str, entry: Entry, around: Around) -> User:
    values = entry.values
    full = " ".join(filter(None, (values.get("first_name"), values.get("last_name"))))
    return User(
        **common,
        name=full or values.get("user_name", ""),
        email=next((email.address for email in entry.emails if email.primary), None),
        active=values.get("status") == "Active" and not entry.deleted,
    )


def _opportunity(common: _Common, module: str, entry: Entry, around: Around) -> Opportunity:
    values, contacts = entry.values, related(entry, "contacts")
    probability = values.get("probability", "")
    return Opportunity(
        **common,
        name=values.get("name", ""),
        contact_ids=contacts,
        contact_emails=tuple(sorted({e for key in contacts for e in around.emails.get(key, ())})),
        account_id=values.get("account_id") or None,
        stage=values.get("sales_stage") or None,
        amount=amount(values.get("amount", "")),
        currency=around.currencies.get(values.get("currency_id", "")),
        close_date=_date(values.get("date_closed", "")),
        probability=int(probability) if probability.isdecimal() else None,
        lead_source=values.get("lead_source") or None,
    )


def _activity(common: _Common, module: str, entry: Entry, around: Around) -> CrmActivity:
    values = entry.values
    hangs_on = (values.get("parent_id"), values.get("contact_id"))
    linked = (*related(entry, "contacts"), *related(entry, "leads"))
    return CrmActivity(
        **common,
        type=_TYPES[module],
        subject=values.get("name", ""),
        status=values.get("status") or None,
        priority=values.get("priority") or None,
        due_at=_moment(values.get("date_due") or values.get("date_start")),
        about=tuple(dict.fromkeys(key for key in (*hangs_on, *linked) if key)),
    )


def _list(common: _Common, module: str, entry: Entry, around: Around) -> CrmList:
    return CrmList(
        **common, name=entry.values.get("name", ""), list_type=entry.values.get("list_type") or None
    )


_READERS: Mapping[Kind, _Reader] = {
    **dict.fromkeys(PEOPLE.values(), _person),
    "account": _account,
    "user": _user,
    "opportunity": _opportunity,
    "activity": _activity,
    "list": _list,
}


def related(entry: Entry, link: str) -> tuple[str, ...]:
    """Ids of the rows related by a link."""
    return tuple(row["id"] for row in entry.linked.get(link, ()) if row.get("id"))


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
