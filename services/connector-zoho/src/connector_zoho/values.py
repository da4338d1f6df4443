"""Leadbus's values and rows as Zoho's JSON; pure.

Zoho refuses a whole row for a value that is too long or of another type than its field (documentation,
INVALID_DATA: `maximum_length`, `expected_data_type`): values are cut and typed here, so that what is written
is what is read. Lengths are those of a new organisation's fields, as `/settings/fields` describes them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connector_zoho.translation import ACCOUNTS, CONTACTS, NEW_STATUS, TITLE
from leadbus.connector.contract import (
    CampaignAsSent,
    Conversion,
    FieldInfo,
    FieldType,
    NewAccount,
    NewActivity,
    NewPerson,
    PersonChange,
)

Body = dict[str, Any]
Shapes = Mapping[str, FieldInfo]
"""Fields of one module by the CRM's names; one that is missing is written as text."""

LEAD_SOURCE, LEAD_STATUS = "Lead_Source", "Lead_Status"
EMAIL, OPT_OUT, OWNER, ACCOUNT_NAME = "Email", "Email_Opt_Out", "Owner", "Account_Name"
CAMPAIGN_NAME, MEMBER_STATUS, CURRENCY = "Campaign_Name", "Member_Status", "Currency"
CAMPAIGN_STATUSES = {
    "planned": "Planning",
    "active": "Active",
    "paused": "Inactive",
    "completed": "Complete",
}

_PHONES = frozenset({"Phone", "Mobile", "Fax", "Home_Phone", "Other_Phone", "Asst_Phone"})
_PARAGRAPHS = frozenset({"Description", "Note_Content"})
_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(_PHONES, 30),
    **dict.fromkeys(("Zip_Code", "Mailing_Zip"), 30),
    **dict.fromkeys(("Street", "Mailing_Street"), 250),
    **dict.fromkeys(("City", "Mailing_City", "State", "Mailing_State"), 100),
    **dict.fromkeys(("Country", "Mailing_Country", "Designation", "Title"), 100),
    **dict.fromkeys((LEAD_SOURCE, LEAD_STATUS), 120),
    **dict.fromkeys(("Company", ACCOUNT_NAME, CAMPAIGN_NAME), 200),
    **dict.fromkeys(("Website", "Subject"), 255),
    "First_Name": 40,
    "Last_Name": 80,
    "Note_Title": TITLE,
    "Note_Content": 65_535,
    "Description": 32_000,
}
_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_DIALLED = re.compile(r"(?<!^)\+|[^\d+x#,;]")
_BREAKS = re.compile(r"\s*[\r\n]+\s*")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,15})?")
_TRUE = frozenset({"1", "true", "on", "yes"})

CALL_MINUTES = "15:00"
"""mm:ss. A duration of zero is refused (documentation, calls)."""


# Values -----------------------------------------------------------------------------------------------


def fit(name: str, value: str) -> str:
    """The value as the field will keep it: on one line where the field has but one, and not too long."""
    text = _NOT_TEXT.sub("", value).replace("\r\n", "\n").strip()
    length = _LENGTHS.get(name)
    if length is None:
        return text
    if name not in _PARAGRAPHS:
        text = _BREAKS.sub(" ", text)
    if name in _PHONES and len(text) > length:
        text = _NOT_DIALLED.sub("", text.lower())
    return text[:length].rstrip()


def written(kind: FieldType, text: str, length: int | None = None) -> Any:
    """A value of the kit as JSON; nothing clears the field. What is of no such type the CRM will refuse."""
    if kind in _WRITE:
        return _WRITE[kind](text) if text else _EMPTY.get(kind)
    return text[:length].rstrip() or None


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text
    whole, _, fraction = text.partition(".")
    return float(text) if fraction.strip("0") else int(whole)


def _moment(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return iso(at if at.tzinfo else at.replace(tzinfo=UTC))


def iso(at: datetime) -> str:
    """A time with its offset, the only form that Zoho takes."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


_WRITE: Mapping[FieldType, Callable[[str], Any]] = {
    "number": _number,
    "boolean": lambda text: text.lower() in _TRUE,
    "date": lambda text: text[:10],
    "datetime": _moment,
    "options": lambda text: [option for part in text.split(";") if (option := part.strip())],
    "reference": lambda text: {"id": text},
}
_EMPTY: Mapping[FieldType, Any] = {"boolean": False, "options": []}


# Rows -------------------------------------------------------------------------------------------------


def new_person(new: NewPerson, score_field: str | None, shapes: Shapes) -> Body:
    """A lead or contact. Of an opt-out that is not known nothing is said."""
    body = _fields(new.values, score_field, new.score, shapes)
    body |= _person(new.email, new.opted_out, new.owner_id, new.lead_source)
    if new.kind == "lead":
        body[LEAD_STATUS] = NEW_STATUS
    elif new.account_id:
        body[ACCOUNT_NAME] = {"id": new.account_id}
    return body


def person_change(change: PersonChange, score_field: str | None, shapes: Shapes) -> Body:
    """What to write to a person who is there; what is not named stays as it is."""
    body = _fields(change.values, score_field, change.score, shapes)
    body |= _person(change.email, change.opted_out, change.owner_id, change.lead_source)
    if change.status:
        body[LEAD_STATUS] = fit(LEAD_STATUS, change.status)
    return {"id": change.record.id, **body}


def new_account(new: NewAccount) -> Body:
    """A company. Without an owner it belongs to the user whose sign-in it is."""
    return {ACCOUNT_NAME: fit(ACCOUNT_NAME, new.name), **_owner(new.owner_id)}


def new_activity(new: NewActivity, zone: ZoneInfo, now: datetime) -> Body:
    """A note, task or call on the record. zone: in which a task's day is meant. now: the earliest call."""
    return {**_ACTIVITIES[new.type](new, zone, now), **_owner(new.owner_id)}


def _note(new: NewActivity, zone: ZoneInfo, now: datetime) -> Body:
    """Without a content a note is refused (documentation, create notes)."""
    parent = {"module": {"api_name": new.record.module}, "id": new.record.id}
    return {
        "Note_Title": fit("Note_Title", new.subject),
        "Note_Content": fit("Note_Content", new.text or new.subject),
        "Parent_Id": parent,
    }


def _task(new: NewActivity, zone: ZoneInfo, now: datetime) -> Body:
    """Zoho's tasks are due on a day, without a time."""
    due = {"Due_Date": new.due_at.astimezone(zone).date().isoformat()} if new.due_at else {}
    status = "Completed" if new.done else "Not Started"
    return {**_to_do(new), "Status": status, "Priority": "Normal", **due}


def _call(new: NewActivity, zone: ZoneInfo, now: datetime) -> Body:
    """A call to be made. One that was due already is due now: a scheduled call lies ahead (assumed)."""
    return {
        **_to_do(new),
        "Call_Type": "Outbound",
        "Outbound_Call_Status": "Scheduled",
        "Call_Start_Time": iso(max(new.due_at or now, now)),
        "Call_Duration": CALL_MINUTES,
    }


_ACTIVITIES: Mapping[Literal["note", "task", "call"], Callable[[NewActivity, ZoneInfo, datetime], Body]] = {
    "note": _note,
    "task": _task,
    "call": _call,
}


def _to_do(new: NewActivity) -> Body:
    """Contacts are whom it is with; all others, leads too, are what it is about (documentation)."""
    body: Body = {"Subject": fit("Subject", new.subject)}
    if new.text:
        body["Description"] = fit("Description", new.text)
    if new.record.module == CONTACTS:
        return {**body, "Who_Id": {"id": new.record.id}}
    return {**body, "What_Id": {"id": new.record.id}, "$se_module": new.record.module}


def conversion(asked: Conversion, tags: Sequence[str], attach: Mapping[str, str]) -> Body:
    """How a lead is converted. tags: of the lead, which its contact is to have too. attach: ids by module."""
    ids = {ACCOUNTS: asked.account_id, CONTACTS: asked.contact.id if asked.contact else None, **attach}
    return {
        "overwrite": False,
        "notify_lead_owner": False,
        "notify_new_entity_owner": False,
        **{module: {"id": record_id} for module, record_id in ids.items() if record_id},
        **({"assign_to": {"id": asked.owner_id}} if asked.owner_id else {}),
        **({"carry_over_tags": {CONTACTS: list(tags)}} if tags else {}),
    }


def campaign(asked: CampaignAsSent, shapes: Shapes, own_currency: str) -> Body:
    """A campaign; what is not told stays as it is, and its budget if the CRM has no such currency.

    own_currency: the organisation's. With more of them campaigns have a field for theirs (documentation,
    currencies).
    """
    days = {"Start_Date": asked.starts_on, "End_Date": asked.ends_on}
    told: dict[str, str | None] = {
        CAMPAIGN_NAME: asked.name,
        "Status": CAMPAIGN_STATUSES[asked.status] if asked.status else None,
        "Description": asked.description,
        **{name: day.isoformat() if day else None for name, day in days.items()},
    }
    currencies = shapes[CURRENCY].options or () if CURRENCY in shapes else ()
    if asked.currency in (None, own_currency, *currencies):
        told["Budgeted_Cost"] = asked.budget
        told[CURRENCY] = asked.currency if asked.budget and asked.currency in currencies else None
    return _fields({name: value for name, value in told.items() if value is not None}, None, None, shapes)


def quoted(value: str) -> str:
    """A text in a COQL query; escaped with a backslash (assumed for the backslash itself)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fields(values: Mapping[str, str], score_field: str | None, score: int | None, shapes: Shapes) -> Body:
    told = {**values, **({score_field: str(score)} if score_field and score is not None else {})}
    body: Body = {}
    for name, value in told.items():
        shape = shapes.get(name)
        kind, length = (shape.type, shape.length) if shape else ("text", None)
        body[name] = written(kind, fit(name, value), length)
    return body


def _person(email: str | None, opted_out: bool | None, owner_id: str | None, lead_source: str | None) -> Body:
    body: Body = _owner(owner_id)
    if email:
        body[EMAIL] = email
    if opted_out is not None:
        body[OPT_OUT] = opted_out
    if lead_source:
        body[LEAD_SOURCE] = fit(LEAD_SOURCE, lead_source)
    return body


def _owner(owner_id: str | None) -> Body:
    return {OWNER: {"id": owner_id}} if owner_id else {}
