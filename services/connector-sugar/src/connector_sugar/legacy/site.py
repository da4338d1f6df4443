"""A site of the older family: implements `connector_sugar.client.Site` by SOAP or by legacy REST."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import httpx

from connector_sugar import faults
from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.legacy import queries
from connector_sugar.legacy.client import LegacyClient
from connector_sugar.legacy.json import Json
from connector_sugar.legacy.operations import Encoding, FieldRow, Rights
from connector_sugar.legacy.reading import Reading, limit, table_of
from connector_sugar.legacy.relating import relate
from connector_sugar.legacy.soap import Soap
from connector_sugar.legacy.values import Types, field_info
from connector_sugar.legacy.writing import Writing
from connector_sugar.settings import SugarAccess
from connector_sugar.wire import Change, Entry, Listing, Relation, SiteInfo
from leadbus.connector.contract import Created, FieldInfo, Outcome
from leadbus.connector.observing import OnCall
from leadbus.errors import Unsupported

SESSIONS = CAPABILITIES.concurrent_calls
_ENCODINGS: Mapping[str, Callable[[], Encoding]] = {"soap": Soap, "rest": Json}
_READ, _WRITE = frozenset({"list", "view"}), frozenset({"edit"})


class LegacySite:
    """See `connector_sugar.client.Site`. read_timeout: seconds a call may take once it is sent.

    why: a sentence about what better protocol could not be chosen.
    """

    record_path = "index.php?module={module}&action=DetailView&record={id}"

    def __init__(
        self,
        access: SugarAccess,
        encoding: Literal["soap", "rest"] = "soap",
        *,
        why: str = "",
        on_call: OnCall | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = LegacyClient(
            access,
            _ENCODINGS[encoding](),
            sessions=SESSIONS,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            on_call=on_call,
            transport=transport,
        )
        types = Types(self._describe)
        self._reading = Reading(self._client, types)
        self._writing = Writing(self._client, self._reading, types)
        self._user_id: str | None = None
        self._why = f" {why}" if why else ""

    async def info(self) -> SiteInfo:
        """See `Site`."""
        told = await self._client.server_info()
        try:
            now = queries.moment(told["gmt_time"])
        except ValueError:
            raise faults.UNREADABLE.error(writing=False) from None
        return SiteInfo(told["flavor"], told["version"], now, f"{self._client.choice}{self._why}")

    async def sign_in(self) -> None:
        """See `Site`."""
        await self._client.sign_in()

    async def user_id(self) -> str:
        """See `Site`."""
        if self._user_id is None:
            self._user_id = await self._client.call("get_user_id")
        return self._user_id

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """See `Site`."""
        granted: Rights = await self._client.call("get_available_modules", "all")
        kinds: Sequence[tuple[Literal["read", "write"], frozenset[str]]] = (
            ("read", _READ),
            ("write", _WRITE),
        )
        return {
            module: frozenset(kind for kind, actions in kinds if actions <= known)
            for module, known in granted.items()
        }

    async def fields(self, module: str) -> list[FieldInfo]:
        """See `Site`."""
        return [field_info(row) for row in await self._describe(module)]

    async def teams(self) -> Mapping[str, str]:
        """See `Site`."""
        try:
            rows = await self._reading.matching("Teams", "", ("id", "name"))
        except Unsupported:
            raise Unsupported(faults.NO_TEAMS) from None
        return {row.values.get("name", ""): row.id for row in rows}

    async def by_id(
        self, module: str, ids: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """See `Site`."""
        return await self._reading.by_id(module, ids, fields, teams=teams)

    async def by_email(
        self, module: str, emails: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """See `Site`."""
        query = queries.both(queries.with_emails(module, emails), limit(module, teams))
        return await self._reading.matching(module, query, fields)

    async def by_value(
        self,
        module: str,
        name: str,
        values: Collection[str],
        fields: Collection[str],
        *,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """See `Site`."""
        found = queries.with_values(table_of(module), name, values)
        return await self._reading.matching(module, queries.both(found, limit(module, teams)), fields)

    async def changed(
        self,
        module: str,
        since: datetime | None,
        after: tuple[str, str] | None,
        fields: Collection[str],
        links: Mapping[str, Sequence[str]],
        *,
        teams: Collection[str] = (),
    ) -> Listing:
        """See `Site`."""
        return await self._reading.changed(module, since, after, fields, links, teams)

    async def linked(self, module: str, id: str, link: str, offset: int) -> Listing:
        """See `Site`. The service breaks off where there is no such row: then nothing is related to it."""
        try:
            return await self._reading.linked(module, id, link, offset)
        except faults.Died:
            known = await self._reading.by_id(module, [id], ())
            if all(entry.deleted for entry in known):
                return Listing([], more=False)
            raise

    async def create(self, module: str, changes: Sequence[Change]) -> list[Created]:
        """See `Site`."""
        outcomes = await self._writing.write(module, changes, creating=True)
        return [error or change.id for change, error in zip(changes, outcomes, strict=True)]

    async def update(self, module: str, changes: Sequence[Change]) -> list[Outcome]:
        """See `Site`."""
        return await self._writing.write(module, changes, creating=False)

    async def relate(self, relations: Sequence[Relation]) -> list[Outcome]:
        """See `Site`."""
        return await relate(self._client, relations)

    async def close(self) -> None:
        """See `Site`."""
        await self._client.close()

    async def _describe(self, module: str) -> Sequence[FieldRow]:
        found: Any = await self._client.call("get_module_fields", module, [])
        return list(found)
