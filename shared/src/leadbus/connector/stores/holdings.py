"""What a connector holds of a person: what its CRM is owed, what stands there, and who is to hear of it.

What stands in the CRM itself is the tenant's own.
"""

from collections.abc import Collection, Iterable, Sequence

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.connector.capabilities import PEOPLE
from leadbus.connector.stores.connections import Connections
from leadbus.erasing.holdings import Holding, Person
from leadbus.ids import prospect_id
from leadbus.messages import Record
from leadbus.storage.mongo import Document

_WAITS: Document = {"due": {"$exists": True}}


class ConnectorHoldings:
    """A `leadbus.erasing.holdings.Holdings`."""

    def __init__(self, database: AsyncDatabase[Document], service: str, connections: Connections) -> None:
        self._database = database
        self._service = service
        self._connections = connections

    async def __call__(self, person: Person, session: AsyncClientSession | None = None) -> list[Holding]:
        """Records of the person in the CRM lead to what is kept of these, and of whatever refers to them."""
        connections = await self._of_tenant(person)
        through = {"connection_id": {"$in": connections}}
        emails = await self._emails(person, through, session)
        records = await self._records(person, through, emails, session)
        return [
            self._holding("deliveries", person._asdict()),
            *self._noted(person, connections, emails, records),
            *self._mails(person, emails),
        ]

    async def noted(self, person: Person, records: Iterable[Record]) -> list[Holding]:
        """Of these what a worker may have noted of one whose delivery was erased beneath it, and of records
        that it alone knew of."""
        connections = await self._of_tenant(person)
        known = await self._records(person, {"connection_id": {"$in": connections}}, (), None)
        return self._noted(person, connections, (), known | set(records))

    async def _of_tenant(self, person: Person) -> list[str]:
        return [c.id for c in await self._connections.of_tenants({person.tenant_id})]

    def _noted(
        self,
        person: Person,
        connections: Sequence[str],
        emails: Collection[str],
        records: Collection[Record],
    ) -> list[Holding]:
        through = {"connection_id": {"$in": connections}}
        ids = {"$in": sorted({record.id for record in records})}
        wished = [f"{name}/{record.module}/{record.id}" for name in connections for record in records]
        return [
            self._holding("links", person._asdict()),
            self._holding(
                "mirror",
                {
                    "$or": [
                        *_people(person, through, emails),
                        through | {"record.id": ids},
                        through | {"refs": ids},
                    ]
                },
            ),
            self._holding(
                "members",
                {"$or": [through | {"prospect_id": person.prospect_id}, through | {"record.id": ids}]},
            ),
            self._holding("asked", {"_id": {"$in": sorted(wished)}}),
        ]

    def _mails(self, person: Person, emails: Collection[str]) -> list[Holding]:
        """Those that wait; what was sent is forgotten already. Some name several people."""
        own = _WAITS | {"tenant_id": person.tenant_id}
        theirs = {"$in": sorted(emails)}
        row = {"$elemMatch": {"who": theirs}}
        return [
            self._holding("mails", own | {"prospect_id": person.prospect_id}),
            self._holding(
                "mails", own | {"facts.leads.email": theirs}, {"$pull": {"facts.leads": {"email": theirs}}}
            ),
            self._holding(
                "mails",
                own | {"facts.groups": {"$elemMatch": {"$elemMatch": row}}},
                {"$set": {"facts.groups.$[].1.$[row].who": ""}},
                [{"row.who": theirs}],
            ),
        ]

    def _holding(
        self,
        collection: str,
        which: Document,
        without: Document | None = None,
        array_filters: list[Document] | None = None,
    ) -> Holding:
        return Holding(f"{self._service}.{collection}", which, without, array_filters)

    async def _emails(
        self, person: Person, through: Document, session: AsyncClientSession | None
    ) -> set[str]:
        """The person's email, if anything here says it: rows that were never told of bear no prospect id."""
        found: set[str] = set()
        in_crm = through | {"prospect_id": person.prospect_id}
        for collection, which in (("deliveries", person._asdict()), ("mirror", in_crm), ("members", in_crm)):
            rows = self._database[f"{self._service}.{collection}"].find(which, {"email": 1}, session=session)
            found |= {row["email"] async for row in rows if row.get("email")}
        tenant = person.tenant_id
        return {email for email in found if prospect_id(tenant, email=email) == person.prospect_id}

    async def _records(
        self, person: Person, through: Document, emails: Collection[str], session: AsyncClientSession | None
    ) -> set[Record]:
        """Those that are the person's in the CRM, also those that only we know of."""
        links = self._database[f"{self._service}.links"].find(person._asdict(), session=session)
        found = [each async for link in links for each in (link["record"], *link["earlier"])]
        people = {"$or": _people(person, through, emails)}
        rows = self._database[f"{self._service}.mirror"].find(people, {"record": 1}, session=session)
        found += [row["record"] async for row in rows]
        return {Record.model_validate(each) for each in found}


def _people(person: Person, through: Document, emails: Collection[str]) -> list[Document]:
    return [
        through | {"prospect_id": person.prospect_id},
        through | {"email": {"$in": sorted(emails)}, "kind": {"$in": [*PEOPLE]}},
    ]
