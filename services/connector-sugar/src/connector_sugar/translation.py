"""Leadbus's words into SugarCRM's fields and back, without a call.

Names and lengths are those of SuiteCRM 7.12 (modules Leads, Contacts, Notes, Opportunities); what is longer
the CRM would cut without a word, so that it is cut here and what was written is what will be read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from connector_sugar.wire import Entry, clean, moment, sugar_time
from leadbus.connector.contract import Kind, NewActivity, NewPerson, Opportunity, Person, PersonChange
from leadbus.messages import Record

LEADS, CONTACTS, NOTES, OPPORTUNITIES = "Leads", "Contacts", "Notes", "Opportunities"
MODULES: Mapping[Kind, str] = {"lead": LEADS, "contact": CONTACTS}


@dataclass(frozen=True, slots=True)
class Column:
    """A field of SugarCRM; length: characters it holds, None = as many as a message can have."""

    name: str
    length: int | None = None


_PERSON: Mapping[str, Column] = {
    "first_name": Column("first_name", 100),
    "last_name": Column("last_name", 100),
    "title": Column("title", 100),
    "phone": Column("phone_work", 100),
    "mobile": Column("phone_mobile", 100),
    "fax": Column("phone_fax", 100),
    "street": Column("primary_address_street", 150),
    "city": Column("primary_address_city", 100),
    "state": Column("primary_address_state", 100),
    "postal_code": Column("primary_address_postalcode", 20),
    "country": Column("primary_address_country", 255),
    "birthday": Column("birthdate"),
    "comments": Column("description"),
}
# Contacts have no website, and their account_name creates an account (read in source: add_create_account).
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    LEADS: {**_PERSON, "company": Column("account_name", 255), "website": Column("website", 255)},
    CONTACTS: _PERSON,
}
_LEAD_SOURCE, _NOTE_NAME = Column("lead_source", 100), Column("name", 255)

NEW_STATUS = "New"
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
_CLOSED = frozenset({"Converted", "Dead"})
_UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)

PERSON_FIELDS: Mapping[str, tuple[str, ...]] = {
    LEADS: ("id", "email1", "status", "converted", "date_entered", "date_modified", "deleted"),
    CONTACTS: ("id", "email1", "date_entered", "date_modified", "deleted"),
}
OPPORTUNITY_FIELDS = (
    "id",
    "name",
    "sales_stage",
    "amount",
    "currency_id",
    "date_closed",
    "probability",
    "lead_source",
    "date_modified",
    "deleted",
)


def fit(value: str, column: Column) -> str:
    """The value as the column will keep it."""
    return clean(value).replace("\r\n", "\n")[: column.length]


def person_pairs(person: NewPerson, score_field: str | None) -> dict[str, str]:
    """A new lead or contact under its own id."""
    module = MODULES[person.kind]
    fixed = {"id": person.id, "new_with_id": "1", "email1": clean(person.email)}
    if module == LEADS:
        fixed["status"] = NEW_STATUS
    fixed["lead_source"] = fit(person.lead_source, _LEAD_SOURCE)
    return fixed | _fields(module, person.values) | _score(score_field, person.score)


def change_pairs(change: PersonChange, score_field: str | None) -> dict[str, str]:
    """What to write to an existing record; only its id if there is nothing that SugarCRM keeps."""
    fields = _fields(change.record.module, change.values) | _score(score_field, change.score)
    return {"id": change.record.id} | fields


def note_pairs(new: NewActivity) -> dict[str, str]:
    """A note on the record: what happened, when, where."""
    record = new.record
    name = f"{new.label}: {new.subject}" if new.subject else new.label
    lines = [f"{sugar_time(new.occurred_at)} UTC", *filter(None, [new.url])]
    pairs = {
        "id": new.id,
        "new_with_id": "1",
        "name": fit(name, _NOTE_NAME),
        "description": clean("\n".join(lines)),
        "parent_type": record.module,
        "parent_id": record.id,
    }
    return pairs | ({"contact_id": record.id} if record.module == CONTACTS else {})


def _fields(module: str, values: Mapping[str, str]) -> dict[str, str]:
    columns = COLUMNS.get(module, {})
    return {
        columns[name].name: fit(value, columns[name]) for name, value in values.items() if name in columns
    }


def _score(score_field: str | None, score: int | None) -> dict[str, str]:
    return {score_field: str(score)} if score_field and score is not None else {}


def person_of(entry: Entry, module: str) -> Person:
    """A lead or contact as read with `PERSON_FIELDS`."""
    values = entry.values
    status = values.get("status", "") or None if module == LEADS else None
    return Person(
        Record(module=module, id=entry.id),
        email=values.get("email1", "").strip().lower() or None,
        created_at=_moment_or_none(values.get("date_entered")) or _UNKNOWN_TIME,
        status=status,
        open=values.get("converted", "0") != "1" and status not in _CLOSED,
        deleted=is_deleted(entry),
        changed_at=_moment_or_none(values.get("date_modified")),
    )


def emails_of(entry: Entry) -> set[str]:
    """All addresses of a record, in lower case; needs email1 and the link email_addresses."""
    linked = (row.get("email_address", "") for row in entry.linked.get("email_addresses", ()))
    found = {address.strip().lower() for address in (entry.values.get("email1", ""), *linked)}
    return found - {""}


def opportunity_of(entry: Entry, contact_emails: set[str], currency: str | None) -> Opportunity:
    """An opportunity as read with `OPPORTUNITY_FIELDS`."""
    values = entry.values
    probability = values.get("probability", "")
    return Opportunity(
        Record(module=OPPORTUNITIES, id=entry.id),
        name=values.get("name", ""),
        contact_emails=tuple(sorted(contact_emails)),
        stage=values.get("sales_stage") or None,
        amount=amount_of(values.get("amount", "")),
        currency=currency,
        close_date=_date_or_none(values.get("date_closed", "")),
        probability=int(probability) if probability.isdecimal() else None,
        lead_source=values.get("lead_source") or None,
        deleted=is_deleted(entry),
        changed_at=_moment_or_none(values.get("date_modified")),
    )


def is_deleted(entry: Entry) -> bool:
    return entry.values.get("deleted", "0") == "1"


def amount_of(text: str) -> str | None:
    """A plain decimal as messages carry it (`1234.5`), None for what is no amount or too large for one."""
    try:
        shown = f"{round(Decimal(text), 6):f}"
    except InvalidOperation:
        return None
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return shown if _AMOUNT.fullmatch(shown) else None


def _moment_or_none(text: str | None) -> datetime | None:
    try:
        return moment(text or "")
    except ValueError:
        return None


def _date_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
