"""Dynamics's rows into Leadbus's, without a call; entities and attributes by their logical names.

Names are those of the metadata of a real organisation (`lead`, `contact`, ... of Dynamics 365 Sales); the
standard ones are the same since CRM 2011. What we write is in `values`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from connector_dynamics.texts import day, moment, number_of, reference, shown, text, word_of
from connector_dynamics.wire import Attribute, Entry, Reference, Value
from leadbus.connector.capabilities import Kind, PersonKind
from leadbus.connector.contract import Account, CrmActivity, CrmList, Opportunity, Person, Row, User
from leadbus.connector.figures import amount
from leadbus.messages import Record

LEAD, CONTACT, ACCOUNT, USER = "lead", "contact", "account", "systemuser"
OPPORTUNITY, LIST, MEMBER, CURRENCY = "opportunity", "list", "listmember", "transactioncurrency"
NOTE, TASK, CALL, MEETING, EMAIL = "annotation", "task", "phonecall", "appointment", "email"
CAMPAIGN, CAMPAIGN_ITEM, PARTY = "campaign", "campaignitem", "activityparty"
MODULES: Mapping[Kind, tuple[str, ...]] = {
    "lead": (LEAD,),
    "contact": (CONTACT,),
    "account": (ACCOUNT,),
    "user": (USER,),
    "opportunity": (OPPORTUNITY,),
    "activity": (TASK, CALL, MEETING, EMAIL, NOTE),
    "list": (LIST,),
}
KINDS: Mapping[str, Kind] = {module: kind for kind, modules in MODULES.items() for module in modules}
PEOPLE: Mapping[str, PersonKind] = {LEAD: "lead", CONTACT: "contact"}
ACTIVITIES: Mapping[Literal["note", "task", "call"], str] = {"note": NOTE, "task": TASK, "call": CALL}
_TYPES = {NOTE: "note", TASK: "task", CALL: "call", MEETING: "meeting", EMAIL: "email"}

_PERSON = {
    "first_name": "firstname",
    "last_name": "lastname",
    "title": "jobtitle",
    "phone": "telephone1",
    "mobile": "mobilephone",
    "fax": "fax",
    "street": "address1_line1",
    "city": "address1_city",
    "state": "address1_stateorprovince",
    "postal_code": "address1_postalcode",
    "country": "address1_country",
    "website": "websiteurl",
    "comments": "description",
}
FIELDS: Mapping[PersonKind, Mapping[str, str]] = {
    "lead": {**_PERSON, "company": "companyname"},
    "contact": {**_PERSON, "birthday": "birthdate"},
}
"""Our standard fields (`leadbus.messages.Fields`), and what Dynamics calls them.

A lead has no birthday; a contact's company is its account.
"""

NEW_STATUS = "New"
"""Of a fresh lead (status reason 1), in an organisation whose base language is English."""
OPEN, WON, QUALIFIED = 0, 1, 1
"""States: of anything that is open or active; of opportunities; of leads."""
ACCOUNTS_LIST = 1
MEMBER_TYPES: Mapping[str, int] = {CONTACT: 2, LEAD: 4}
"""`list.createdfromcode` (documentation, list entity): of lists of accounts, and of those of people."""

IS_DYNAMIC = (
    "Who is on a dynamic marketing list its query decides, and nobody can be put on it or taken off: use a"
    " static one."
)

EMAILS = ("emailaddress1", "emailaddress2", "emailaddress3")
NO_BULK_EMAIL, NO_EMAIL = "donotbulkemail", "donotemail"
MERGED = "merged"
"""Of people and accounts: their record lies idle, and everything went to the one they were merged into."""
ORIGIN = "originatingleadid"
BECAME = ("parentcontactid", "customerid")
"""Of a lead: the contact that it was told to become. The former came with CRM 2013 (assumed)."""
PARTNERS = ("parentcontactid", "customerid")
"""Of an opportunity: lookups that may hold a contact."""
HANGS_ON: Mapping[str, str] = {
    NOTE: "objectid",
    **dict.fromkeys((TASK, CALL, MEETING, EMAIL), "regardingobjectid"),
}
WITH_PARTIES = frozenset({CALL, MEETING, EMAIL})
"""Activities that may be with somebody whom they do not hang on, as an email to a lead."""
TEXT: Mapping[str, str] = {NOTE: "notetext", **dict.fromkeys((TASK, CALL, MEETING, EMAIL), "description")}
"""What stands below an activity's subject."""

_CHANGE = ("ownerid", "modifiedon")
_PERSONS = (*_CHANGE, "createdon", *EMAILS, NO_BULK_EMAIL, NO_EMAIL, "statecode", MERGED)
_TO_DO = (*_CHANGE, "subject", "statuscode", "prioritycode", "regardingobjectid")
READ: Mapping[str, tuple[str, ...]] = {
    LEAD: (*_PERSONS, "statuscode", *BECAME),
    CONTACT: (*_PERSONS, "parentcustomerid"),
    ACCOUNT: (*_CHANGE, "name", MERGED),
    USER: ("modifiedon", "fullname", "internalemailaddress", "isdisabled"),
    OPPORTUNITY: (
        *(*_CHANGE, "name", "customerid", "parentcontactid", "parentaccountid", ORIGIN),
        *("statecode", "statuscode", "stepname", "estimatedvalue", "actualvalue", "transactioncurrencyid"),
        *("estimatedclosedate", "actualclosedate", "closeprobability"),
    ),
    TASK: (*_TO_DO, "scheduledend"),
    CALL: (*_TO_DO, "scheduledend"),
    MEETING: (*_TO_DO, "scheduledstart"),
    EMAIL: (*_TO_DO, "scheduledend"),
    NOTE: (*_CHANGE, "subject", "objectid"),
    LIST: (*_CHANGE, "listname", "type", "createdfromcode"),
}
"""Attributes that a row is made of, by entity, beside those that are mapped; older versions lack some."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a row needs besides itself. mapped: attributes to show among its values. shapes: those there are.

    contacts: by lead, the contact that has come of it. emails, sources: of people, by id. currencies: ISO
    codes by id. parties: leads and contacts that take part in an activity, by its id.
    """

    mapped: Collection[str] = ()
    shapes: Mapping[str, Attribute] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    emails: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)
    parties: Mapping[str, Sequence[str]] = field(default_factory=dict)


def row_of(entry: Entry, around: Around) -> Row:
    """A row of its kind's class. One that was merged into another is as good as deleted."""
    kind = KINDS[entry.entity]
    record = Record(module=entry.entity, id=entry.id)
    if entry.deleted or entry.values.get(MERGED) is True:
        which = {"kind": PEOPLE[entry.entity]} if entry.entity in PEOPLE else {}
        return _CLASSES[kind](record=record, deleted=True, **which)
    common: _Common = {
        "record": record,
        "values": {name: shown(entry, name, around.shapes.get(name)) for name in around.mapped},
        "owner_id": reference(entry, "ownerid", USER),
        "changed_at": moment(entry.values.get("modifiedon")),
        "version": entry.version,
    }
    return _READERS[kind](common, entry, around)


def emails_of(entry: Entry, names: Collection[str] = EMAILS) -> tuple[str, ...]:
    """A person's addresses in lower case, the primary one first."""
    found = (text(entry.values.get(name)).strip().lower() for name in names)
    return tuple(dict.fromkeys(filter(None, found)))


# Rows -------------------------------------------------------------------------------------------------

_Common = dict[str, Any]


def _person(common: _Common, entry: Entry, around: Around) -> Person:
    """Who is to have no email at all is opted out as much as who is to have none in bulk."""
    is_lead = entry.entity == LEAD
    state = entry.values.get("statecode")
    contact = _contact_of(entry, around) if is_lead and state == QUALIFIED else None
    refusals = [entry.values[name] for name in (NO_BULK_EMAIL, NO_EMAIL) if name in entry.values]
    return Person(
        **common,
        kind=PEOPLE[entry.entity],
        email=next(iter(emails_of(entry, EMAILS[:1])), None),
        emails=emails_of(entry),
        created_at=moment(entry.values.get("createdon")),
        status=word_of(entry, "statuscode", around.shapes.get("statuscode")) or None if is_lead else None,
        open=state in (OPEN, None),
        account_id=reference(entry, "parentcustomerid", ACCOUNT),
        converted_to=Record(module=CONTACT, id=contact) if contact else None,
        opted_out=any(refusals) if refusals else None,
    )


def _contact_of(entry: Entry, around: Around) -> str | None:
    told = (reference(entry, name, CONTACT) for name in BECAME)
    return around.contacts.get(entry.id) or next(filter(None, told), None)


def _account(common: _Common, entry: Entry, around: Around) -> Account:
    return Account(**common, name=text(entry.values.get("name")))


def _user(common: _Common, entry: Entry, around: Around) -> User:
    return User(
        **common,
        name=text(entry.values.get("fullname")),
        email=text(entry.values.get("internalemailaddress")).strip().lower() or None,
        active=entry.values.get("isdisabled") is not True,
    )


def _amount(value: Value) -> str | None:
    return amount(value) if isinstance(value, int | Decimal) else None


def _opportunity(common: _Common, entry: Entry, around: Around) -> Opportunity:
    """Its people: its contacts, and the lead that it has come of. Lead sources are those of its people."""
    contacts = [reference(entry, name, CONTACT) for name in PARTNERS]
    accounts = [reference(entry, name, ACCOUNT) for name in ("parentaccountid", "customerid")]
    people = tuple(dict.fromkeys(filter(None, (*contacts, reference(entry, ORIGIN, LEAD)))))
    emails = [email for key in people for email in around.emails.get(key, ())]
    sources = filter(None, (around.sources.get(key) for key in reversed(people)))
    values, state = entry.values, entry.values.get("statecode")
    won = _amount(values.get("actualvalue")) if state == WON else None
    closed = values.get("actualclosedate") or values.get("estimatedclosedate")
    status = word_of(entry, "statuscode", around.shapes.get("statuscode"))
    return Opportunity(
        **common,
        name=text(values.get("name")),
        contact_ids=people,
        contact_emails=tuple(dict.fromkeys(emails)),
        account_id=next(filter(None, accounts), None),
        # How far an open one has come says its sales process, if it has one; how one has ended its status.
        stage=(text(values.get("stepname")) if state == OPEN else "") or status or None,
        amount=won or _amount(values.get("estimatedvalue")),
        currency=around.currencies.get(reference(entry, "transactioncurrencyid", CURRENCY) or ""),
        close_date=day(closed),
        probability=number_of(values.get("closeprobability")),
        lead_source=next(sources, None),
    )


def _activity(common: _Common, entry: Entry, around: Around) -> CrmActivity:
    values, shapes = entry.values, around.shapes
    regarding = values.get(HANGS_ON[entry.entity])
    about = [regarding.id] if isinstance(regarding, Reference) else []
    return CrmActivity(
        **common,
        type=_TYPES[entry.entity],
        subject=text(values.get("subject")),
        status=word_of(entry, "statuscode", shapes.get("statuscode")) or None,
        priority=word_of(entry, "prioritycode", shapes.get("prioritycode")) or None,
        due_at=moment(values.get("scheduledend") or values.get("scheduledstart")),
        about=tuple(dict.fromkeys((*about, *around.parties.get(entry.id, ())))),
        text=text(values.get(TEXT[entry.entity])),
    )


def _list(common: _Common, entry: Entry, around: Around) -> CrmList:
    """Types as the guide names them; the attribute is a boolean."""
    is_dynamic = entry.values.get("type") is True
    code = entry.values.get("createdfromcode")
    return CrmList(
        **common,
        name=text(entry.values.get("listname")),
        list_type="Dynamic" if is_dynamic else "Static",
        holds=tuple(entity for entity, of in MEMBER_TYPES.items() if of == code),
        closed=IS_DYNAMIC if is_dynamic else "",
    )


_READERS: Mapping[Kind, Callable[[_Common, Entry, Around], Row]] = {
    **dict.fromkeys(PEOPLE.values(), _person),
    "account": _account,
    "user": _user,
    "opportunity": _opportunity,
    "activity": _activity,
    "list": _list,
}
_CLASSES: Mapping[Kind, Callable[..., Row]] = {
    **dict.fromkeys(PEOPLE.values(), Person),
    "account": Account,
    "user": User,
    "opportunity": Opportunity,
    "activity": CrmActivity,
    "list": CrmList,
}
