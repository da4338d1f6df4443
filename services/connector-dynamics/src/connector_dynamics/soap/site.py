"""The port over SOAP. Changes are not tracked there: whoever asks for them reads by time of change."""

from collections.abc import Collection as Several
from collections.abc import Sequence
from contextlib import suppress

from connector_dynamics import faults, fetch, products
from connector_dynamics.soap import metadata
from connector_dynamics.soap.client import Client
from connector_dynamics.soap.decoding import Collection, Element, child, text
from connector_dynamics.soap.encoding import Fetch, Filters, Guid, Message
from connector_dynamics.soap.names import NO_ID
from connector_dynamics.soap.writing import Writing
from connector_dynamics.wire import (
    Attribute,
    Entry,
    Info,
    Listing,
    Option,
    Query,
    Reference,
    Write,
)
from leadbus.connector.contract import Created, Outcome
from leadbus.connector.together import together
from leadbus.errors import Gone, LeadbusError, Unsupported

__all__ = ["Client", "Soap", "describe"]

_NO_TRACKING = "The CRM's SOAP service does not tell what changed: it is read by time of change."


async def describe(client: Client) -> tuple[Info, str]:
    """What the organisation is, and its id. Raises LeadbusError, NotServed where there is no such service."""
    who, reply = await client.execute(Message("WhoAmI", {}))
    found, _ = await client.execute(Message("RetrieveVersion", {}))
    try:
        version = str(found["Version"])
        info = Info(
            product=products.name(version, online=False),
            version=version,
            protocol="Leadbus uses SOAP (Organization.svc/web), as no Web API is served there.",
            online=False,
            organisation="",
            user_id=str(who["UserId"]),
            user_name="",
            at=reply.at,
        )
        return info, str(who["OrganizationId"])
    except LookupError:
        raise faults.UNREADABLE.error(writing=False) from None


class Soap:
    """Implements `client.Organisation`."""

    def __init__(self, client: Client, info: Info) -> None:
        self._client = client
        self._info = info
        self._writing = Writing(client, products.parts(info.version))
        self.calls = client.shared.limiter.calls

    async def info(self) -> Info:
        """See `Organisation`."""
        return self._info

    # Reading

    async def query(self, query: Query, page: str | None = None) -> Listing:
        """See `Organisation`."""
        return await self._fetched(fetch.of_query(query, page), page)

    async def fetch(self, fetch_xml: str, attributes: Sequence[str], page: str | None = None) -> Listing:
        """See `Organisation`."""
        _, asked = fetch.of_others(fetch_xml, attributes, page)
        return await self._fetched(asked, page)

    async def retrieve(self, entity: str, ids: Several[str], attributes: Sequence[str]) -> list[Entry]:
        """See `Organisation`."""
        if not ids:
            return []
        return list((await self.query(fetch.by_ids(entity, ids, attributes))).entries)

    async def tracks(self, entity: str) -> bool:
        """See `Organisation`."""
        return False

    async def changes(
        self, entity: str, attributes: Sequence[str], mark: str | None, page: str | None = None
    ) -> Listing:
        """See `Organisation`."""
        raise Unsupported(_NO_TRACKING)

    # Metadata

    async def attributes(self, entity: str, *, fresh: bool = False) -> list[Attribute]:
        """See `Organisation`."""
        return await self._client.shared.kept(
            ("attributes", entity), lambda: self._ask_attributes(entity), fresh=fresh
        )

    async def privileges(self, names: Several[str]) -> frozenset[str]:
        """See `Organisation`."""
        message = Message("RetrieveUserPrivileges", {"UserId": Guid(self._info.user_id)})
        results, _ = await self._client.execute(message)
        held = results.get("RolePrivileges")
        ids = {text(child(role, "PrivilegeId")).lower() for role in _element(held)}
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
        message = Message(
            "QualifyLead",
            {
                "LeadId": Reference("lead", lead_id),
                "CreateAccount": account,
                "CreateContact": contact,
                "CreateOpportunity": False,
                "OpportunityCurrencyId": None,
                "OpportunityCustomerId": None,
                "SourceCampaignId": None,
                "Status": Option(status),
            },
        )
        results, _ = await self._client.execute(message, writing=True, traces=[traceparent])
        return list(results.get("CreatedEntities") or ())

    async def add_to_campaign(self, campaign_id: str, list_id: str, traceparent: bytes | None = None) -> None:
        """See `Organisation`."""
        parameters = {"CampaignId": Guid(campaign_id), "EntityId": Guid(list_id), "EntityName": "list"}
        message = Message("AddItemCampaign", parameters)
        await self._client.execute(message, writing=True, traces=[traceparent])

    async def add_members(
        self, list_id: str, entity: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """See `Organisation`."""
        if ids:
            message = Message("AddListMembersList", {"ListId": Guid(list_id), "MemberIds": frozenset(ids)})
            await self._client.execute(message, writing=True, traces=traces)

    async def remove_members(
        self, list_id: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """See `Organisation`. One by one, as RemoveMemberList has it, side by side."""
        lost = [None] * (len(ids) - len(traces))
        await together(self._remove(list_id, *row) for row in zip(ids, [*traces, *lost], strict=True))

    async def close(self) -> None:
        """See `Organisation`. Whoever joined the organisation leaves it."""

    # Besides

    async def _remove(self, list_id: str, id_: str, trace: bytes | None) -> None:
        message = Message("RemoveMemberList", {"ListId": Guid(list_id), "EntityId": Guid(id_)})
        with suppress(faults.NotOnTheList):
            await self._client.execute(message, writing=True, traces=[trace])

    async def _fetched(self, fetch_xml: str, page: str | None) -> Listing:
        results, reply = await self._client.execute(Message("RetrieveMultiple", {"Query": Fetch(fetch_xml)}))
        found = results.get("EntityCollection")
        if not isinstance(found, Collection):
            raise _unreadable()
        following = fetch.token(page, found.cookie) if found.more else None
        return Listing(found.entries, following, reply.at)

    async def _ask_attributes(self, entity: str) -> list[Attribute]:
        parameters = {
            "EntityFilters": Filters("Attributes"),
            "LogicalName": entity,
            "MetadataId": Guid(NO_ID),
            "RetrieveAsIfPublished": False,
        }
        try:
            results, _ = await self._client.execute(Message("RetrieveEntity", parameters))
        except Gone:
            raise Unsupported(faults.CODES[0x80041102].sentence) from None
        return metadata.attributes(_element(results.get("EntityMetadata")))


def _element(found: object) -> Element:
    if not isinstance(found, Element):
        raise _unreadable()
    return found


def _unreadable() -> LeadbusError:
    return faults.UNREADABLE.error(writing=False)
