"""New records: marked in doubt before the call, so that whoever comes after a crash looks first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from leadbus.connector.capabilities import PersonKind
from leadbus.connector.contract import Created, NewPerson
from leadbus.connector.delivering import plan, plan_status, scores
from leadbus.connector.delivering.accounts import Accounts
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.parts import Done
from leadbus.connector.delivering.plan_assignment import rule_owner
from leadbus.connector.delivering.resolving import Resolving
from leadbus.connector.delivering.work import Work
from leadbus.connector.link import Link, LinkState, record_id
from leadbus.connector.stores.mirror import EMAIL, OPTED_OUT, OWNER, STATUS
from leadbus.errors import Conflict, Rejected, Transient, Unsupported
from leadbus.messages import Record

_HIDDEN = (
    "The CRM has the record but does not show it: it may belong to another team by now, or Leadbus's user may"
    " lack the right to read it."
)


@dataclass(slots=True)
class _Planned:
    work: Work
    row: NewPerson
    link: Link


class Creating:
    """See the module."""

    def __init__(self, context: Context, resolving: Resolving) -> None:
        self._context = context
        self._resolving = resolving
        self._accounts = Accounts(context)

    async def run(self, works: Sequence[Work]) -> None:
        """Creates all that the CRM can take; who lacks a field it requires is refused before any call."""
        planned = [made for work in works if (made := self._plan(work)) is not None]
        if self._context.adapter.capabilities.accounts:
            await self._accounts.run([p.work for p in planned if p.row.kind == "contact"])
        planned = [p for p in planned if p.work.error is None]
        if not planned:
            return
        owners = await self._context.owner_ids([p.work for p in planned])
        for each in planned:
            owner = self._owner(each.work, owners)
            each.work.owner_id = owner
            each.row = replace(each.row, owner_id=owner, account_id=each.work.account_id)
            each.work.link = each.link
        await self._context.links.save([p.link for p in planned])
        await self._intend(planned)
        self._context.before_writing()
        await self._take(planned, await self._context.adapter.create([p.row for p in planned]))

    def _plan(self, work: Work) -> _Planned | None:
        context, delivery = self._context, work.delivery
        kind = plan.kind_of(delivery, context.connection)
        generation = 0
        if work.link is not None:
            again = work.link.state is LinkState.UNLINKED
            generation = work.link.generation + again if context.adapter.capabilities.own_ids else 0
            if not again:  # in doubt: the same row as before, whatever has been said since
                kind = context.kind_of(work.link.record)
        record = self._record(work, kind, generation)
        work.object = kind
        try:
            row = plan.new_person(
                delivery,
                context.connection,
                context.adapter.capabilities,
                context.fields,
                record.id,
                kind,
            )
        except Rejected as missing:
            work.error = missing
            return None
        if work.opted_out_there and delivery.consent.opted_out is None:
            row = replace(row, opted_out=True)
        link = context.link(work, record, LinkState.IN_DOUBT, "created")
        return _Planned(work, row, replace(link, generation=generation))

    def _record(self, work: Work, kind: PersonKind, generation: int) -> Record:
        if work.link is not None and work.link.state is LinkState.IN_DOUBT:
            return work.link.record
        connection = self._context.connection
        who = work.delivery.email or work.delivery.prospect_id
        new_id = record_id(connection.organisation_id, connection.settings.team_scope, who, generation)
        return Record(module=self._context.adapter.capabilities.module_of(kind), id=new_id)

    def _owner(self, work: Work, owners: dict[str, str]) -> str | None:
        """None = our own user, also where neither the one asked for nor the main user is an active one."""
        connection = self._context.connection
        wanted = plan.owner_of(work.delivery) or rule_owner(work.delivery, connection, is_there=False)
        if wanted and wanted not in owners:
            work.reasons.append("owned by the main user (no active user of the CRM has the owner's address)")
        return owners.get(wanted or "") or owners.get(connection.settings.main_user or "")

    async def _intend(self, planned: Sequence[_Planned]) -> None:
        """So that none of it is news when it is read."""
        meant = {each.link.record: self._meant(each) for each in planned}
        await self._context.mirror.intend(self._context.connection.id, meant)

    def _meant(self, planned: _Planned) -> dict[str, str]:
        """An opt-out that only the CRM knew is news all the same."""
        row, opted_out = planned.row, planned.work.delivery.consent.opted_out
        capabilities, settings = self._context.adapter.capabilities, self._context.connection.settings
        meant = {**row.values, EMAIL: row.email, OPTED_OUT: "true" if opted_out else "false"}
        if row.kind == "lead":
            meant[STATUS] = capabilities.new_lead_status
        if row.owner_id:
            meant[OWNER] = row.owner_id
        if settings.score_field and row.score is not None:
            meant[settings.score_field] = str(row.score)
        return meant

    def _written(self, work: Work, kind: PersonKind, record: Record) -> Done:
        """A create that was in doubt may have made what was asked for before the state was another.

        A lead begins with the CRM's first status: another one is written next.
        """
        done = plan.record_part(work.delivery, set(work.delivery.fields))
        score, field = work.delivery.score, self._context.connection.settings.score_field
        done.score = scores.written(score, field, now(), record.id) if field else scores.left(score, None)
        begins = (None, self._context.adapter.capabilities.new_lead_status)
        if kind == "lead" and plan_status.wanted(work.delivery, self._context.connection) not in begins:
            done.lead_status = None
        is_as_asked = plan.kind_of(work.delivery, self._context.connection) == kind
        return replace(done, state=done.state if is_as_asked else None, refused=None)

    async def _take(self, planned: Sequence[_Planned], outcomes: Sequence[Created]) -> None:
        there: list[Work] = []
        renamed: dict[Record, Record] = {}
        for each, outcome in zip(planned, outcomes, strict=True):
            work, link = each.work, each.link
            if isinstance(outcome, str):
                if outcome != link.record.id:  # a CRM that gives ids of its own
                    record = Record(module=link.record.module, id=outcome)
                    renamed[link.record], link.record = record, record
                work.created = True
                work.written = self._written(work, each.row.kind, link.record)
                link.state, link.since = LinkState.LINKED, now()
            elif isinstance(outcome, Conflict):
                there.append(work)
            else:
                work.error = outcome
        await self._context.stood_in(renamed)
        if not self._context.adapter.capabilities.own_ids:  # whoever is entered by hand now is none of ours
            refused = [p.link.record for p in planned if isinstance(p.work.error, Rejected | Unsupported)]
            await self._context.mirror.forget(self._context.connection.id, refused)
        await self._resolving.look_up(there)
        for work in there:
            if work.link is not None and work.link.state is LinkState.UNLINKED:
                work.error = Transient(
                    "A deleted record of the CRM, or another person's, has the new one's id."
                )
            elif not work.has_record:
                work.error = Rejected(_HIDDEN)
        await self._context.remember([each.work for each in planned if each.work.has_record])
