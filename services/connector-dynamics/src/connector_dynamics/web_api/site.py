"""The port over the Web API."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from connector_dynamics import faults, fetch
from connector_dynamics.entities import ENTITIES
from connector_dynamics.web_api import metadata, values
from connector_dynamics.web_api.client import ALL_ANNOTATIONS, Api
from connector_dynamics.web_api.writing import Writing
from connector_dynamics.wire import (
    Attribute,
    Condition,
    Entry,
    Filter,
    Info,
    Listing,
    Query,
    Reference,
    Write,
)
from leadbus.connector.contract import Created, Outcome
from leadbus.errors import Gone, Unsupported

_CHANGES_A_PAGE = "odata.maxpagesize=1000"
_COOKIE = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_MORE = "@Microsoft.Dynamics.CRM.morerecords"


class WebApi:
    """Implements `client.Organisation`. version: of the API, such as (9, 2)."""

    def __init__(self, api: Api, info: Info, version: tuple[int, int]) -> None:
        self._api = api
        self._info = info
        self._version = version
        self._writing = Writing(api, self._navigation)
        self.calls = api.shared.limiter.calls

    async def info(self) -> Info:
        """See `Organisation`."""
        return self._info

    # Reading

    async def query(self, query: Query, page: str | None = None) -> Listing:
        """See `Organisation`."""
        return await self._fetched(query.entity, fetch.of_query(query, page), page)

    async def fetch(self, fetch_xml: str, attributes: Sequence[str], page: str | None = None) -> Listing:
        """See `Organisation`."""
        entity, asked = fetch.of_others(fetch_xml, attributes, page)
        return await self._fetched(entity, asked, page)

    async def retrieve(self, entity: str, ids: Collection[str], attributes: Sequence[str]) -> list[Entry]:
        """See `Organisation`."""
        if not ids:
            return []
        return list((await self.query(fetch.by_ids(entity, ids, attributes))).entries)

    async def tracks(self, entity: str) -> bool:
        """See `Organisation`."""
        return await self._api.shared.kept(("tracks", entity), lambda: metadata.tracks(self._api, entity))

    async def changes(
        self, entity: str, attributes: Sequence[str], mark: str | None, page: str | None = None
    ) -> Listing:
        """See `Organisation`. Marks and pages are the CRM's own links, without its address."""
        link = page or mark
        if link is None:
            link = f"{ENTITIES[entity].set}?$select={await self._columns(entity, attributes)}"
        prefer = ["odata.track-changes", _CHANGES_A_PAGE, ALL_ANNOTATIONS]
        answer, reply = await self._api.get(f"changes of {entity}", link, prefer=prefer)
        following = self._below(answer.get("@odata.nextLink"))
        new_mark = self._below(answer.get("@odata.deltaLink"))
        if following is None and new_mark is None:
            raise Unsupported("The CRM does not track the changes of this kind of record (change tracking).")
        rows = tuple(values.entry(entity, row) for row in answer["value"])
        return Listing(rows, following, reply.at, None if following else new_mark)

    # Metadata

    async def attributes(self, entity: str, *, fresh: bool = False) -> list[Attribute]:
        """See `Organisation`."""
        before_9 = self._version < (9, 0)
        return await self._api.shared.kept(
            ("attributes", entity),
            lambda: metadata.attributes(self._api, entity, before_9=before_9),
            fresh=fresh,
        )

    async def privileges(self, names: Collection[str]) -> frozenset[str]:
        """See `Organisation`."""
        path = f"systemusers({self._info.user_id})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
        held, _ = await self._api.get("RetrieveUserPrivileges", path)
        ids = {str(privilege["PrivilegeId"]).lower() for privilege in held["RolePrivileges"]}
        listing = await self.query(fetch.of_privileges(names))
        return frozenset(str(row.values["name"]) for row in listing.entries if row.id in ids)

    # Writing

    async def create(self, entity: str, rows: Sequence[Write]) -> list[Created]:
        """See `Organisation`."""
        return await self._writing.create(entity, rows)

    async def update(self, entity: str, rows: Sequence[Write]) -> list[Outcome]:
        """See `Organisation`."""
        return await self._writing.update(entity, rows)

    async def delete(self, entity: str, ids: Sequence[str]) -> list[Outcome]:
        """See `Organisation`."""
        return await self._writing.delete(entity, ids)

    async def qualify(
        self, lead_id: str, *, account: bool, contact: bool, status: int = 3, traceparent: bytes | None = None
    ) -> list[Reference]:
        """See `Organisation`."""
        body = {
            "CreateAccount": account,
            "CreateContact": contact,
            "CreateOpportunity": False,
            "Status": status,
        }
        path = f"leads({lead_id})/Microsoft.Dynamics.CRM.QualifyLead"
        answer = await self._api.post("QualifyLead", path, body, by_id=True, traces=(traceparent,))
        try:
            return [_made(row) for row in answer["value"]]
        except (AttributeError, LookupError, TypeError):
            raise faults.UNREADABLE.error(writing=True) from None

    async def add_to_campaign(self, campaign_id: str, list_id: str, traceparent: bytes | None = None) -> None:
        """See `Organisation`. The action is bound to what is added (documentation, AddItemCampaign)."""
        path = f"lists({list_id})/Microsoft.Dynamics.CRM.AddItemCampaign"
        body = {"Campaign": _named("campaign", campaign_id)}
        await self._api.post("AddItemCampaign", path, body, by_id=True, traces=(traceparent,))

    async def add_members(
        self, list_id: str, entity: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """See `Organisation`."""
        if ids:
            body = {"List": _named("list", list_id), "Members": [_named(entity, id_) for id_ in ids]}
            await self._api.post("AddListMembersList", "AddListMembersList", body, by_id=True, traces=traces)

    async def remove_members(
        self, list_id: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """See `Organisation`. By deleting the memberships (documentation, ListMember entity), many in a call:
        there is no action RemoveMemberList on premises (documentation, RemoveMemberListRequest)."""
        if not ids:
            return
        where = Filter(
            (Condition("listid", "eq", (list_id,)), Condition("entityid", "in", tuple(sorted(ids))))
        )
        listing = await self.query(Query("listmember", ("entityid",), where, size=len(ids)))
        for outcome in await self.delete("listmember", [row.id for row in listing.entries]):
            if outcome is not None and not isinstance(outcome, Gone):
                raise outcome

    async def close(self) -> None:
        """See `Organisation`. Whoever joined the organisation leaves it."""

    # Besides

    async def _fetched(self, entity: str, fetch_xml: str, page: str | None) -> Listing:
        path = f"{ENTITIES[entity].set}?fetchXml={quote(fetch_xml, safe='')}"
        answer, reply = await self._api.get(f"GET {entity}", path, prefer=[ALL_ANNOTATIONS])
        rows = tuple(values.entry(entity, row) for row in answer["value"])
        cookie = str(answer.get(_COOKIE) or "")
        following = fetch.token(page, _cookie(cookie)) if answer.get(_MORE, bool(cookie)) else None
        return Listing(rows, following, reply.at)

    async def _columns(self, entity: str, attributes: Sequence[str]) -> str:
        lookups = {a.name for a in await self.attributes(entity) if a.type == "lookup"}
        named = (f"_{name}_value" if name in lookups else name for name in attributes)
        return ",".join(dict.fromkeys((*named, ENTITIES[entity].id)))

    async def _navigation(self, entity: str) -> values.Navigation:
        return await self._api.shared.kept(
            ("navigation", entity), lambda: metadata.navigation(self._api, entity)
        )

    def _below(self, link: str | None) -> str | None:
        """The link without the address, so that it is good however the address is written."""
        if link is None:
            return None
        root = urlsplit(self._api.root)
        parts = urlsplit(link)
        if not parts.path.lower().startswith(root.path.lower()):
            raise faults.UNREADABLE.error(writing=False)
        return f"{parts.path[len(root.path) :]}?{parts.query}"


def _cookie(annotation: str) -> str:
    """The cookie within the annotation, which is encoded twice (documentation: page results)."""
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        return unquote(unquote(etree.fromstring(annotation.encode(), parser).get("pagingcookie", "")))
    except (etree.LxmlError, ValueError):
        return ""


def _named(entity: str, id_: str) -> dict[str, str]:
    """A record as an action's parameter."""
    return {"@odata.type": f"Microsoft.Dynamics.CRM.{entity}", ENTITIES[entity].id: id_}


def _made(row: Mapping[str, Any]) -> Reference:
    entity = str(row.get("@odata.type", "")).rpartition(".")[2]
    return Reference(entity, str(row[ENTITIES[entity].id]).lower())
