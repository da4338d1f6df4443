"""What converting a lead does: an account and a contact of it, a deal if one is wished, and who has it now.

Source: Zoho's documentation and the contract notes: without ids the contact is the one with the lead's email,
else the one of its name, and the account is the one named as the lead's company. Assumed: a name does not
count against a different email; a contact that was there keeps what it has and gets what it lacks; a value
that a unique field of contacts has already refuses the conversion; notes, activities and campaigns go to the
contact, without a new Modified_Time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from . import moments
from .errors import RowError
from .mapping import CONVERT
from .site import Site
from .store import Record, Row

_ACTIVITIES = ("Tasks", "Calls", "Events")
_UTC = ZoneInfo("UTC")
PLACE = "$.data[0]"


@dataclass(frozen=True, slots=True)
class Wish:
    """contact, account: existing ones to attach to. deal: values as stored. owner: of what is made, None =
    the lead's. overwrite: the contact changes its account. tags: names to carry over, by module."""

    contact: Record | None = None
    account: Record | None = None
    deal: Row | None = None
    owner: str | None = None
    overwrite: bool = False
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Converted:
    contact: Record
    account: Record | None
    deal: Record | None

    def by_module(self) -> dict[str, Record | None]:
        return {"Contacts": self.contact, "Deals": self.deal, "Accounts": self.account}


@dataclass(frozen=True, slots=True)
class Converter:
    """by: the user who does it."""

    site: Site
    by: str
    traceparent: str | None = None

    def convert(self, lead: Record, wish: Wish) -> Converted:
        """Raises RowError before anything is written."""
        store = self.site.store
        known = wish.contact or self.matching_contact(lead)
        if wish.contact is None:
            self._check_unique(lead)
        self._check_rules(lead)
        with store.transaction():
            account = self._account(lead, known, wish)
            contact = self._contact(lead, known, account, wish)
            deal = self._deal(lead, contact, account, wish)
            made = Converted(contact, account, deal)
            self._mark(lead, made)
            self._move(lead, made)
        return made

    def matching_contact(self, lead: Record) -> Record | None:
        store, email = self.site.store, lead.values.get("Email")
        here = "module = 'Contacts' AND deleted IS NULL"
        if email and (found := store.find(f"{here} AND email = ?", (email,), limit=1)):
            return found[0]
        account = self.matching_account(lead)
        same = [
            contact
            for contact in store.find(f"{here} AND name = ?", (self._name(lead),))
            if not (email and contact.values.get("Email"))
        ]
        of_company = [contact for contact in same if account and _account_of(contact) == account.id]
        return next(iter(of_company or same), None)

    def matching_account(self, lead: Record) -> Record | None:
        company = lead.values.get("Company")
        where = "module = 'Accounts' AND deleted IS NULL AND name = ?"
        found = self.site.store.find(where, (company,), limit=1) if company else []
        return found[0] if found else None

    def _name(self, lead: Record) -> str:
        return self.site.store.names([lead.id])[lead.id]

    def _check_unique(self, lead: Record) -> None:
        """Raises DUPLICATE_DATA: a contact has a value that only one may have, and has to be named."""
        module = self.site.store.modules["Contacts"]
        values = _mapped(lead, "Contacts")
        for name in module.checked_for_duplicates:
            if values.get(name) is None:
                continue
            where = f"module = 'Contacts' AND deleted IS NULL AND json_extract(body, '$.\"{name}\"') = ?"
            if self.site.store.find(f"{where} COLLATE NOCASE", (values[name],), limit=1):
                raise RowError("DUPLICATE_DATA", {"api_name": name, "json_path": f"{PLACE}.Contacts"})

    def _check_rules(self, lead: Record) -> None:
        """Raises INVALID_DATA if a validation rule refuses what becomes of the lead (assumed)."""
        for rule in self.site.refusals:
            values = _mapped(lead, rule.module) if rule.module in CONVERT else {}
            if str(values.get(rule.field)) == rule.value:
                self.site.refused_rows += 1
                place = {"api_name": rule.field, "json_path": f"{PLACE}.{rule.module}"}
                raise RowError("INVALID_DATA", place, "a validation rule refuses the value")

    def _account(self, lead: Record, known: Record | None, wish: Wish) -> Record | None:
        if wish.account is not None:
            return wish.account
        if known is not None and not wish.overwrite and (kept := _account_of(known)):
            return self.site.store.get("Accounts", kept)
        found = self.matching_account(lead)
        if found is not None or not lead.values.get("Company"):
            return found
        return self._made("Accounts", lead, wish, {})

    def _contact(self, lead: Record, known: Record | None, account: Record | None, wish: Wish) -> Record:
        own: Row = {"Account_Name": account.id} if account else {}
        if known is None:
            return self._made("Contacts", lead, wish, own)
        missing = {
            name: value for name, value in _mapped(lead, "Contacts").items() if known.values.get(name) is None
        }
        changed = missing | _tags(lead, known, wish)
        if wish.overwrite or not _account_of(known):
            changed |= own
        if changed:
            self.site.store.save(known, self.by, changed)
        return known

    def _deal(self, lead: Record, contact: Record, account: Record | None, wish: Wish) -> Record | None:
        if wish.deal is None:
            return None
        own: Row = {"Contact_Name": contact.id, **({"Account_Name": account.id} if account else {})}
        return self._made("Deals", lead, wish, own | wish.deal)

    def _made(self, module: str, lead: Record, wish: Wish, also: Row) -> Record:
        values = {"Owner": wish.owner or lead.values.get("Owner"), **_mapped(lead, module), **also}
        new = Record("", module, values)
        return self.site.store.add(module, values | _tags(lead, new, wish), self.by, self.traceparent)

    def _mark(self, lead: Record, made: Converted) -> None:
        """No event is told of it: Zoho's documentation names none."""
        store = self.site.store
        lead.modified, lead.modified_by, lead.changed_ms = store.now(), self.by, store.now_ms()
        lead.converted = True
        lead.values |= {
            "Converted__s": True,
            "Converted_Date_Time": moments.stored(moments.shown(lead.modified, _UTC)),
            "Converted_Contact": made.contact.id,
            "Converted_Account": made.account and made.account.id,
            "Converted_Deal": made.deal and made.deal.id,
        }
        store.write(lead)

    def _move(self, lead: Record, made: Converted) -> None:
        store, contact = self.site.store, made.contact.id
        about = made.deal or made.account
        what: Row = {"What_Id": about.id, "$se_module": about.module} if about else {"What_Id": None}
        moves: list[tuple[str, str, Row]] = [
            ("Notes", "Parent_Id", {"Parent_Id": contact, "$se_module": "Contacts"}),
            *((module, "What_Id", {"Who_Id": contact, **what}) for module in _ACTIVITIES),
        ]
        for module, pointer, values in moves:
            where = f"module = ? AND json_extract(body, '$.{pointer}') = ?"
            for record in store.find(where, (module, lead.id)):
                record.values |= values
                store.write(record)
        store.execute(
            "UPDATE OR IGNORE members SET module = 'Contacts', person = ? WHERE person = ?",
            (int(contact), int(lead.id)),
        )


def _mapped(lead: Record, module: str) -> Row:
    values = ((theirs, lead.values.get(ours)) for ours, theirs in CONVERT[module].items())
    return {name: value for name, value in values if value is not None}


def _tags(lead: Record, record: Record, wish: Wish) -> Row:
    """Those of the lead's tags that are to be carried over."""
    has: list[str] = lead.values.get("Tag") or []
    kept = [name for name in wish.tags.get(record.module, ()) if name in has]
    if not kept:
        return {}
    return {"Tag": [*dict.fromkeys([*(record.values.get("Tag") or []), *kept])]}


def _account_of(contact: Record) -> Any:
    return contact.values.get("Account_Name")
