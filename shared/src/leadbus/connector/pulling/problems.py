"""Why a row of the CRM cannot be taken in, or not wholly: a table of checks, the first that finds decides.

Pure. Texts name records by module and id, never what stands in them: they reach logs of whoever asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leadbus.connector.capabilities import PEOPLE, Kind
from leadbus.connector.contract import Opportunity, Person, Row
from leadbus.connector.delivering.matching import choose_any
from leadbus.connector.stores.mirror import MirrorRow, RowProblem
from leadbus.connector.taking.known import Known
from leadbus.connector.taking.telling import valid_email
from leadbus.messages import Record

NO_EMAIL, INVALID_EMAIL, SEVERAL_MATCHES = "no_email", "invalid_email", "several_matches"
ACCOUNT_DELETED, ACCOUNT_IN_ERROR = "account_deleted", "account_in_error"

SKIPPED = frozenset({NO_EMAIL, INVALID_EMAIL})
"""Codes of people who make no prospect: counted as skipped, not as refused."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. field: the CRM's name of what to correct. root: the record that is at fault."""

    field: str | None = None
    root: Record | None = None


Finder = Callable[[Row, Kind, Known], Found | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One reason. blocking: the row is not told. {root} and {field} are filled into the sentences."""

    code: str
    kinds: tuple[Kind, ...]
    find: Finder
    reason: str
    advice: str
    blocking: bool


def problem_of(row: Row, kind: Kind, known: Known) -> RowProblem | None:
    """What is wrong with a live row; None = nothing. `since` is the CRM's clock now."""
    for check in CHECKS:
        found = check.find(row, kind, known) if kind in check.kinds else None
        if found is not None:
            root = f"{found.root.module}/{found.root.id}" if found.root else ""
            words = {"root": root, "field": found.field or ""}
            return RowProblem(
                code=check.code,
                object=kind,
                reason=check.reason.format(**words),
                advice=check.advice.format(**words),
                since=known.at,
                field=found.field,
                root=found.root,
                blocking=check.blocking,
            )
    return None


def chosen_of(row: Person, known: Known) -> Record | None:
    """Which record with this email is the prospect's: a linked one, else by the rule of matching.

    A target beside a lead or a contact is no second match, and a lead beside its contact is none either.
    """
    if not row.email or row.converted_to is not None:
        return None
    twins = [*(t for t in known.twins.get(row.email, ()) if t.record != row.record), row]
    live = [t for t in twins if t.converted_to is None and (t.kind == "target") == (row.kind == "target")]
    linked = [twin for twin in live if known.links.get(twin.record.id)]
    chosen = choose_any(linked or live)
    return chosen.record if chosen else None


def _no_email(row: Row, kind: Kind, known: Known) -> Found | None:
    is_without = isinstance(row, Person) and not row.email and not known.links.get(row.record.id)
    return Found("email") if is_without else None


def _invalid_email(row: Row, kind: Kind, known: Known) -> Found | None:
    linked = known.links.get(row.record.id)
    wrong = isinstance(row, Person) and row.email and valid_email(row.email) is None and not linked
    return Found("email") if wrong else None


def _several(row: Row, kind: Kind, known: Known) -> Found | None:
    if not isinstance(row, Person) or known.links.get(row.record.id):
        return None
    chosen = chosen_of(row, known)
    return Found("email", chosen) if chosen not in (None, row.record) else None


def _no_owner(row: Row, kind: Kind, known: Known) -> Found | None:
    return None if row.owner_id else Found("owner")


def _owner(wrong: Callable[[MirrorRow], bool]) -> Finder:
    def find(row: Row, kind: Kind, known: Known) -> Found | None:
        user = known.users.get(row.owner_id or "")
        return Found("owner", user.record) if user is not None and wrong(user) else None

    return find


def _account_of(row: Row, known: Known) -> MirrorRow | None:
    return known.accounts.get(row.account_id or "") if isinstance(row, Person | Opportunity) else None


def _account_deleted(row: Row, kind: Kind, known: Known) -> Found | None:
    account = _account_of(row, known)
    return Found("account", account.record) if account is not None and account.deleted else None


def _account_in_error(row: Row, kind: Kind, known: Known) -> Found | None:
    account = _account_of(row, known)
    wrong = account is not None and account.problem is not None and account.problem.blocking
    return Found("account", account.record) if account is not None and wrong else None


def _contacts_deleted(row: Row, kind: Kind, known: Known) -> Found | None:
    """Of an opportunity that has contacts, none lives."""
    contacts = [known.people.get(key) for key in row.contact_ids] if isinstance(row, Opportunity) else []
    dead = [contact for contact in contacts if contact is not None and contact.deleted]
    return Found("contact", dead[0].record) if dead and len(dead) == len(contacts) else None


def _contact_in_error(row: Row, kind: Kind, known: Known) -> Found | None:
    """A contact waits for its account: so does what depends on it."""
    for key in row.contact_ids if isinstance(row, Opportunity) else ():
        problem = known.people[key].problem if key in known.people else None
        if problem is not None and problem.code in (ACCOUNT_DELETED, ACCOUNT_IN_ERROR):
            return Found("contact", problem.root)
    return None


def _missing(row: Row, kind: Kind, known: Known) -> Found | None:
    """A field that the CRM asks for is empty; who has an account has a company."""
    if not isinstance(row, Person):
        return None
    pairs: Mapping[str, str] = {ours: p.theirs for ours, p in known.fields.pairs.get(kind, {}).items()}
    needed = known.capabilities.required.get(row.kind, frozenset())
    empty = [
        pairs[name]
        for name in sorted(needed)
        if name in pairs and pairs[name] in row.values and not row.values[pairs[name]]
        if not (name == "company" and row.account_id)
    ]
    return Found(empty[0]) if empty else None


CHECKS: tuple[Check, ...] = (
    Check(
        NO_EMAIL,
        PEOPLE,
        _no_email,
        "It has no email address, so that it makes no prospect.",
        "Enter an email address in the CRM; the record is then taken up by itself.",
        True,
    ),
    Check(
        INVALID_EMAIL,
        PEOPLE,
        _invalid_email,
        "What stands in its email field is no email address, so that it makes no prospect.",
        "Correct the email address in the CRM; the record is then taken up by itself.",
        True,
    ),
    Check(
        SEVERAL_MATCHES,
        PEOPLE,
        _several,
        "Several records have its email address; {root} is taken for the person.",
        "Merge the records in the CRM, or give each its own email address.",
        True,
    ),
    Check(
        "no_owner",
        ("account",),
        _no_owner,
        "The account has no user assigned, so that it cannot be synced.",
        "Assign an active user to the account in the CRM; what depends on it follows by itself.",
        True,
    ),
    Check(
        "owner_deleted",
        ("account",),
        _owner(lambda user: user.deleted),
        "The user assigned to the account was deleted, so that it cannot be synced.",
        "Assign an active user to the account in the CRM; what depends on it follows by itself.",
        True,
    ),
    Check(
        "owner_inactive",
        ("account",),
        _owner(lambda user: not user.active),
        "The user assigned to the account is inactive, so that it cannot be synced.",
        "Assign an active user to the account in the CRM, or activate {root}; the rest follows by itself.",
        True,
    ),
    Check(
        ACCOUNT_DELETED,
        ("contact",),
        _account_deleted,
        "Its account {root} was deleted; the person is taken in without a company.",
        "Choose another account in the CRM, or restore the deleted one.",
        False,
    ),
    Check(
        ACCOUNT_IN_ERROR,
        ("contact",),
        _account_in_error,
        "Its account {root} is inactive or cannot be synced; the person is taken in without it.",
        "Correct the account; this record follows by itself.",
        False,
    ),
    Check(
        ACCOUNT_DELETED,
        ("opportunity",),
        _account_deleted,
        "Its account {root} was deleted.",
        "Choose another account in the CRM, or restore the deleted one.",
        True,
    ),
    Check(
        ACCOUNT_IN_ERROR,
        ("opportunity",),
        _account_in_error,
        "Its account {root} is inactive or cannot be synced.",
        "Correct the account; this record follows by itself.",
        True,
    ),
    Check(
        "contact_deleted",
        ("opportunity",),
        _contacts_deleted,
        "Its contact {root} was deleted.",
        "Choose another contact in the CRM, or restore the deleted one.",
        True,
    ),
    Check(
        "contact_in_error",
        ("opportunity",),
        _contact_in_error,
        "Its contact cannot be taken in wholly because of {root}.",
        "Correct that record; this one follows by itself.",
        True,
    ),
    Check(
        "owner_deleted",
        (*PEOPLE, "opportunity"),
        _owner(lambda user: user.deleted),
        "The user it is assigned to was deleted; it is taken in without an owner.",
        "Assign an active user in the CRM.",
        False,
    ),
    Check(
        "owner_inactive",
        (*PEOPLE, "opportunity"),
        _owner(lambda user: not user.active),
        "The user it is assigned to is inactive; it is taken in without an owner.",
        "Assign an active user in the CRM, or activate {root}.",
        False,
    ),
    Check(
        "missing_field",
        PEOPLE,
        _missing,
        "Its required field {field} is empty; the rest is taken in.",
        "Fill the field in the CRM.",
        False,
    ),
)
