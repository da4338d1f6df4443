"""The SugarCRM adapter: each verb on top of a `Site`, whatever protocol that speaks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar

from connector_sugar import faults, hints, translation
from connector_sugar.campaigns import Campaigns
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.client import Site
from connector_sugar.looking import Looking
from connector_sugar.pages import MemberPlace, Place
from connector_sugar.settings import SugarConnection
from connector_sugar.translation import ACCOUNTS, ACTIVITIES, KINDS, LINKS, LISTS, MEMBERS, MODULES, PEOPLE
from connector_sugar.wire import Change
from leadbus.connector.capabilities import CONVERTING, Kind
from leadbus.connector.contract import (
    Account,
    CampaignAsSent,
    CampaignMember,
    Conversion,
    Converted,
    Created,
    CrmActivity,
    FieldInfo,
    Finding,
    Limits,
    NewAccount,
    NewActivity,
    NewPerson,
    Outcome,
    Page,
    Person,
    PersonChange,
    Row,
    Watch,
    WrittenCampaign,
)
from leadbus.connector.mapping import FieldMap
from leadbus.connector.together import chunks, together
from leadbus.errors import AddressRefused, AuthRefused, LeadbusError, Unsupported
from leadbus.messages import Record

Result = TypeVar("Result")
_Write = Callable[[str, Sequence[Change]], Awaitable[list[Result]]]
OpenSite = Callable[[], Awaitable[Site]]
"""Finds out what the address speaks; it is asked before the first verb, and again if that failed."""

_OLD_PAGE = "index.php?module={module}&action=DetailView&record={id}"


class SugarAdapter:
    """One connection's way into its SugarCRM; implements `leadbus.connector.contract.Adapter`.

    leave: called when it is closed, whether or not a site was opened.
    """

    capabilities = CAPABILITIES

    def __init__(
        self, connection: SugarConnection, open_site: OpenSite, leave: Callable[[], None] = lambda: None
    ) -> None:
        self._connection = connection
        self._open_site = open_site
        self._leave = leave
        self._opened: Site | None = None
        self._opening = asyncio.Lock()
        self._refused: AuthRefused | None = None
        self._teams: tuple[str, ...] | None = None
        fields = FieldMap.of(connection, CAPABILITIES)
        self._looking = Looking({module: fields.crm_fields(kind) for module, kind in KINDS.items()})

    # Checking

    async def sign_in(self) -> list[Finding]:
        """See `Adapter`."""
        findings: list[Finding] = []
        try:
            site = await self._site()
            info = await site.info()
            findings.append(Finding(True, f"The address answers as SugarCRM {info.flavor} {info.version}."))
            await site.sign_in()
            choice = (await site.info()).choice
            findings.append(Finding(True, f"The CRM accepts the user name and password. {choice}"))
        except LeadbusError as error:
            findings.append(
                Finding(
                    False,
                    str(error),
                    faults.WHY_TO_ANSWER,
                    faults.advice(error),
                    blocked=isinstance(error, AddressRefused),
                    refused=isinstance(error, AuthRefused),
                )
            )
        return findings

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Adapter`."""
        return await (await self._site()).rights()

    async def teams(self) -> list[str]:
        """See `Adapter`."""
        return sorted(await (await self._site()).teams())

    async def limits(self) -> Limits:
        """See `Adapter`. SugarCRM names none."""
        return Limits()

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """See `Adapter`. Of activities those of tasks."""
        return await (await self._site()).fields(CAPABILITIES.module_of(kind))

    # Reading

    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """See `Adapter`. A record counts for each of its addresses, not for its primary one only."""
        asked = set(emails)
        found: dict[str, list[Person]] = {}
        if not asked:
            return found
        site, teams = await self._site(), await self._team_ids()

        async def find(module: str, some: Sequence[str]) -> None:
            entries = await site.by_email(module, some, self._looking.fields(module), teams=teams)
            for row in await self._looking.rows(site, module, entries):
                if isinstance(row, Person):
                    for email in asked.intersection(row.emails):
                        found.setdefault(email, []).append(row)

        parts = list(chunks(sorted(asked), CAPABILITIES.rows_per_read))
        await together(find(module, some) for some in parts for module in PEOPLE)
        return found

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """See `Adapter`."""
        found: dict[str, list[Account]] = {}
        asked: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            asked.setdefault(name.strip().casefold(), []).append(name)
        if not asked:
            return found
        site, teams, fields = await self._site(), await self._team_ids(), self._looking.fields(ACCOUNTS)
        parts = chunks(sorted({name.strip() for name in names}), CAPABILITIES.rows_per_read)
        pages = await together(site.by_value(ACCOUNTS, "name", p, fields, teams=teams) for p in parts)
        rows = await self._looking.rows(site, ACCOUNTS, [entry for page in pages for entry in page])
        for row in rows:
            if isinstance(row, Account):
                for name in asked.get(row.name.strip().casefold(), ()):
                    found.setdefault(name, []).append(row)
        return found

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """See `Adapter`. Another team's records do not exist for a connection with teams."""
        ids = {m: sorted({r.id for r in records if r.module == m}) for m in {r.module for r in records}}
        parts = [
            (module, some)
            for module in sorted(ids.keys() & KINDS.keys())
            for some in chunks(ids[module], CAPABILITIES.rows_per_read)
        ]
        if not parts:
            return {}
        site, teams = await self._site(), await self._team_ids()
        pages = await together(self._looking.by_id(site, module, some, teams) for module, some in parts)
        return {row.record.id: row for page in pages for row in page}

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """See `Adapter`."""
        site, teams = await self._site(), await self._team_ids()
        place = Place.of(page) if page else Place((await site.info()).now, MODULES[kind][0])
        module = place.module
        listing = await site.changed(
            module, since, place.after, self._looking.fields(module), LINKS.get(module, {}), teams=teams
        )
        rows = await self._looking.rows(site, module, listing.entries)
        following = place.following(kind, listing)
        return Page(
            rows,
            following.token() if following else None,
            place.server_time,
            place.total(kind, listing),
        )

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`."""
        site = await self._site()
        place = MemberPlace.of(page) if page else MemberPlace((await site.info()).now)
        listing = await site.linked(LISTS, list_id, place.link, place.start)
        entries = place.new(listing)
        if entries is None:
            place = place.before()
            listing = await site.linked(LISTS, list_id, place.link, place.start)
            entries = listing.entries
        rows = [Record(module=MEMBERS[place.link], id=entry.id) for entry in entries]
        following = place.following(listing)
        return Page(rows, following.token() if following else None, place.server_time)

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """See `Adapter`. SugarCRM takes ids of ours: nobody asks."""
        raise Unsupported("SugarCRM refuses a second activity under the same id: none need be looked for.")

    # Writing

    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """See `Adapter`."""
        if not people:
            return []
        site, teams, score = await self._site(), await self._team_ids(), self._connection.score_field
        module_of = CAPABILITIES.module_of
        rows = [(module_of(new.kind), translation.new_person(new, score, teams)) for new in people]
        return await _written(rows, site.create)

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """See `Adapter`."""
        if not changes:
            return []
        site, score = await self._site(), self._connection.score_field
        rows = [(change.record.module, translation.person_change(change, score)) for change in changes]
        return await _written(rows, site.update)

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """See `Adapter`."""
        if not accounts:
            return []
        site, teams = await self._site(), await self._team_ids()
        owner = await site.user_id()
        rows = [(ACCOUNTS, translation.new_account(new, owner, teams)) for new in accounts]
        return await _written(rows, site.create)

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """See `Adapter`."""
        if not activities:
            return []
        site, teams, now = await self._site(), await self._team_ids(), datetime.now(UTC)
        rows = [(ACTIVITIES[new.type], translation.new_activity(new, now, teams)) for new in activities]
        return await _written(rows, site.create)

    async def write_campaigns(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """See `Adapter`."""
        return await (await self._campaigns()).write(campaigns) if campaigns else []

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """See `Adapter`."""
        return await (await self._campaigns()).put(members) if members else []

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """See `Adapter`."""
        raise Unsupported(CAPABILITIES.cannot[CONVERTING])

    # Besides

    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """See `Adapter`. SugarCRM's Web Logic Hooks are JSON, whatever they are called."""
        return hints.records_of(body)

    async def watch(self, url: str) -> Watch:
        """See `Adapter`."""
        raise Unsupported("In SugarCRM a person enters the hook's address, under Admin > Web Logic Hooks.")

    def url_of(self, record: Record) -> str:
        """See `Adapter`. As long as nothing was asked of the site, the page that both families understand."""
        path = self._opened.record_path if self._opened else _OLD_PAGE
        return f"{self._connection.access.url}/{path.format(module=record.module, id=record.id)}"

    async def close(self) -> None:
        """See `Adapter`."""
        try:
            if self._opened is not None:
                await self._opened.close()
        finally:
            self._leave()

    async def _site(self) -> Site:
        """The site, opened once; never again after it refused our credentials."""
        async with self._opening:
            if self._refused is not None:
                raise self._refused
            if self._opened is None:
                try:
                    self._opened = await self._open_site()
                except AuthRefused as error:
                    self._refused = error
                    raise
            return self._opened

    async def _campaigns(self) -> Campaigns:
        return Campaigns(await self._site(), await self._team_ids())

    async def _team_ids(self) -> tuple[str, ...]:
        """Ids of the connection's teams, in the settings' order; none = no team matters."""
        if not self._connection.teams:
            return ()
        if self._teams is None:
            there = await (await self._site()).teams()
            for name in self._connection.teams:
                if name not in there:
                    raise faults.unknown_team(name)
            self._teams = tuple(there[name] for name in self._connection.teams)
        return self._teams


async def _written(rows: Sequence[tuple[str, Change]], write: _Write[Result]) -> list[Result | LeadbusError]:
    """Outcomes in the order of the rows (module, change); raises where no module's rows could be settled."""
    places: dict[str, list[int]] = {}
    for place, (module, _) in enumerate(rows):
        places.setdefault(module, []).append(place)
    results = await asyncio.gather(
        *(_settled(write(module, [rows[place][1] for place in some])) for module, some in places.items())
    )
    failures = [result for result in results if isinstance(result, LeadbusError)]
    if failures and len(failures) == len(results):
        raise failures[0]
    outcomes: dict[int, Result | LeadbusError] = {}
    for some, result in zip(places.values(), results, strict=True):
        for at, place in enumerate(some):
            outcomes[place] = result if isinstance(result, LeadbusError) else result[at]
    return [outcomes[place] for place in range(len(rows))]


async def _settled(work: Awaitable[list[Result]]) -> list[Result] | LeadbusError:
    try:
        return await work
    except LeadbusError as error:
        return error
