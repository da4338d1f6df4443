"""Campaigns and their members: SugarCRM keeps people on target lists, and target lists on campaigns.

Each campaign that we make has one target list, of its name. Fields, what is required and how long names may
be: vardefs of Campaigns and ProspectLists in SuiteCRM 7.12, Sugar CE 6.5 and Sugar 12, in all of which a
campaign's description is named `content`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from connector_sugar import faults
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.client import Site
from connector_sugar.translation import CAMPAIGNS, LISTS, MEMBERS, fit
from connector_sugar.wire import Change, Relation
from leadbus.connector.contract import (
    CampaignAsSent,
    CampaignMember,
    CampaignThere,
    Created,
    Outcome,
    WrittenCampaign,
)
from leadbus.connector.together import chunks, together
from leadbus.errors import Conflict, Gone, LeadbusError, Rejected, Unsupported
from leadbus.ids import derived_id
from leadbus.messages import Record

STATUSES = {"planned": "Planning", "active": "Active", "paused": "Inactive", "completed": "Complete"}
TYPE = "Web"
"""Required. SugarCRM itself would send the emails of campaigns of the types Email and NewsLetter."""
LIST_TYPE = "default"
LASTS = timedelta(days=365)
"""An end is required too: a campaign without one ends so long after today, or after its start."""
NAME_LENGTH = 50
OWN_CURRENCY = "-99"
"""The id of the site's own currency, whose code neither family tells."""
_CURRENCIES, _CODE = "Currencies", "iso4217"
_WORDS = {"content": "description", "start_date": "starts_on", "end_date": "ends_on"}
"""Fields that a refusal may name, in our words."""
_LINKS = {module: link for link, module in MEMBERS.items()}


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row is to be. key: our id for a new one. record: its id there, if it has been created.

    told: what is written in any case; besides: what only a new one is given.
    """

    key: str
    record: str | None
    told: Mapping[str, str]
    besides: Mapping[str, str]
    traceparent: bytes | None


class Campaigns:
    """On one site. teams: ids of those that new ones belong to."""

    def __init__(self, site: Site, teams: Collection[str]) -> None:
        self._site = site
        self._teams = tuple(teams)

    async def write(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`. A list that somebody has deleted is not made again: the campaign has none then."""
        owner = {"assigned_user_id": await self._site.user_id()}
        codes = {campaign.currency for campaign in campaigns if campaign.budget and campaign.currency}
        currencies = await self._currencies(codes) if codes else {}
        rows = [_campaign(campaign, owner, currencies) for campaign in campaigns]
        records = await self._stand(CAMPAIGNS, rows)
        lists = {c.id: row for c in campaigns if _is_there(records[c.id]) and (row := _list(c, owner))}
        found = await self._stand(LISTS, list(lists.values()))
        listed = {key: found[row.key] for key, row in lists.items()}
        listed |= await self._tie(campaigns, records, listed)
        return [_written(records[campaign.id], listed.get(campaign.id)) for campaign in campaigns]

    async def put(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`. How somebody responded cannot be kept."""
        live = await self._live(
            {record for m in members for record in (m.record, m.campaign.record, *m.campaign.lists)}
        )
        outcomes: dict[int, Outcome] = {}
        relations: dict[int, Relation] = {}
        for place, member in enumerate(members):
            listed = next((found for found in member.campaign.lists if found in live), None)
            missing = _missing(member, listed, live)
            if listed is None or missing:
                outcomes[place] = Gone(missing) if member.member else None
                continue
            link = _LINKS[member.record.module]
            relations[place] = Relation(
                LISTS, listed.id, link, member.record.id, on=member.member, traceparent=member.traceparent
            )
        related = await self._site.relate(list(relations.values())) if relations else []
        outcomes |= dict(zip(relations, related, strict=True))
        return [outcomes[place] for place in range(len(members))]

    async def _stand(self, module: str, rows: Sequence[_Row]) -> dict[str, Created]:
        """By the rows' keys, their ids in the CRM; rows that were there already are changed."""
        new = [row for row in rows if row.record is None]
        changes = [
            Change(row.key, {**row.besides, **row.told}, teams=self._teams, traceparent=row.traceparent)
            for row in new
        ]
        made = await self._site.create(module, changes) if changes else []
        found: dict[str, Created] = dict(zip((row.key for row in new), made, strict=True))
        there = {row.key: row.record for row in rows if row.record is not None}
        there |= {key: key for key, outcome in found.items() if isinstance(outcome, Conflict)}
        # A site that gives ids of its own does not say whether it had the row already.
        there |= {key: got for key, got in found.items() if isinstance(got, str) and got != key}
        again = [row for row in rows if row.key in there]
        changes = [Change(there[row.key], row.told, traceparent=row.traceparent) for row in again]
        errors = await self._site.update(module, changes) if changes else []
        changed = {row.key: error for row, error in zip(again, errors, strict=True) if error}
        return {**found, **there, **changed}

    async def _tie(
        self,
        campaigns: Sequence[CampaignAsSent],
        records: Mapping[str, Created],
        lists: Mapping[str, Created],
    ) -> dict[str, LeadbusError]:
        """Ties new lists to their campaigns; what could not be done, by campaign."""
        pairs = {
            campaign.id: Relation(LISTS, listed, "campaigns", record, traceparent=campaign.traceparent)
            for campaign in campaigns
            if campaign.there is None
            and isinstance(listed := lists.get(campaign.id), str)
            and isinstance(record := records[campaign.id], str)
        }
        outcomes = await self._site.relate(list(pairs.values())) if pairs else []
        return {key: error for key, error in zip(pairs, outcomes, strict=True) if error}

    async def _live(self, records: Collection[Record]) -> set[Record]:
        """Those that exist: the older services would relate people to what was deleted without a word."""
        ids = {module: sorted({r.id for r in records if r.module == module}) for module in _modules(records)}
        parts = [(m, some) for m in ids for some in chunks(ids[m], CAPABILITIES.rows_per_read)]
        pages = await together(self._site.by_id(module, some, ()) for module, some in parts)
        return {
            Record(module=module, id=entry.id)
            for (module, _), page in zip(parts, pages, strict=True)
            for entry in page
            if not entry.deleted
        }

    async def _currencies(self, codes: Collection[str]) -> dict[str, str]:
        """Ids by code, of those that the site has beside its own."""
        try:
            entries = await self._site.by_value(_CURRENCIES, _CODE, codes, (_CODE,))
        except Unsupported:
            return {}
        return {entry.values.get(_CODE, "").upper(): entry.id for entry in entries}


# Rows -------------------------------------------------------------------------------------------------


def _campaign(campaign: CampaignAsSent, besides: Mapping[str, str], currencies: Mapping[str, str]) -> _Row:
    told = {
        "name": _name(campaign),
        "status": STATUSES[campaign.status] if campaign.status else None,
        "content": campaign.description,
        "start_date": _day(campaign.starts_on),
        "end_date": _day(campaign.ends_on),
        "budget": campaign.budget,
        "currency_id": currencies.get(campaign.currency or "", OWN_CURRENCY) if campaign.budget else None,
    }
    start = min(campaign.starts_on or date.min, date.max - LASTS)
    end = max(datetime.now(UTC).date(), start) + LASTS
    required = {"status": STATUSES["planned"], "campaign_type": TYPE, "end_date": end.isoformat()}
    return _Row(
        campaign.id,
        campaign.there.record.id if campaign.there else None,
        {name: fit(name, value) for name, value in told.items() if value is not None},
        {**besides, **required},
        campaign.traceparent,
    )


def _list(campaign: CampaignAsSent, besides: Mapping[str, str]) -> _Row | None:
    """The target list; None of a campaign that has lost it."""
    key, record = derived_id("sugar", "campaign's list", campaign.id), None
    if campaign.there is not None:
        if not campaign.there.lists:
            return None
        key = record = campaign.there.lists[0].id
    return _Row(
        key,
        record,
        {"name": _name(campaign)},
        {**besides, "list_type": LIST_TYPE},
        campaign.traceparent,
    )


def _name(campaign: CampaignAsSent) -> str:
    return fit("name", campaign.name)[:NAME_LENGTH]


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _modules(records: Collection[Record]) -> list[str]:
    return sorted({record.module for record in records})


# Outcomes ---------------------------------------------------------------------------------------------


def _is_there(outcome: Created) -> bool:
    return isinstance(outcome, str)


def _written(record: Created, listed: Created | None) -> WrittenCampaign:
    """A campaign stands without its list only where somebody has deleted that."""
    if isinstance(record, Gone):
        return Gone(faults.CAMPAIGN_DELETED)
    if not isinstance(record, str):
        return _in_our_words(record)
    there = Record(module=CAMPAIGNS, id=record)
    if isinstance(listed, str):
        return CampaignThere(there, (Record(module=LISTS, id=listed),))
    if listed is None or isinstance(listed, Gone):
        return CampaignThere(there)
    return _in_our_words(listed)


def _in_our_words(error: LeadbusError) -> LeadbusError:
    """A refusal that names its field as the campaign's own facts do."""
    if isinstance(error, Rejected) and error.field in _WORDS:
        ours = _WORDS[error.field]
        return Rejected(str(error).replace(f" {error.field}.", f" {ours}."), ours)
    return error


def _missing(member: CampaignMember, listed: Record | None, live: Collection[Record]) -> str:
    """What is not there (any more), in a sentence; empty where all is."""
    if member.campaign.record not in live and member.member:
        return faults.CAMPAIGN_DELETED
    if listed is None:
        return faults.LIST_DELETED
    return "" if member.record in live else faults.DELETED
