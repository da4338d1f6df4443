"""Campaigns, and who is in them: on two marketing lists of each, as a list holds one kind of people.

Documented (campaign and list entities, AddItemCampaign, AddListMembersList): a campaign has its members by
the lists that were added to it. All is made under ids that follow from the campaign's, so that nothing is
made twice. What people do there with a list stays as it is: none is renamed, or made again once deleted.
That somebody who is on a list already may be put on it again is assumed (contract notes).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from connector_dynamics import campaign_values, faults
from connector_dynamics.client import Organisation
from connector_dynamics.metadata import Metadata
from connector_dynamics.settling import OF_ROWS, answered
from connector_dynamics.texts import text
from connector_dynamics.translation import CAMPAIGN, CAMPAIGN_ITEM, CURRENCY, LIST, PEOPLE
from connector_dynamics.values import Shapes
from connector_dynamics.wire import Condition, Filter, Query, Write
from leadbus.connector.contract import (
    CampaignAsSent,
    CampaignMember,
    CampaignThere,
    Outcome,
    WrittenCampaign,
)
from leadbus.connector.together import chunks
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected
from leadbus.ids import derived_id
from leadbus.messages import Record

MOST_MEMBERS = 200
"""That are put on a list in one call."""
_LIST_GONE = (
    "The marketing list that holds the campaign's members was deleted in the CRM: nobody can be put in the"
    " campaign any more."
)
_NO_CURRENCY = (
    "The CRM does not have the currency {} that the campaign's budget is in: add it in Dynamics under"
    " Settings > Business Management > Currencies."
)


def list_of(campaign_id: str, entity: str) -> str:
    """The id of the list that holds a campaign's leads, or contacts."""
    return derived_id(campaign_id, LIST, entity)


def there(campaign_id: str) -> CampaignThere:
    """A campaign of this id with its lists."""
    lists = tuple(Record(module=LIST, id=list_of(campaign_id, entity)) for entity in PEOPLE)
    return CampaignThere(Record(module=CAMPAIGN, id=campaign_id), lists)


def _row(sent: CampaignAsSent, currencies: Mapping[str, str], shapes: Shapes) -> Write:
    """Raises Rejected."""
    currency = currencies.get(sent.currency or "")
    if sent.budget and currency is None:
        raise Rejected(_NO_CURRENCY.format(sent.currency), "transactioncurrencyid")
    values = campaign_values.campaign(sent, currency, shapes)
    return Write(sent.there.record.id if sent.there else sent.id, values, traceparent=sent.traceparent)


async def _sent(
    send: Callable[[Sequence[Write]], Awaitable[Sequence[Outcome]]],
    rows: Mapping[int, Write],
    places: Sequence[int],
) -> dict[int, Outcome]:
    """What became of some of the rows; what went wrong with the whole call went wrong with each of them."""
    try:
        outcomes = await send([rows[at] for at in places]) if places else ()
    except LeadbusError as error:
        outcomes = [error] * len(places)
    return dict(zip(places, outcomes, strict=True))


class Campaigns:
    """Of one connection."""

    def __init__(self, organisation: Organisation, metadata: Metadata) -> None:
        self._organisation = organisation
        self._metadata = metadata
        self._currencies: dict[str, str] = {}

    async def write(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`. One whose lists could not be made answers why, and is completed when asked again."""
        currencies = await self._currencies_of(campaigns)
        shapes = await self._metadata.shapes(CAMPAIGN)
        outcomes: dict[int, Outcome] = {}
        rows: dict[int, Write] = {}
        for at, sent in enumerate(campaigns):
            try:
                rows[at] = _row(sent, currencies, shapes)
            except Rejected as refused:
                outcomes[at] = refused
        new = [at for at in rows if campaigns[at].there is None]
        outcomes |= await _sent(self._create, rows, new)
        again = [at for at in new if isinstance(outcomes[at], Conflict)]
        known = [at for at in rows if campaigns[at].there is not None]
        outcomes |= await _sent(self._change, rows, [*known, *again])
        made = [at for at in new if outcomes[at] is None]
        lists = await self._with_lists([campaigns[at] for at in made], {campaigns[at].id for at in again})
        outcomes |= zip(made, lists, strict=True)
        return answered([outcomes[at] or sent.there or there(sent.id) for at, sent in enumerate(campaigns)])

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`. As many as there are of a list in one call; responses are kept nowhere."""
        groups: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
        for at, member in enumerate(members):
            entity, of = member.record.module, member.campaign.record
            # A list that is no campaign's stands for itself.
            list_id = of.id if of.module == LIST else list_of(of.id, entity)
            groups[list_id, entity, member.member].append(at)
        parts = [(of, some) for of, places in groups.items() for some in chunks(places, MOST_MEMBERS)]
        found = await asyncio.gather(*(self._put(*of, [members[at] for at in some]) for of, some in parts))
        outcomes: dict[int, Outcome] = {}
        for (_, some), results in zip(parts, found, strict=True):
            outcomes |= zip(some, results, strict=True)
        return answered([outcomes[at] for at in range(len(members))])

    # Campaigns

    async def _currencies_of(self, campaigns: Sequence[CampaignAsSent]) -> Mapping[str, str]:
        """Ids of active currencies by ISO code, as far as there are such."""
        wanted = {sent.currency for sent in campaigns if sent.budget and sent.currency}
        if unknown := sorted(wanted - self._currencies.keys()):
            where = Filter(
                (Condition("isocurrencycode", "in", tuple(unknown)), Condition("statecode", "eq", (0,)))
            )
            listing = await self._organisation.query(Query(CURRENCY, ("isocurrencycode",), where))
            for entry in listing.entries:
                self._currencies[text(entry.values.get("isocurrencycode"))] = entry.id
        return self._currencies

    async def _create(self, rows: Sequence[Write]) -> Sequence[Outcome]:
        created = await self._organisation.create(CAMPAIGN, rows)
        return [outcome if isinstance(outcome, LeadbusError) else None for outcome in created]

    async def _change(self, rows: Sequence[Write]) -> Sequence[Outcome]:
        changed = [replace(row, values=campaign_values.changed(row.values)) for row in rows]
        return await self._organisation.update(CAMPAIGN, changed)

    async def _with_lists(
        self, campaigns: Sequence[CampaignAsSent], known: Collection[str]
    ) -> Sequence[Outcome]:
        """Makes their lists and gives them to them. known: campaigns that may have some of them already."""
        if not campaigns:
            return []
        pairs = [(at, entity) for at in range(len(campaigns)) for entity in PEOPLE]
        rows = [
            Write(
                list_of(campaigns[at].id, entity),
                campaign_values.members_list(campaigns[at].name, entity),
                traceparent=campaigns[at].traceparent,
            )
            for at, entity in pairs
        ]
        try:
            created = await self._organisation.create(LIST, rows)
            tied = await self._lists_of(known)
        except LeadbusError as error:
            return [error] * len(campaigns)
        outcomes = await asyncio.gather(
            *(
                self._tie(campaigns[at], row.id, made, tied)
                for (at, _), row, made in zip(pairs, rows, created, strict=True)
            )
        )
        found: list[Outcome] = [None] * len(campaigns)
        for (at, _), outcome in zip(pairs, outcomes, strict=True):
            found[at] = found[at] or outcome
        return found

    async def _tie(
        self, campaign: CampaignAsSent, list_id: str, made: str | LeadbusError, tied: Collection[str]
    ) -> Outcome:
        if isinstance(made, LeadbusError) and not isinstance(made, Conflict):
            return made
        try:
            if list_id not in tied:
                await self._organisation.add_to_campaign(campaign.id, list_id, campaign.traceparent)
        except Conflict:
            return None
        except LeadbusError as error:
            return error
        return None

    async def _lists_of(self, campaigns: Collection[str]) -> frozenset[str]:
        """Lists that belong to these campaigns."""
        if not campaigns:
            return frozenset()
        where = Filter((Condition("campaignid", "in", tuple(sorted(campaigns))),))
        listing = await self._organisation.query(Query(CAMPAIGN_ITEM, ("entityid",), where, size=5_000))
        return frozenset(text(entry.values.get("entityid")).lower() for entry in listing.entries)

    # Members

    async def _put(
        self, list_id: str, entity: str, is_member: bool, members: Sequence[CampaignMember]
    ) -> list[Outcome]:
        ids = [member.record.id for member in members]
        traces = [member.traceparent for member in members]
        try:
            if is_member:
                await self._organisation.add_members(list_id, entity, ids, traces)
            else:
                await self._organisation.remove_members(list_id, ids, traces)
        except OF_ROWS as error:
            if len(members) > 1:  # one of them, perhaps: each by itself
                alone = await asyncio.gather(*(self._put(list_id, entity, is_member, [m]) for m in members))
                return [outcome for (outcome,) in alone]
            is_own = members[0].campaign.record.module != LIST
            return [await self._meant(error, entity, ids[0], is_member=is_member, is_own=is_own)]
        except LeadbusError as error:
            return [error] * len(members)
        return [None] * len(members)

    async def _meant(
        self, error: LeadbusError, entity: str, id_: str, *, is_member: bool, is_own: bool
    ) -> Outcome:
        """Where something is gone, whether it is the person or the list; on a list that is gone is nobody.

        is_own: the list is that of a campaign of ours.
        """
        if not isinstance(error, Gone):
            return error
        if not is_member:
            return None
        if not is_own:
            return error
        try:
            lives = await self._organisation.retrieve(entity, [id_], ())
        except LeadbusError as trouble:
            return trouble
        return Rejected(_LIST_GONE) if lives else Gone(faults.DELETED)
