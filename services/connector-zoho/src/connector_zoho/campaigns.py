"""Campaigns, known by their names, and the leads and contacts related to them (or tagged).

Zoho's documentation: a campaign's people are related records, which have a Member_Status; they are related
from either side, up to 100 rows a call, with an outcome for each. Here it is done from the campaign's, so
that a call puts many people into it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from connector_zoho import duplicates, faults, values
from connector_zoho.capabilities import CAPABILITIES, EMAILS_PER_QUERY
from connector_zoho.client import ZohoClient
from connector_zoho.metadata import Metadata
from connector_zoho.sending import Result, Sent, created, send
from connector_zoho.settling import answered, error_of
from connector_zoho.tagging import Tagging
from connector_zoho.translation import CAMPAIGNS, TAGS, text
from connector_zoho.upserting import Upserting
from connector_zoho.values import CAMPAIGN_NAME, MEMBER_STATUS
from connector_zoho.wire import outcomes
from leadbus.connector.contract import (
    CampaignAsSent,
    CampaignMember,
    CampaignThere,
    Created,
    Outcome,
    WrittenCampaign,
)
from leadbus.connector.together import chunks, together
from leadbus.errors import Gone, LeadbusError, Rejected
from leadbus.messages import Record

STATUSES = ("Planned", "Invited", "Sent", "Received", "Opened", "Responded", "Bounced", "Opted Out")
"""Of members, in a new organisation (Zoho's documentation of campaigns)."""
_ROWS = 200
_NO_SUCH_RECORD = "INVALID_DATA"
_WORDS = {
    **{CAMPAIGN_NAME: "name", "Description": "description", "Status": "status"},
    **{"Start_Date": "starts_on", "End_Date": "ends_on", "Budgeted_Cost": "budget", "Currency": "currency"},
    MEMBER_STATUS: "response",
}
"""Fields that a refusal may name, in our words."""
_Group: TypeAlias = tuple[Record, str, bool]
"""Campaign or tag, module of its people, whether they are put in or taken out."""


class Campaigns:
    """Of one connection."""

    def __init__(self, client: ZohoClient, metadata: Metadata, tagging: Tagging) -> None:
        self._client = client
        self._tagging = tagging
        self._metadata = metadata

    async def write(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`. Names are looked for first: what an upsert does with several of a name is not told.

        Raises:
            LeadbusError: nothing could be settled.
        """
        shapes = await self._metadata.shapes(CAMPAIGNS)
        currency = (await self._client.organisation()).currency
        bodies = [values.campaign(asked, shapes, currency) for asked in campaigns]
        named = await self._named(
            {b[CAMPAIGN_NAME] for c, b in zip(campaigns, bodies, strict=True) if not c.there}
        )
        known: dict[int, Sent] = {}
        new: dict[int, Sent] = {}
        for place, (asked, body) in enumerate(zip(campaigns, bodies, strict=True)):
            record = asked.there.record.id if asked.there else named.get(duplicates.key(body[CAMPAIGN_NAME]))
            row = {**body, "id": record} if record else body
            (known if record else new)[place] = Sent(CAMPAIGNS, row, (asked.traceparent,))
        changed = await send(self._client, "PUT", list(known.values()))
        made = await Upserting(self._client, CAMPAIGN_NAME, {}).run(list(new.values())) if new else []
        found: dict[int, Created] = dict(zip(new, made, strict=True))
        found |= {at: created(result, CAMPAIGNS) for at, result in zip(known, changed, strict=True)}
        return [_written(outcome) for outcome in answered([found[at] for at in range(len(campaigns))])]

    async def put(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`. A response that is none of the organisation's statuses is left out.

        Raises:
            LeadbusError: nothing could be settled.
        """
        offered = await self._statuses({m.response for m in members if m.member and m.response})
        groups: dict[_Group, list[int]] = {}
        for place, member in enumerate(members):
            key = (member.campaign.record, member.record.module, member.member)
            groups.setdefault(key, []).append(place)
        parts = [
            (key, some)
            for key, places in groups.items()
            for some in chunks(places, CAPABILITIES.rows_per_write)
        ]
        at_once = asyncio.Semaphore(CAPABILITIES.calls_per_verb or len(parts))

        async def one(key: _Group, some: Sequence[int]) -> Sequence[Result]:
            async with at_once:
                return await self._relate(key, [members[at] for at in some], offered)

        results = await asyncio.gather(*(one(key, some) for key, some in parts))
        found = {
            at: _outcome(result, is_out=not key[2])
            for (key, some), answer in zip(parts, results, strict=True)
            for at, result in zip(some, answer, strict=True)
        }
        return answered([found[place] for place in range(len(members))])

    async def _named(self, names: Collection[str]) -> dict[str, str]:
        """The oldest live campaign of each name, whatever its capitals."""

        async def find(some: Sequence[str]) -> list[dict[str, Any]]:
            listed = ", ".join(map(values.quoted, some))
            query = (
                f"select id, {CAMPAIGN_NAME} from {CAMPAIGNS} where {CAMPAIGN_NAME} in ({listed})"  # noqa: S608
                f" order by id asc limit 0, {_ROWS}"
            )
            body = {"select_query": query}
            return outcomes(await self._client.call(f"COQL {CAMPAIGNS}", "POST", "/coql", body=body))

        pages = await together(find(some) for some in chunks(sorted(names), EMAILS_PER_QUERY))
        found: dict[str, str] = {}
        for row in (row for page in pages for row in page):
            found.setdefault(duplicates.key(row.get(CAMPAIGN_NAME)), text(row.get("id")))
        return found

    async def _statuses(self, responses: Collection[str]) -> dict[str, str]:
        """By response in lower case, the status as it is spelt here.

        Of an organisation's own statuses Zoho tells where it describes campaigns (assumed), if at all.
        """
        offered = {status.casefold(): status for status in STATUSES}
        if any(response.casefold() not in offered for response in responses):
            described = (await self._metadata.shapes(CAMPAIGNS)).get(MEMBER_STATUS)
            options = described.options if described else None
            offered |= {option.casefold(): option for option in options or ()}
        return offered

    async def _relate(
        self, group: _Group, members: Sequence[CampaignMember], offered: Mapping[str, str]
    ) -> Sequence[Result]:
        campaign, module, is_in = group
        if campaign.module == TAGS:
            return await self._tagging.put(campaign.id, members, on=is_in)
        path, ids = f"/{CAMPAIGNS}/{campaign.id}/{module}", [member.record.id for member in members]
        method = "PUT" if is_in else "DELETE"
        rows = [{"id": m.record.id, **_status(m.response, offered)} for m in members]
        try:
            answer = await self._client.call(
                f"{method} {CAMPAIGNS} {module}",
                method,
                path,
                params=None if is_in else {"ids": ",".join(ids)},
                body={"data": rows} if is_in else None,
                writing=True,
                traces=[member.traceparent for member in members],
            )
        except Gone:
            return [Gone(faults.CAMPAIGN_DELETED)] * len(members)
        except LeadbusError as error:
            return [error] * len(members)
        found = outcomes(answer)
        return found if len(found) == len(rows) else [faults.UNREADABLE.error(writing=True)] * len(rows)


def _status(response: str | None, offered: Mapping[str, str]) -> dict[str, str]:
    status = offered.get((response or "").casefold())
    return {MEMBER_STATUS: status} if status else {}


def _written(outcome: Created) -> WrittenCampaign:
    if isinstance(outcome, str):
        return CampaignThere(Record(module=CAMPAIGNS, id=outcome))
    return Gone(faults.CAMPAIGN_DELETED) if isinstance(outcome, Gone) else _in_our_words(outcome)


def _outcome(result: Result, *, is_out: bool) -> Outcome:
    """Of one member. Who, or whose campaign, is not there is out of it; and so is who was not in it."""
    if isinstance(result, Gone) and is_out:
        return None
    if isinstance(result, LeadbusError):
        return result
    if result.get("status") == "success":
        return None
    error = error_of(result)
    if result.get("code") == _NO_SUCH_RECORD and not (isinstance(error, Rejected) and error.field):
        return None if is_out else Gone(faults.DELETED)
    return _in_our_words(error)


def _in_our_words(error: LeadbusError) -> LeadbusError:
    """A refusal that names its field as the campaign's own facts do."""
    if isinstance(error, Rejected) and error.field in _WORDS:
        ours = _WORDS[error.field]
        return Rejected(str(error).replace(error.field, ours), ours)
    return error
