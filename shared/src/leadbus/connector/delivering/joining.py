"""Puts people in the campaigns that they take part in, or takes them out, many in one call.

Who takes part in a campaign that is not there (yet) waits for it without being due, see `campaigning`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadbus.connector.campaigning.campaign import CampaignLink
from leadbus.connector.capabilities import RESPONSES
from leadbus.connector.contract import CampaignMember, CampaignThere
from leadbus.connector.delivering.context import Context, now
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.parts import Membership, Parked
from leadbus.connector.delivering.work import Work
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected, Unsupported
from leadbus.messages import Record

MOST_MEMBERS = 400
"""Of one batch, as with activities; the rest goes with the next one."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A membership to be dealt with. record: the person's, as it is now."""

    work: Work
    campaign_id: str
    membership: Membership
    record: Record

    @property
    def records(self) -> list[tuple[Record, bool]]:
        """Who is to be in or out: the lead that it was put in as is out in any case."""
        said, before = self.membership, self.membership.record
        left = [] if before is None or before == self.record else [(before, False)]
        return [(self.record, said.member), *left]

    def dealt_with(self, refused: Parked | None = None) -> None:
        """For this record, until something else is said."""
        done = replace(self.membership, pending=False, waits=False, record=self.record, refused=refused)
        self.work.written.memberships[self.campaign_id] = done

    def waits(self) -> None:
        """For the campaign to be there."""
        self.work.written.memberships[self.campaign_id] = replace(self.membership, waits=True)


class Joining:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._level = context.connection.settings.campaigns
        self._keeps_responses = RESPONSES not in context.adapter.capabilities.cannot

    async def run(self, works: Sequence[Work]) -> None:
        """Works have records that they may write to."""
        asked = [each for work in works for each in _asked(work)]
        if not asked:
            return
        links = await self._links({each.campaign_id for each in asked})
        rows: list[tuple[_Asked, CampaignMember]] = []
        for each in asked:
            link = links.get(each.campaign_id)
            if not each.membership.member and each.membership.record is None:
                each.dealt_with()  # it has never been put in
            elif link is None or link.there is None:
                each.waits()
            elif link.gone:
                each.dealt_with()
            elif len(rows) < MOST_MEMBERS:
                rows += [(each, row) for row in self._rows(each, link.there)]
        if rows:
            await self._put(rows)

    async def _links(self, campaign_ids: set[str]) -> Mapping[str, CampaignLink]:
        """None at the level `none`: what was made before is left as it is."""
        if self._level == "none":
            return {}
        return await self._context.campaigns.links(self._context.connection.id, campaign_ids)

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
        known = await self._context.campaigns.of_tenant(
            connection.settings.tenant_id, {each.campaign_id for each, _ in rows}
        )
        self._context.before_writing()
        outcomes = await self._context.adapter.put_members([row for _, row in rows])
        gone: set[str] = set()
        for (each, row), outcome in zip(rows, outcomes, strict=True):
            campaign = known.get(each.campaign_id)
            name = campaign.facts.name if campaign else each.campaign_id
            if outcome is None or isinstance(outcome, Gone):
                each.dealt_with()
                each.work.changed |= outcome is None
                how = "put in" if row.member else "taken out of"
                if row.record == each.record:
                    each.work.reasons.append(f"{'not ' if outcome else ''}{how} campaign {name}")
                gone |= {each.campaign_id} if outcome and row.member else set()
            elif isinstance(outcome, Rejected | Unsupported | Conflict):
                each.dealt_with(self._refusal(each, name, outcome))
                each.work.reasons.append(f"not put in campaign {name}: {outcome}")
            elif each.work.error is None:
                each.work.error, each.work.object = outcome, "campaign"
        # Writing the campaign again tells whether it is gone, and it is said of the campaign then.
        await self._context.campaigns.mark_due([(connection, name) for name in sorted(gone)])

    def _refusal(self, each: _Asked, name: str, error: LeadbusError) -> Parked:
        return Parked(
            reason=f"The campaign {name} does not take this person: {error}",
            since=now(),
            field=getattr(error, "field", None),
            object="campaign",
            record=each.record.id,
        )


def waiting(delivery: Delivery) -> dict[str, Membership]:
    """What is due of a delivery's memberships, as it waits for campaigns."""
    return {name: replace(m, waits=True) for name, m in delivery.memberships.items() if m.is_due}


def _asked(work: Work) -> Iterator[_Asked]:
    """What was said since, and what was dealt with for another record."""
    if work.record is None:
        return
    for name, membership in sorted(work.delivery.memberships.items()):
        moved = membership.is_in and membership.record != work.record
        if membership.pending or moved:
            yield _Asked(work, name, membership, work.record)
