"""Works off due deliveries of one connection, many in one call: resolve, create, update, add, settle.

Each step leaves its result on the pieces of work, so that neither one refused row nor one broken call
costs the others what was achieved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from leadbus.connector import plan
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, Person
from leadbus.connector.delivery import Delivery, Done
from leadbus.connector.link import Link, LinkState, Made, record_id
from leadbus.connector.matching import choose
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.pulls import Pulls, Values
from leadbus.errors import Conflict, Fenced, LeadbusError, Transient
from leadbus.messages import Record
from leadbus.telemetry.propagation import trace_id_of

Outcome = Literal["created", "matched", "updated", "parked", "unlinked"]

MOST_NOTES = 200
"""Of one batch: new leads do not wait behind hundreds of activities; the rest goes with the next one."""


@dataclass(slots=True)
class Work:
    """One delivery under way.

    error: what keeps something of it from being done. created: just now, with all that is known.
    changed: an existing record was. written: what is dealt with. activities: how many reached the CRM.
    """

    delivery: Delivery
    link: Link | None = None
    error: LeadbusError | None = None
    created: bool = False
    changed: bool = False
    written: Done = field(default_factory=Done)
    activities: int = 0

    @property
    def has_record(self) -> bool:
        """Whether there is a record to write to."""
        return self.link is not None and self.link.state is LinkState.LINKED

    @property
    def outcome(self) -> Outcome:
        """How the link came about, until that is told: a crash in between makes it no other outcome."""
        if self.written.spent:
            return "unlinked"
        if self.link is None or not self.has_record or self.link.made_by != self.delivery.connection_id:
            return "updated"
        return self.link.made if self.link.since != self.delivery.told else "updated"


class WorkOff:
    """One connection's way of working off, for as long as its settings stay what they are."""

    def __init__(
        self,
        connection: Connection,
        adapter: Adapter,
        *,
        links: Links,
        pulls: Pulls,
        holds_lease: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._adapter = adapter
        self._links = links
        self._pulls = pulls
        self._holds_lease = holds_lease

    async def run(self, works: Sequence[Work]) -> None:
        """Carries the pieces as far as they go; no email may occur twice among them.

        Raises:
            Fenced: the lease has ended; another pod may be at work.
            LeadbusError: a whole call failed; what was achieved before is on the pieces.
        """
        await self._resolve(works)
        await self._create([w for w in works if not w.has_record and not w.written.spent])
        await self._update([w for w in works if w.has_record and not w.created])
        await self._add_activities([w for w in works if w.has_record])

    def _before_writing(self) -> None:
        if not self._holds_lease():
            raise Fenced("Another pod may work this CRM organisation by now.")

    async def _resolve(self, works: Sequence[Work]) -> None:
        """The record of each: by link, then by email. A create in doubt is looked up before all else."""
        organisation = self._connection.organisation_id
        links = await self._links.of_prospects(organisation, [w.delivery.prospect_id for w in works])
        for work in works:
            work.link = links.get(work.delivery.prospect_id)
        await self._look_up([w for w in works if w.link and w.link.state is not LinkState.UNLINKED])
        await self._match([w for w in works if not w.has_record])
        await self._remember([w for w in works if w.has_record])

    async def _look_up(self, works: Sequence[Work]) -> None:
        """Whether linked records still live, and whether creates in doubt were carried out."""
        found = await self._adapter.read([w.link.record for w in works if w.link]) if works else {}
        changed: list[Link] = []
        seen: dict[Record, Values] = {}
        for work in works:
            link = work.link
            if link is None:
                continue
            person = found.get(link.record.id)
            if person is None and link.state is LinkState.IN_DOUBT:
                continue  # never carried out: `_create` repeats it under the same id
            if person is None or person.deleted:
                link.state, link.since = LinkState.UNLINKED, _now()
                changed.append(link)
                continue
            if link.state is LinkState.IN_DOUBT:
                link.state, link.since = LinkState.LINKED, _now()
                changed.append(link)
            if self._connection.id not in {link.made_by, *link.connections}:
                seen[person.record] = _values(person)
        await self._pulls.remember(self._connection.id, seen)
        await self._links.save(changed)

    async def _match(self, works: Sequence[Work]) -> None:
        """By email; whoever is found nowhere and has used up the right to a record is unlinked."""
        emails = sorted({w.delivery.email for w in works if w.delivery.email})
        found = await self._adapter.find_by_email(emails) if emails else {}
        seen: dict[Record, Values] = {}
        for work in works:
            person = choose(found.get(work.delivery.email or "", ()))
            if person is not None:
                seen[person.record] = _values(person)
                work.link = self._link(work, person.record, LinkState.LINKED, "matched")
            elif work.link and work.link.state is LinkState.UNLINKED and not work.delivery.is_new:
                work.written = plan.everything(work.delivery)
                work.written.spent = True
        await self._pulls.remember(self._connection.id, seen)

    async def _create(self, works: Sequence[Work]) -> None:
        """Marked in doubt before the call, so that whoever comes after a crash looks before it creates."""
        if not works:
            return
        self._before_writing()
        capabilities, kind = self._adapter.capabilities, self._connection.settings.record_as
        rows = []
        for work in works:
            again = work.link is not None and work.link.state is LinkState.UNLINKED
            generation = (work.link.generation + again) if work.link else 0
            who = work.delivery.email or work.delivery.prospect_id
            new_id = record_id(self._connection.organisation_id, who, generation)
            record = Record(module=capabilities.modules[kind], id=new_id)
            work.link = replace(
                self._link(work, record, LinkState.IN_DOUBT, "created"), generation=generation
            )
            rows.append(plan.new_person(work.delivery, self._connection, new_id))
        links = [w.link for w in works if w.link]
        await self._links.save(links)
        ours: Values = {"status": capabilities.new_lead_status}
        await self._pulls.remember(self._connection.id, {link.record: ours for link in links})
        there: list[Work] = []
        for work, outcome in zip(works, await self._adapter.create(rows), strict=True):
            if outcome is None and work.link:
                work.created = True
                everything = plan.everything(work.delivery)
                work.written.fields, work.written.score_version = everything.fields, everything.score_version
                work.link.state, work.link.since = LinkState.LINKED, _now()
            elif isinstance(outcome, Conflict):
                there.append(work)
            else:
                work.error = outcome
        await self._look_up(there)
        for work in there:
            if not work.has_record:
                work.error = Transient("A deleted record of the CRM has the new one's id.")
        await self._remember([work for work in works if work.has_record])

    async def _update(self, works: Sequence[Work]) -> None:
        changes = [
            (w, c)
            for w in works
            if w.link and (c := plan.person_change(w.delivery, self._connection, w.link))
        ]
        if changes:
            self._before_writing()
            outcomes = await self._adapter.update([change for _, change in changes])
            for (work, _), outcome in zip(changes, outcomes, strict=True):
                work.error, work.changed = outcome, outcome is None
        for work in works:
            if work.error is None:
                everything = plan.everything(work.delivery)
                work.written.fields, work.written.score_version = everything.fields, everything.score_version

    async def _add_activities(self, works: Sequence[Work]) -> None:
        rows = []
        for work in works:
            work.written.activities = plan.unwanted(work.delivery, self._connection)
            if work.link:
                notes = plan.new_activities(work.delivery, self._connection, work.link)
                rows += [(work, done, note) for done, note in notes]
        rows = rows[:MOST_NOTES]
        if not rows:
            return
        self._before_writing()
        outcomes = await self._adapter.add_activities([note for _, _, note in rows])
        for (work, done, _), outcome in zip(rows, outcomes, strict=True):
            if outcome is None or isinstance(outcome, Conflict):
                work.activities += 1
                work.written.activities |= done.activities
                work.written.older = done.older or work.written.older
            else:
                work.error = work.error or outcome

    async def _remember(self, works: Sequence[Work]) -> None:
        """Who delivers to each record, and where its lead came from."""
        changed: list[Link] = []
        for work in works:
            if work.link is None:
                continue
            origins = [c.origin for c in work.delivery.creators.values() if c.origin]
            trace_id = trace_id_of(work.delivery.traceparent)
            is_news = work.link.remember(self._connection.id, origins, trace_id)
            if is_news or work.outcome != "updated":
                changed.append(work.link)
        await self._links.save(changed)

    def _link(self, work: Work, record: Record, state: LinkState, made: Made) -> Link:
        """To another record than before, perhaps; where the lead came from stays."""
        if work.link is not None:
            return replace(
                work.link, record=record, state=state, since=_now(), made=made, made_by=self._connection.id
            )
        return Link(
            organisation_id=self._connection.organisation_id,
            prospect_id=work.delivery.prospect_id,
            tenant_id=work.delivery.tenant_id,
            record=record,
            state=state,
            since=_now(),
            made=made,
            made_by=self._connection.id,
        )


def _values(person: Person) -> Values:
    return {"status": person.status}


def _now() -> datetime:
    """In milliseconds, as MongoDB keeps it: compared with what was read back."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
