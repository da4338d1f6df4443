"""Leads whose prospect is a client here become contacts in the CRM; back again is for the CRM to refuse."""

from collections.abc import Sequence

from leadbus.connector.capabilities import CONVERTING, TURNING_BACK, PersonKind
from leadbus.connector.contract import Account, Conversion, Converted, Person
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.matching import choose
from leadbus.connector.delivering.parts import Parked
from leadbus.connector.delivering.work import Work
from leadbus.connector.stores.mirror import ANY, CONVERTED, EMAIL, OPTED_OUT, STATUS
from leadbus.errors import Conflict, LeadbusError, OutcomeUnknown, Rejected, Transient, Unsupported
from leadbus.messages import Record

_REFUSALS = {
    "contact": (CONVERTING, "This CRM cannot turn a lead into a contact."),
    "lead": (TURNING_BACK, "This CRM cannot turn a contact back into a lead."),
}
_CONTACTS: tuple[PersonKind, ...] = ("contact",)
_NOT_SHOWN = "The CRM does not show the contact that it says it has made of a lead."
_ADVICE = "The record stays what it is, and everything else about this person is still written to it."


class Converting:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, works: Sequence[Work]) -> None:
        """Works have records. A contact that takes the place of a lead is what the rest is written to."""
        leads: list[Work] = []
        for work in works:
            wanted = plan.wanted_kind(work.delivery, matched=work.outcome == "matched")
            if work.person is None or wanted in (None, work.person.kind) or work.person.kind == "target":
                continue
            if wanted == "contact" and self._context.adapter.capabilities.converts:
                leads.append(work)
            else:
                self._refuse(work, work.person, wanted or "lead")
        if leads:
            await self._convert(leads)

    def _refuse(self, work: Work, person: Person, wanted: PersonKind) -> None:
        which, sentence = _REFUSALS[wanted]
        reason = f"{self._context.adapter.capabilities.cannot.get(which, sentence)} {_ADVICE}"
        work.refused = Parked(reason=reason, since=now(), object=person.kind, record=person.record.id)
        work.reasons.append(f"not made a {wanted}: {reason}")

    def _refused_for_now(self, work: Work, error: LeadbusError) -> None:
        """Until the lead is corrected: it is its own root."""
        lead = work.person.record.id if work.person else None
        field = getattr(error, "field", None)
        reason = f"{error} {_ADVICE}"
        work.refused = Parked(reason=reason, since=now(), field=field, object="lead", record=lead, root=lead)
        work.reasons.append(f"not made a contact: {reason}")

    async def _convert(self, works: Sequence[Work]) -> None:
        contacts = await self._contacts(works)
        accounts = await self._accounts(works)
        leads = [work.person for work in works if work.person is not None]
        stand_ins = [self._context.contact_to_be(lead.email) if lead.email else None for lead in leads]
        rows = [
            Conversion(
                record=person.record,
                contact=contacts.get(person.email or ""),
                account_id=accounts.get(person.record.id),
                owner_id=person.owner_id,
                traceparent=work.delivery.traceparent,
            )
            for work, person in zip(works, leads, strict=True)
        ]
        await self._intend(works, stand_ins)
        self._context.before_writing()
        outcomes = await self._context.adapter.convert(rows)
        await self._intend(works, [o if isinstance(o, Record) else None for o in outcomes])
        await self._context.mirror.forget(self._context.connection.id, filter(None, stand_ins))
        await self._take_back(
            [lead.record for lead, o in zip(leads, outcomes, strict=True) if _is_refusal(o)]
        )
        done: list[tuple[Work, Record]] = []
        for work, outcome in zip(works, outcomes, strict=True):
            if isinstance(outcome, Rejected | Unsupported | Conflict):
                self._refused_for_now(work, outcome)
            elif isinstance(outcome, LeadbusError):
                work.error, work.object, work.unconverted = outcome, "lead", True
            else:
                done.append((work, outcome))
        await self._follow(done)

    async def _contacts(self, works: Sequence[Work]) -> dict[str, Record]:
        """Contacts with a lead's email: the lead becomes that one, and not a second."""
        emails = sorted({work.person.email for work in works if work.person and work.person.email})
        found = await self._context.adapter.find_by_email(emails) if emails else {}
        chosen = {email: choose(people, _CONTACTS) for email, people in found.items()}
        return {email: person.record for email, person in chosen.items() if person is not None}

    async def _accounts(self, works: Sequence[Work]) -> dict[str, str]:
        """Accounts with the name of a lead's company, by the lead's id; the CRM makes the others."""
        pair = self._context.fields.pairs.get("lead", {}).get("company")
        if pair is None or not self._context.adapter.capabilities.accounts:
            return {}
        named = {w.person.record.id: w.person.values.get(pair.theirs, "").strip() for w in works if w.person}
        names = sorted(set(filter(None, named.values())))
        found = await self._context.adapter.find_accounts(names) if names else {}
        return {lead: _first(found[name]) for lead, name in named.items() if found.get(name)}

    async def _intend(self, works: Sequence[Work], contacts: Sequence[Record | None]) -> None:
        """Conversion and status of the lead, and the contact that comes of it, are no news when read.

        Nor is that the contact is opted out, unless only the CRM knew.
        """
        meant: dict[Record, dict[str, str]] = {}
        for work, contact in zip(works, contacts, strict=True):
            if work.person is not None:
                meant[work.person.record] = {CONVERTED: ANY, STATUS: ANY}
                if contact is not None:
                    known = {OPTED_OUT: "true"} if work.delivery.consent.opted_out else {}
                    meant[contact] = {EMAIL: work.person.email or "", **known}
        await self._context.mirror.intend(self._context.connection.id, meant)

    async def _take_back(self, leads: Sequence[Record]) -> None:
        """Whoever converts these after all, it is not us."""
        await self._context.mirror.intend(
            self._context.connection.id, {lead: {CONVERTED: ""} for lead in leads}
        )

    async def _follow(self, done: Sequence[tuple[Work, Record]]) -> None:
        """The link moves to the contact, which is read: what is owed is compared with what it has."""
        if not done:
            return
        for work, contact in done:
            if work.link is not None and work.has_record:
                work.link.became(contact)
        await self._context.links.save([w.link for w, _ in done if w.link is not None and w.has_record])
        found = await self._context.adapter.read([contact for _, contact in done])
        for work, contact in done:
            row, lead = found.get(contact.id), work.person
            if not isinstance(row, Person) or row.deleted:
                work.person, work.error, work.unconverted = None, Transient(_NOT_SHOWN), True
                continue
            work.lead_opted_out = lead is not None and plan.keeps_opt_out(work.delivery, lead)
            work.person, work.owner_id, work.changed = row, row.owner_id, True
            work.reasons.append("the lead became a contact")


def _first(accounts: Sequence[Account]) -> str:
    return min(account.record.id for account in accounts)


def _is_refusal(outcome: Converted) -> bool:
    """Whether the lead has not become a contact, for certain."""
    return isinstance(outcome, LeadbusError) and not isinstance(outcome, OutcomeUnknown | Transient)
