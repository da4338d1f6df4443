"""The record of each delivery: by its link, then by email."""

from collections.abc import Sequence
from dataclasses import replace

from leadbus.connector.contract import Person
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.matching import choose, choose_any, rivals
from leadbus.connector.delivering.scores import left
from leadbus.connector.delivering.work import Work
from leadbus.connector.link import Link, LinkState
from leadbus.connector.stores.mirror import STATUS
from leadbus.messages import Record


class Resolving:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self, works: Sequence[Work]) -> None:
        """A create in doubt is looked up before all else; nobody is asked for by email who has a record."""
        settings, organisation = self._context.connection.settings, self._context.connection.organisation_id
        prospects = [w.delivery.prospect_id for w in works]
        links = await self._context.links.of_prospects(organisation, prospects, settings.team_scope)
        for work in works:
            work.link = links.get(work.delivery.prospect_id)
        await self.look_up([w for w in works if w.link and w.link.state is not LinkState.UNLINKED])
        await self._match([w for w in works if not w.has_record])
        await self._first_sight([w for w in works if w.has_record])
        await self._context.remember([w for w in works if w.has_record])

    async def look_up(self, works: Sequence[Work]) -> None:
        """Whether linked records still live, and whether creates in doubt were carried out.

        A lead that has become a contact is followed there. Where the CRM takes no ids of ours, a create in
        doubt can be looked up by email alone.
        """
        own_ids = self._context.adapter.capabilities.own_ids
        works = [w for w in works if w.link and (own_ids or w.link.state is not LinkState.IN_DOUBT)]
        found = await self._context.adapter.read([w.link.record for w in works if w.link]) if works else {}
        became = [row.converted_to for row in found.values() if isinstance(row, Person) and row.converted_to]
        contacts = await self._context.adapter.read(became) if became else {}
        changed: list[Link] = []
        made: dict[Record, Record] = {}
        for work in works:
            link = work.link
            if link is None:
                continue
            row = found.get(link.record.id)
            contact = (
                contacts.get(row.converted_to.id) if isinstance(row, Person) and row.converted_to else None
            )
            if isinstance(contact, Person) and not contact.deleted:
                link.became(contact.record)
                changed.append(link)
                if isinstance(row, Person) and row.email:  # perhaps by a conversion whose answer was lost
                    made[self._context.contact_to_be(row.email)] = contact.record
                row = contact
            elif isinstance(row, Person) and row.converted_to and self._context.adapter.capabilities.converts:
                row = replace(row, deleted=True)  # its contact is, and such a CRM keeps the lead out of sight
            if row is None and link.state is LinkState.IN_DOUBT:
                continue  # never carried out: it is repeated under the same id
            if not isinstance(row, Person) or row.deleted or _is_another(link, work, row):
                link.state, link.since = LinkState.UNLINKED, now()
                changed.append(link)
                continue
            if link.state is LinkState.IN_DOUBT:
                link.state, link.since = LinkState.LINKED, now()
                changed.append(link)
            work.person, work.owner_id = row, row.owner_id
        await self._context.stood_in(made)
        await self._context.links.save(changed)

    async def _match(self, works: Sequence[Work]) -> None:
        """By email; whoever is found nowhere and has used up the right to a record is unlinked."""
        emails = sorted({email for w in works for email in w.delivery.emails})
        found = await self._context.adapter.find_by_email(emails) if emails else {}
        several: set[Record] = set()
        for work in works:
            people = _people(work, found)
            person = choose(people) if work.delivery.may_create else choose_any(people)
            work.opted_out_there = any(one.opted_out for one in people)
            if person is None:
                self._found_nowhere(work)
                continue
            if rivals(people) > 1:
                several |= {rival.record for rival in people}
                work.reasons.append("several open records have this address (the oldest is taken)")
            work.person, work.owner_id = person, person.owner_id
            if work.link is not None and work.link.state is LinkState.IN_DOUBT:
                await self._made_after_all(work.link, person.record)
            elif work.delivery.may_create:
                work.link = self._context.link(work, person.record, LinkState.LINKED, "matched")
        if several:  # whoever reads them reports them: nothing waits for that here
            await self._context.asked.records(self._context.connection.id, several)

    async def _made_after_all(self, link: Link, record: Record) -> None:
        """Nobody was there before the create, somebody is after it: whose reply was lost."""
        await self._context.stood_in({link.record: record})
        link.record, link.state, link.since = record, LinkState.LINKED, now()

    async def _first_sight(self, works: Sequence[Work]) -> None:
        """Status and answer of a record that was there already are no news to whoever reads it later."""
        name = self._context.connection.id
        seen = {
            work.person.record: standing
            for work in works
            if work.person is not None and work.link is not None and (standing := self._standing(work.person))
            if name not in work.link.connections and (work.link.made, work.link.made_by) != ("created", name)
        }
        await self._context.mirror.intend(name, seen)

    def _standing(self, person: Person) -> dict[str, str]:
        field = self._context.connection.settings.answer_field
        has_one = field is not None and field.of == person.kind
        answer = {field.crm_field: person.values.get(field.crm_field, "")} if field and has_one else {}
        return ({STATUS: person.status} if person.status else {}) | answer

    def _found_nowhere(self, work: Work) -> None:
        delivery, score_field = work.delivery, self._context.connection.settings.score_field
        if not delivery.may_create:
            work.written = plan.record_part(delivery, set())
            work.written.score = left(delivery.score, score_field, linked=False)
            work.idle = True  # what was said is kept for the day there is a record
        elif work.link and work.link.state is LinkState.UNLINKED and not delivery.is_new:
            work.written = plan.everything(delivery)
            work.written.spent = True


def _is_another(link: Link, work: Work, row: Person) -> bool:
    """Whether what has the id of a create is a record made for this email long ago that has others by now."""
    addresses = {row.email, *row.emails} - {None}
    return link.state is LinkState.IN_DOUBT and bool(addresses) and addresses.isdisjoint(work.delivery.emails)


def _people(work: Work, found: dict[str, list[Person]]) -> list[Person]:
    """Who has the prospect's present email; only if nobody does, who has a former one."""
    email, *former = work.delivery.emails or [""]
    present = found.get(email, [])
    return present or list({p.record: p for old in former for p in found.get(old, [])}.values())
