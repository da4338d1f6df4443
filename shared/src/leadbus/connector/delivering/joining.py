"""Puts people in the campaigns that they take part in, or takes them out, many in one call; lists likewise.

Who takes part in a campaign that is not there (yet) waits for it without being due, see `campaigning`. So
does who is on a list that is pushed to none of the CRM's. Taking somebody off a list leaves the record alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from leadbus.connector.campaigning.campaign import CampaignLink
from leadbus.connector.capabilities import RESPONSES
from leadbus.connector.contract import CampaignMember, CampaignThere
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.listed import is_wanted
from leadbus.connector.delivering.parts import Membership, Parked, list_of
from leadbus.connector.delivering.work import Work
from leadbus.connector.settings.lists import pushes
from leadbus.connector.stores.members import PUT_ON, ListMember
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected, Unsupported
from leadbus.messages import Record

MOST_MEMBERS = 400
"""Of one batch, as with activities; the rest goes with the next one."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A membership to be dealt with, by its name. record: the person's, as it is now."""

    work: Work
    name: str
    membership: Membership
    record: Record

    @property
    def list_id(self) -> str | None:
        """The list here that it is about; None = a campaign."""
        return list_of(self.name)

    @property
    def records(self) -> list[tuple[Record, bool]]:
        """Who is to be in or out: the lead that it was put in as is out in any case."""
        said, before = self.membership, self.membership.record
        left = [] if before is None or before == self.record else [(before, False)]
        return [(self.record, said.member), *left]

    def dealt_with(self, refused: Parked | None = None) -> None:
        """For this record, until something else is said."""
        done = replace(self.membership, pending=False, waits=False, record=self.record, refused=refused)
        self.work.written.memberships[self.name] = done

    def waits(self) -> None:
        """For the campaign or list to be there."""
        self.work.written.memberships[self.name] = replace(self.membership, pending=True, waits=True)


class Joining:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._level = context.connection.settings.campaigns
        self._lists = pushes(context.connection.settings.lists)
        self._keeps_responses = RESPONSES not in context.adapter.capabilities.cannot

    async def run(self, works: Sequence[Work]) -> None:
        """Works whose records were looked for."""
        asked = [each for work in works for each in _asked(work)]
        if not asked:
            return
        names = {each.name for each in asked if each.list_id or self._level != "none"}
        links = await self._context.campaigns.links(self._context.connection.id, names)
        rows: list[tuple[_Asked, CampaignMember]] = []
        for each in asked:
            there = self._place(each, links.get(each.name))
            if there is not None and len(rows) < MOST_MEMBERS:
                rows += [(each, row) for row in self._rows(each, there)]
        if rows:
            await self._put(rows)

    def _place(self, each: _Asked, link: CampaignLink | None) -> CampaignThere | None:
        """Where somebody is to be put in, or out of; None = there is nothing to do now."""
        rule = self._lists.get(each.list_id or "")
        if each.list_id is None and not each.membership.member and each.membership.record is None:
            each.dealt_with()  # it has never been put in
        elif (each.list_id is not None and rule is None) or link is None or link.there is None:
            each.waits()
        elif link.gone or (rule is not None and not is_wanted(rule, each.membership)):
            each.dealt_with()
        elif rule is None:
            return link.there
        elif place := link.place_of(each.record.module):
            return place
        else:
            each.dealt_with(self._unfit(each, rule.list))
        return None

    def _rows(self, each: _Asked, there: CampaignThere) -> list[CampaignMember]:
        said = each.membership
        return [
            CampaignMember(
                campaign=there,
                record=record,
                member=is_member,
                response=said.response if is_member and self._keeps_responses else None,
                traceparent=each.work.delivery.traceparent,
            )
            for record, is_member in each.records
        ]

    async def _put(self, rows: Sequence[tuple[_Asked, CampaignMember]]) -> None:
        connection = self._context.connection
        titles = await self._titles({each.name for each, _ in rows})
        self._context.before_writing()
        outcomes = await self._context.adapter.put_members([row for _, row in rows])
        gone: set[str] = set()
        done: list[tuple[_Asked, CampaignMember]] = []
        for (each, row), outcome in zip(rows, outcomes, strict=True):
            title = titles[each.name]
            if outcome is None or isinstance(outcome, Gone):
                each.dealt_with()
                each.work.changed |= outcome is None
                if row.record == each.record:
                    each.work.reasons.append(f"{'not ' if outcome else ''}{_how(each, row)} {title}")
                if outcome is None:
                    done.append((each, row))
                elif row.member:
                    gone.add(each.name)
                    if each.list_id:  # another one of that name may be made
                        each.waits()
            elif isinstance(outcome, Rejected | Unsupported | Conflict):
                each.dealt_with(self._refusal(each, title, outcome))
                each.work.reasons.append(f"not {_how(each, row)} {title}: {outcome}")
            elif each.work.error is None:
                each.work.error, each.work.object = outcome, "list" if each.list_id else "campaign"
        await self._remember(done)
        # Writing the campaign again tells whether it is gone, and it is said of the campaign then.
        await self._context.campaigns.mark_due([(connection, name) for name in sorted(gone)])

    async def _titles(self, names: set[str]) -> dict[str, str]:
        """In the words of people, as the journey tells of them."""
        campaigns = {name for name in names if list_of(name) is None}
        tenant = self._context.connection.settings.tenant_id
        known = await self._context.campaigns.of_tenant(tenant, campaigns) if campaigns else {}
        titles = {name: f"campaign {known[name].facts.name if name in known else name}" for name in campaigns}
        lists = {name: self._lists[list_id] for name in names if (list_id := list_of(name)) is not None}
        return titles | {name: f"list {rule.list}" for name, rule in lists.items()}

    async def _remember(self, done: Sequence[tuple[_Asked, CampaignMember]]) -> None:
        """What we have done about a list is no news when it is read."""
        connection = self._context.connection
        on: list[ListMember] = []
        off: list[ListMember] = []
        for each, row in done:
            if each.list_id is None:
                continue
            delivery, list_id = each.work.delivery, row.campaign.record.id
            member = ListMember(
                connection.id, list_id, row.record, PUT_ON, delivery.prospect_id, delivery.email
            )
            (on if row.member else off).append(member)
        if self._context.members is not None:
            await self._context.members.put_on(on)
            await self._context.members.forget(off)

    def _unfit(self, each: _Asked, name: str) -> Parked:
        kind = self._context.kind_of(each.record)
        return Parked(
            reason=f"The list {name} holds another kind of people, and this person is a {kind} in the CRM.",
            since=now(),
            object="list",
            record=each.record.id,
        )

    def _refusal(self, each: _Asked, title: str, error: LeadbusError) -> Parked:
        return Parked(
            reason=f"The {title} does not take this person: {error}",
            since=now(),
            field=getattr(error, "field", None),
            object="list" if each.list_id else "campaign",
            record=each.record.id,
        )


def waiting(delivery: Delivery) -> dict[str, Membership]:
    """What is due of a delivery's memberships, as it waits for campaigns."""
    return {name: replace(m, waits=True) for name, m in delivery.memberships.items() if m.is_due}


def _how(each: _Asked, row: CampaignMember) -> str:
    if each.list_id:
        return "put on" if row.member else "taken off"
    return "put in" if row.member else "taken out of"


def _asked(work: Work) -> Iterator[_Asked]:
    """What was said since, and what was dealt with for another record.

    Who may not be written to, or has no record, can only leave lists.
    """
    delivery, record = work.delivery, work.record
    is_complete = work.has_record and delivery.may_create and work.is_shown
    for name, membership in sorted(delivery.memberships.items()):
        was = membership.record
        moved = membership.member and not membership.pending and was is not None and was != record
        leaves = membership.is_due and not membership.member and list_of(name) is not None
        if is_complete and record is not None:
            if membership.pending or moved:
                yield _Asked(work, name, membership, record)
        elif leaves and work.error is None and record is not None:
            yield _Asked(work, name, membership, record)
        elif leaves and work.error is None:  # nobody is there who could be on it
            work.written.memberships[name] = replace(membership, pending=False)
