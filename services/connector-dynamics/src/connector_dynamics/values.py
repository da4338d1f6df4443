"""Leadbus's values and rows as Dynamics's attributes; pure.

Dynamics refuses a whole row for a text that is too long or a value of another type than its attribute
(error codes 0x80044331, 0x80044354, 0x8004431A), and SOAP a whole call for a figure, time or id that its type
does not have: values are cut and typed here, so that what is written is what is read. Lengths in `fit` are
those of a new organisation's attributes (metadata of Dynamics 365 Sales); the organisation's own are taken
into account when a row is written.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from connector_dynamics.translation import CONTACT, EMAILS, NO_BULK_EMAIL
from connector_dynamics.wire import Attribute, AttributeType, Double, Long, Money, Option, Reference, Value
from leadbus.connector.contract import NewAccount, NewActivity, NewPerson, PersonChange
from leadbus.errors import Rejected

Values = dict[str, Value]
Shapes = Mapping[str, Attribute]
"""Attributes of one entity by name; one that is missing is written as text."""

EMAIL, OWNER, TOPIC = EMAILS[0], "ownerid", "subject"
LEAD_SOURCE, COMPANY_OF_CONTACT, ACCOUNT_NAME = "leadsourcecode", "parentcustomerid", "name"

_PHONES = frozenset({"telephone1", "telephone2", "telephone3", "mobilephone", "fax", "pager"})
_PARAGRAPHS = frozenset({"description", "notetext"})
_LENGTHS: Mapping[str, int] = {
    **dict.fromkeys(_PHONES, 50),
    **dict.fromkeys(("firstname", "lastname", "address1_stateorprovince"), 50),
    **dict.fromkeys(("address1_city", "address1_country"), 80),
    **dict.fromkeys(("jobtitle", "companyname", *EMAILS), 100),
    **dict.fromkeys(("description",), 2_000),
    "mobilephone": 20,  # of a lead; a contact's is longer
    "address1_postalcode": 20,
    "address1_line1": 250,
    "websiteurl": 200,
    ACCOUNT_NAME: 160,
    TOPIC: 200,  # of tasks and calls, the shortest
    "notetext": 100_000,
}
_NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_DIALLED = re.compile(r"(?<!^)\+|[^\d+x#,;]")
_BREAKS = re.compile(r"\s*[\r\n]+\s*")
_INTEGER = re.compile(r"-?\d{1,19}")
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
_MOST: Mapping[AttributeType, int] = {"integer": 2**31, "long": 2**63}
_FIGURES: Mapping[AttributeType, type[Decimal]] = {"double": Double, "money": Money}
_FIRST_YEAR = 1753  # documented: DateTimeAttributeMetadata.MinSupportedValue
_BOOLEANS = {
    **dict.fromkeys(("1", "true", "on", "yes"), True),
    **dict.fromkeys(("0", "false", "off", "no"), False),
}


# Values -----------------------------------------------------------------------------------------------


def fit(name: str, value: str) -> str:
    """The value as the attribute will keep it: on one line where it has but one, and not too long."""
    shown = _NOT_TEXT.sub("", value).replace("\r\n", "\n").strip()
    length = _LENGTHS.get(name)
    if length is None:
        return shown
    if name not in _PARAGRAPHS:
        shown = _BREAKS.sub(" ", shown)
    if name in _PHONES and len(shown) > length:
        shown = _NOT_DIALLED.sub("", shown.lower())
    return cut(shown, length).rstrip()


def cut(text: str, length: int) -> str:
    """Its beginning, as long as the CRM counts: in UTF-16, where an emoji is two (nvarchar of SQL Server)."""
    return text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "ignore")


def written(name: str, value: str, shape: Attribute | None) -> Value:
    """A value of the kit by the attribute's type; nothing empties it.

    Raises:
        Rejected: the attribute cannot hold it.
    """
    if not value:
        return False if shape is not None and shape.type == "boolean" else None
    if shape is None or shape.type not in _WRITE:
        return cut(value, shape.length) if shape is not None and shape.length else value
    try:
        return _WRITE[shape.type](value, shape)
    except (OverflowError, ValueError):
        raise Rejected(
            f"The field {name} of the CRM holds {_HOLDS[shape.type]}, and the value for it is none: correct"
            " the value, or map the field differently.",
            name,
        ) from None


def option_of(shape: Attribute, label: str) -> Option | None:
    """The number of an option; capitals count only where two labels differ by nothing else."""
    options = shape.options or {}
    exact = [number for number, known in options.items() if known == label]
    near = [number for number, known in options.items() if known.casefold() == label.casefold()]
    return next((Option(number) for number in exact or near), None)


def _integer(value: str, shape: Attribute) -> Value:
    whole, _, fraction = value.partition(".")
    if not _INTEGER.fullmatch(whole) or fraction.strip("0"):
        raise ValueError(value)
    number, most = int(whole), _MOST[shape.type]
    if not -most <= number < most:
        raise ValueError(value)
    return Long(number) if shape.type == "long" else number


def _decimal(value: str, shape: Attribute) -> Value:
    if not _DECIMAL.fullmatch(value):
        raise ValueError(value)
    return _FIGURES.get(shape.type, Decimal)(value)


def _boolean(value: str, shape: Attribute) -> Value:
    found = _BOOLEANS.get(value.lower())
    if found is None:
        raise ValueError(value)
    return found


def _moment(value: str, shape: Attribute) -> Value:
    at = datetime.fromisoformat(value)
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    if at.year < _FIRST_YEAR:
        raise ValueError(value)
    return at


def _day(value: str, shape: Attribute | None = None) -> date:
    day = date.fromisoformat(value[:10])
    if day.year < _FIRST_YEAR:
        raise ValueError(value)
    return day


def _option(value: str, shape: Attribute) -> Value:
    found = option_of(shape, value)
    if found is None:
        raise Rejected(
            f"The field {shape.name} of the CRM does not offer the value for it: add the option in the CRM,"
            " or map the field differently.",
            shape.name,
        )
    return found


def _options(value: str, shape: Attribute) -> Value:
    return ",".join(str(_option(part, shape)) for part in value.split(";") if part)


def _lookup(value: str, shape: Attribute) -> Value:
    if len(shape.targets) != 1:
        raise ValueError(value)
    return Reference(shape.targets[0], str(UUID(value)))


_WRITE: Mapping[AttributeType, Callable[[str, Attribute], Value]] = {
    **dict.fromkeys(("integer", "long"), _integer),
    **dict.fromkeys(("decimal", "double", "money"), _decimal),
    "boolean": _boolean,
    "date": _day,
    "local_date": lambda value, shape: datetime.combine(_day(value), time(), UTC),
    "datetime": _moment,
    **dict.fromkeys(("option", "state", "status"), _option),
    "options": _options,
    "lookup": _lookup,
}
_HOLDS: Mapping[AttributeType, str] = {
    **dict.fromkeys(("integer", "long"), "a whole number, within its limits"),
    **dict.fromkeys(("decimal", "double", "money"), "a number, such as 12.5"),
    "boolean": "yes or no (true or false)",
    **dict.fromkeys(("date", "local_date"), "a date from 1753 on, such as 2026-01-31"),
    "datetime": "a time from 1753 on, such as 2026-01-31T08:00:00Z",
    "lookup": "the id of another record of one kind (a GUID)",
}
"""In a person's words; options are told by `_option`."""


# Rows -------------------------------------------------------------------------------------------------


def new_person(new: NewPerson, score_field: str | None, shapes: Shapes, source: Option | None) -> Values:
    """A lead or contact. A lead's topic, which its form requires, is its lead source where nothing is mapped
    to it. Of an opt-out that is not known nothing is said. Raises Rejected."""
    values = _fields(new.values, score_field, new.score, shapes)
    values |= _person(new.email, new.opted_out, new.owner_id, source)
    if new.kind == "lead":
        return {TOPIC: fit(TOPIC, new.lead_source) or None} | values
    if new.account_id:
        values[COMPANY_OF_CONTACT] = Reference("account", new.account_id)
    return values


def person_change(
    change: PersonChange, score_field: str | None, shapes: Shapes, source: Option | None
) -> Values:
    """What to write to a person who is there; what is not named stays as it is. Raises Rejected."""
    values = _fields(change.values, score_field, change.score, shapes)
    return values | _person(change.email, change.opted_out, change.owner_id, source)


def new_account(new: NewAccount) -> Values:
    """A company. Without an owner it belongs to our user."""
    return {ACCOUNT_NAME: fit(ACCOUNT_NAME, new.name), **_owner(new.owner_id)}


COMPLETED: Values = {"statecode": Option(1), "statuscode": Option(5)}
"""Of a task (entity reference, task: state and status of a completed one)."""


def new_activity(new: NewActivity, user_id: str) -> Values:
    """A note, task or call on the record. user_id: ours, who makes a call that nobody owns."""
    about = Reference(new.record.module, new.record.id)
    values: Values = {"subject": fit(TOPIC, new.subject), **_owner(new.owner_id)}
    if new.type == "note":
        return values | {"notetext": fit("notetext", new.text) or None, "objectid": about}
    values |= {"description": fit("description", new.text) or None, "regardingobjectid": about}
    if new.due_at:
        values["scheduledend"] = new.due_at
    if new.type == "call":  # outgoing: from a user, to the person
        caller = Reference("systemuser", new.owner_id or user_id)
        values |= {"directioncode": True, "from": (caller,), "to": (about,)}
    return values


def contact_of_lead(account_id: str | None, owner_id: str | None) -> Values:
    """What the contact that a lead has become is given besides."""
    company: Values = {COMPANY_OF_CONTACT: Reference("account", account_id)} if account_id else {}
    return {**company, **_owner(owner_id)}


def attached(name: str, contact_id: str) -> Values:
    """That a lead is to become a contact there is."""
    return {name: Reference(CONTACT, contact_id)}


def _fields(values: Mapping[str, str], score_field: str | None, score: int | None, shapes: Shapes) -> Values:
    told = {**values, **({score_field: str(score)} if score_field and score is not None else {})}
    return {name: written(name, fit(name, value), shapes.get(name)) for name, value in told.items()}


def _person(email: str | None, opted_out: bool | None, owner_id: str | None, source: Option | None) -> Values:
    values = _owner(owner_id)
    if email:
        values[EMAIL] = email
    if opted_out is not None:
        values[NO_BULK_EMAIL] = opted_out
    if source is not None:
        values[LEAD_SOURCE] = source
    return values


def _owner(owner_id: str | None) -> Values:
    return {OWNER: Reference("systemuser", owner_id)} if owner_id else {}
