"""What is known about a page of rows, from the mirror and the links: a bounded number of queries per page."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.connection import Connection
from leadbus.connector.contract import CrmActivity, CrmList, Opportunity, Person, Row
from leadbus.connector.link import Link, LinkState, activity_sign, record_id
from leadbus.connector.mapping import FieldMap
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import CONVERTED, OPTED_OUT, STATUS, Mirror, MirrorRow
from leadbus.connector.taking.known import Known
from leadbus.connector.taking.opportunities import prospects_of
from leadbus.messages import Record


class Gathering:
    """For one connection, for as long as its settings stay what they are."""

    def __init__(
        self,
        connection: Connection,
        capabilities: Capabilities,
        *,
        mirror: Mirror,
        links: Links,
        campaigns: Campaigns,
    ) -> None:
        self._connection = connection
        self._capabilities = capabilities
        self._fields = FieldMap.of(connection.settings, capabilities)
        self._mirror = mirror
        self._links = links
        self._campaigns = campaigns

    async def about(self, rows: Sequence[Row], at: datetime, run: str | None) -> Known:
        """See `Known`."""
        name = self._connection.id
        mirrored = await self._mirror.of_records(name, [row.record for row in rows])
        made, ours = await self._stand_ins([row for row in rows if row.record not in mirrored])
        mirrored |= made
        people = [row for row in rows if isinstance(row, Person) and not row.deleted]
        opportunities = [row for row in rows if isinstance(row, Opportunity)]
        activities = [row for row in rows if isinstance(row, CrmActivity)]
        lists = {row.record: row.name for row in rows if isinstance(row, CrmList) and not row.deleted}
        if lists:
            ours |= await self._campaigns.lists_among(self._connection.organisation_id, lists)
        accounts = {row.account_id for row in people if row.account_id}
        accounts |= {row.account_id for row in opportunities if row.account_id}
        persons = {key for row in opportunities for key in row.contact_ids}
        persons |= {key for row in activities for key in row.about}
        twins, more = await self._twins(people, {row.record for row in rows})
        known_people = await self._mirror.get(name, persons) if persons else {}
        linked_ids = {row.record.id for row in people} | {r.id for r in more} | persons
        linked_ids |= {row.record.id for row in rows if row.deleted}
        links, elsewhere = await self._links_of(linked_ids)
        if activities:
            ours |= await self._written({row.record.id for row in activities}, links)
        known = Known(
            connection=self._connection,
            capabilities=self._capabilities,
            fields=self._fields,
            at=at,
            run=run,
            mirrored=mirrored | more,
            users=await self._mirror.get(name, {row.owner_id for row in rows if row.owner_id}, "user"),
            accounts=await self._mirror.get(name, accounts, "account") if accounts else {},
            people=known_people,
            twins=twins,
            links=links,
            linked={link.prospect_id: link for found in links.values() for link in found},
            made=made.keys(),
            elsewhere=elsewhere,
            ours=ours,
        )
        return await self._with_opportunities(known, opportunities, mirrored)

    async def _written(self, ids: set[str], links: Mapping[str, Sequence[Link]]) -> set[str]:
        """Activities that we added, or another connection to one of these people."""
        writers = {name for found in links.values() for link in found for name in link.connections}
        rows = [await self._mirror.get(name, ids) for name in sorted(writers | {self._connection.id})]
        return {key for known in rows for key, row in known.items() if row.kind is None}

    async def _stand_ins(self, unknown: Sequence[Row]) -> tuple[dict[Record, MirrorRow], set[str]]:
        """Unknown records that a write of ours under way has made, with what was intended; activities, by id.

        Of CRMs that give ids of their own: the push about a write may come before its answer.
        """
        if self._capabilities.own_ids and not self._capabilities.converts:
            return {}, set()
        connection = self._connection
        scope = connection.settings.team_scope
        standing: list[tuple[Row, list[Record]]] = []
        for row in unknown:
            keys: list[str] = []
            if isinstance(row, Person) and row.email and not row.deleted:
                keys = [record_id(connection.organisation_id, scope, row.email, 0)]
            elif isinstance(row, CrmActivity):
                keys = [activity_sign(about, row.type, row.subject) for about in row.about]
            standing.append((row, [Record(module=row.record.module, id=key) for key in keys]))
        found = await self._mirror.of_records(
            connection.id, [record for _, records in standing for record in records]
        )
        found = {record: row for record, row in found.items() if row.kind is None}
        made: dict[Record, MirrorRow] = {}
        ours: set[str] = set()
        for row, records in standing:
            for record in records:
                if record in found and isinstance(row, Person):
                    made[row.record] = replace(found[record], record=row.record)
                elif record in found:
                    ours.add(row.record.id)
        return made, ours

    async def _twins(
        self, people: Sequence[Person], on_page: set[Record]
    ) -> tuple[dict[str, list[Person]], dict[Record, MirrorRow]]:
        """Live people by email, and the mirror's rows of those that are not on the page."""
        twins: dict[str, list[Person]] = defaultdict(list)
        for row in people:
            if row.email:
                twins[row.email].append(row)
        elsewhere: dict[Record, MirrorRow] = {}
        for email, found in (await self._mirror.people_by_email(self._connection.id, twins)).items():
            for mirrored in found:
                if mirrored.record not in on_page:
                    twins[email].append(_person(mirrored))
                    elsewhere[mirrored.record] = mirrored
        return dict(twins), elsewhere

    async def _links_of(self, ids: Iterable[str]) -> tuple[dict[str, list[Link]], set[Record]]:
        """Ours, by the record's id; and what other connections of the tenant have made for themselves."""
        settings = self._connection.settings
        wanted = [Record(module="any", id=key) for key in ids]  # looked up by id alone
        found: dict[str, list[Link]] = defaultdict(list)
        elsewhere: set[Record] = set()
        if wanted:
            links = await self._links.of_records(self._connection.organisation_id, settings.tenant_id, wanted)
            elsewhere = {link.record for link in links if link.made == "created"}
            for link in filter(self._is_ours, links):
                for record in (link.record, *link.earlier):
                    found[record.id].append(link)
        return dict(found), {record for record in elsewhere if record.id not in found}

    async def _with_opportunities(
        self, known: Known, rows: Sequence[Opportunity], mirrored: dict[Record, MirrorRow]
    ) -> Known:
        """Links of the people of opportunities, whom emails name as well as ids."""
        prospects = {who for row in rows for who in prospects_of(row, known)}
        prospects |= {
            who for row in mirrored.values() for who in row.details.get("people", "").split() if who
        }
        prospects -= known.linked.keys()
        if not prospects:
            return known
        links = await self._links.of_prospects(
            self._connection.organisation_id, prospects, self._connection.settings.team_scope
        )
        ours = {who: link for who, link in links.items() if self._is_ours(link)}
        return replace(known, linked={**known.linked, **ours})

    def _is_ours(self, link: Link) -> bool:
        return link.state is LinkState.LINKED and self._connection.id in link.connections


def _person(row: MirrorRow) -> Person:
    """As much of a person as matching asks for."""
    created = row.details.get("created_at")
    converted = row.known(CONVERTED)  # also while we convert it: its contact may be read before it
    return Person(
        row.record,
        kind=row.kind if row.kind in ("lead", "contact", "target") else "lead",
        email=row.email,
        created_at=datetime.fromisoformat(created) if created else None,
        open=row.details.get("open") != "false",
        status=row.values.get(STATUS) or None,
        opted_out={"true": True, "false": False}.get(row.values.get(OPTED_OUT, "")),
        converted_to=Record(module="contact", id=converted) if converted else None,
    )
