"""Leads into contacts: QualifyLead. A qualified lead is read-only and cannot be turned back by us, so that
leads are looked at first, and again after any doubt.

Documented (QualifyLead action): it makes an account, a contact and an opportunity of a lead, each if asked
for. A lead is attached to a contact or an account there is by naming it on the lead before (assumed: the
same fields as in the form's dialogue, since CRM 2013; before, the lead's customer). No opportunity is made:
that is for salespeople to do.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connector_dynamics import faults, values
from connector_dynamics.client import Organisation
from connector_dynamics.looking import Looking
from connector_dynamics.metadata import Metadata
from connector_dynamics.settling import answered
from connector_dynamics.texts import reference, text
from connector_dynamics.translation import ACCOUNT, BECAME, CONTACT, LEAD, QUALIFIED
from connector_dynamics.wire import Entry, Reference, Write
from leadbus.connector.contract import Conversion, Converted
from leadbus.errors import Gone, LeadbusError, OutcomeUnknown, Rejected
from leadbus.messages import Record

_NO_CONTACT = "The lead was qualified in the CRM without becoming a contact."
_ACCOUNT = "parentaccountid"
_COMPANY = "companyname"
_DOUBTFUL = (OutcomeUnknown, Rejected, Gone)
"""Errors after which the lead may be a contact."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """As it stands. contact: what it became, or is to become; contact_field: where that is written."""

    qualified: bool
    contact: str | None
    has_company: bool
    contact_field: str
    has_account_field: bool

    def outcome(self) -> Converted:
        """Of one that is qualified."""
        return Record(module=CONTACT, id=self.contact) if self.contact else Rejected(_NO_CONTACT)


class Converting:
    """Converts for one connection."""

    def __init__(self, organisation: Organisation, metadata: Metadata, looking: Looking) -> None:
        self._organisation = organisation
        self._metadata = metadata
        self._looking = looking

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """The contacts that the leads are now; Gone where there is no lead (any more).

        Raises:
            LeadbusError: the leads cannot be read, or the CRM answers nothing at all.
        """
        leads = await self._look({asked.record.id for asked in conversions})
        results = await asyncio.gather(
            *(self._one(asked, leads.get(asked.record.id)) for asked in conversions)
        )
        return answered(results)

    async def _one(self, asked: Conversion, lead: _Lead | None) -> Converted:
        if lead is None:
            return Gone(faults.DELETED)
        if lead.qualified:
            return lead.outcome()
        try:
            return await self._qualify(asked, lead)
        except _DOUBTFUL as error:
            return await self._look_again(asked, error)
        except LeadbusError as error:
            return error

    async def _qualify(self, asked: Conversion, lead: _Lead) -> Converted:
        await self._attach(asked, lead)
        created = await self._organisation.qualify(
            asked.record.id,
            account=asked.account_id is None and asked.contact is None and lead.has_company,
            contact=asked.contact is None,
            traceparent=asked.traceparent,
        )
        if asked.contact is not None:
            return Record(module=CONTACT, id=asked.contact.id)
        contact = next((made.id for made in created if made.entity == CONTACT), None)
        if contact is None:
            raise faults.UNREADABLE.error(writing=True)
        await self._hand_over(asked, contact, created)
        return Record(module=CONTACT, id=contact)

    async def _attach(self, asked: Conversion, lead: _Lead) -> None:
        named = values.attached(lead.contact_field, asked.contact.id) if asked.contact else {}
        if asked.account_id and lead.has_account_field:
            named[_ACCOUNT] = Reference(ACCOUNT, asked.account_id)
        if named:
            await self._update(LEAD, asked, asked.record.id, named)

    async def _hand_over(self, asked: Conversion, contact: str, created: Sequence[Reference]) -> None:
        """To the lead's owner: what was made belongs to whoever qualifies (assumed). What goes wrong here
        undoes no conversion."""
        whose = values.contact_of_lead(None, asked.owner_id)
        try:
            await self._update(
                CONTACT, asked, contact, values.contact_of_lead(asked.account_id, asked.owner_id)
            )
            for made in created:
                if made.entity == ACCOUNT:
                    await self._update(ACCOUNT, asked, made.id, whose)
        except LeadbusError:
            return

    async def _update(self, entity: str, asked: Conversion, key: str, written: values.Values) -> None:
        if written:
            row = Write(key, written, traceparent=asked.traceparent)
            (outcome,) = await self._organisation.update(entity, [row])
            if outcome is not None:
                raise outcome

    async def _look_again(self, asked: Conversion, error: LeadbusError) -> Converted:
        """The contact, if the lead became one; else what was wrong."""
        try:
            lead = (await self._look({asked.record.id})).get(asked.record.id)
        except LeadbusError:
            return error
        if lead is None or not lead.qualified:
            return error
        if isinstance(error, OutcomeUnknown) and asked.contact is None and lead.contact:  # it was our call
            await self._hand_over(asked, lead.contact, ())
        return lead.outcome()

    async def _look(self, ids: Collection[str]) -> dict[str, _Lead]:
        shapes = await self._metadata.shapes(LEAD)
        fields = [name for name in (*BECAME, _ACCOUNT) if name in shapes]
        entries = await self._organisation.retrieve(LEAD, sorted(ids), ("statecode", _COMPANY, *fields))
        qualified = [entry.id for entry in entries if _is_qualified(entry)]
        contacts = await self._looking.contacts_of(qualified) if qualified else {}
        return {entry.id: _lead(entry, contacts, fields) for entry in entries}


def _lead(entry: Entry, contacts: Mapping[str, str], fields: Collection[str]) -> _Lead:
    told = (reference(entry, name, CONTACT) for name in BECAME)
    return _Lead(
        qualified=_is_qualified(entry),
        contact=contacts.get(entry.id) or next(filter(None, told), None),
        has_company=bool(text(entry.values.get(_COMPANY)).strip()),
        contact_field=next((name for name in BECAME if name in fields), BECAME[-1]),
        has_account_field=_ACCOUNT in fields,
    )


def _is_qualified(entry: Entry) -> bool:
    return entry.values.get("statecode") == QUALIFIED
