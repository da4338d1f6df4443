"""A site of SugarCRM 7 and later: implements `connector_sugar.client.Site` by modern REST."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import httpx

from connector_sugar.faults import NO_TEAMS, UNREADABLE
from connector_sugar.modern import values
from connector_sugar.modern.client import ModernClient
from connector_sugar.modern.metadata import Metadata
from connector_sugar.modern.oauth import Session
from connector_sugar.modern.reading import Reading
from connector_sugar.modern.relating import relate
from connector_sugar.modern.requests import Request
from connector_sugar.modern.writing import Writing
from connector_sugar.wire import Change, Entry, Listing, Relation, SiteInfo
from leadbus.connector.contract import Created, FieldInfo, Outcome
from leadbus.connector.observing import OnCall
from leadbus.errors import Unsupported

Right = Literal["read", "write"]
_NEEDED: Mapping[Right, tuple[str, ...]] = {
    "read": ("access", "list", "view"),
    "write": ("access", "create", "edit"),
}
_EMAIL = "email_addresses.email_address"


class ModernSite:
    """See `connector_sugar.client.Site`.

    read_timeout: seconds a call may take once it is sent. anew: see `ModernClient`.
    """

    record_path = "#{module}/{id}"

    def __init__(
        self,
        session: Session,
        *,
        anew: bool = False,
        on_call: OnCall | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = ModernClient(
            session,
            anew=anew,
            on_call=on_call,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            transport=transport,
        )
        self._metadata = Metadata(self._client)
        self._reading = Reading(self._client, self._metadata)
        self._writing = Writing(self._client, self._metadata, self._reading)
        self._me: Mapping[str, Any] | None = None

    async def info(self) -> SiteInfo:
        """See `Site`. Modern REST tells nothing of itself before a sign-in."""
        query = {"type_filter": "server_info"}
        contents = await self._client.call(Request("GET", "/metadata", "GET metadata", query=query))
        try:
            told = contents["server_info"]
            flavor, version = str(told["flavor"]), str(told["version"])
            now = values.moment(told.get("gmt_time")) or values.moment(told.get("server_time"))
        except (LookupError, TypeError, AttributeError):
            now = None
        if now is None:
            raise UNREADABLE.error(writing=False)
        choice = (
            f"SugarCRM {flavor} {version} speaks REST {self._client.version}; that is used, because it takes"
            " whole batches and says which row it refuses."
        )
        return SiteInfo(flavor, version, now, choice)

    async def sign_in(self) -> None:
        """See `Site`. The newest version that the site speaks is found out first.

        Raises:
            NotServed: there is no modern REST.
        """
        await self._client.sign_in()

    async def user_id(self) -> str:
        """See `Site`."""
        if self._me is None:
            self._me = await self._ask_who()
        return str(self._me["id"])

    async def rights(self) -> Mapping[str, frozenset[Right]]:
        """See `Site`. The site names only what is denied."""
        query = {"type_filter": "full_module_list"}
        contents = await self._client.call(Request("GET", "/metadata", "GET metadata", query=query))
        self._me = await self._ask_who()
        denied = self._me.get("acl")
        modules = contents.get("full_module_list") if isinstance(contents, dict) else None
        if not isinstance(modules, dict):
            raise UNREADABLE.error(writing=False)
        # PHP writes an empty map as a list.
        acls = denied if isinstance(denied, dict) else {}
        return {name: _rights(acls.get(name)) for name in modules if not name.startswith("_")}

    async def fields(self, module: str) -> list[FieldInfo]:
        """See `Site`."""
        return await self._metadata.describe(module)

    async def teams(self) -> Mapping[str, str]:
        """See `Site`."""
        try:
            rows = await self._reading.matching("Teams", [], ("name",))
        except Unsupported:
            raise Unsupported(NO_TEAMS) from None
        return {row.values.get("name", ""): row.id for row in rows}

    async def by_id(
        self, module: str, ids: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """See `Site`."""
        return await self._reading.by_id(module, ids, fields, teams=teams)

    async def by_email(
        self, module: str, emails: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """See `Site`. Several modules that are asked for at the same moment cost one call."""
        return await self._reading.by_value(module, _EMAIL, emails, fields, teams)

    async def by_value(
        self,
        module: str,
        name: str,
        values: Collection[str],
        fields: Collection[str],
        *,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """See `Site`. The site's database compares without regard to case, as a rule."""
        return await self._reading.by_value(module, name, values, fields, teams)

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
        """See `Site`."""
        return await self._reading.linked(module, id, link, offset)

    async def create(self, module: str, changes: Sequence[Change]) -> list[Created]:
        """See `Site`."""
        return await self._writing.create(module, changes)

    async def update(self, module: str, changes: Sequence[Change]) -> list[Outcome]:
        """See `Site`."""
        return await self._writing.update(module, changes)

    async def relate(self, relations: Sequence[Relation]) -> list[Outcome]:
        """See `Site`."""
        return await relate(self._client, relations)

    async def close(self) -> None:
        """See `Site`."""
        await self._client.close()

    async def _ask_who(self) -> Mapping[str, Any]:
        contents = await self._client.call(Request("GET", "/me", "GET me"))
        user = contents.get("current_user") if isinstance(contents, dict) else None
        if not isinstance(user, dict) or not user.get("id"):
            raise UNREADABLE.error(writing=False)
        return user


def _rights(acl: Any) -> frozenset[Right]:
    denied = (
        {action for action, granted in acl.items() if granted == "no"} if isinstance(acl, dict) else set()
    )
    return frozenset(right for right, needed in _NEEDED.items() if denied.isdisjoint(needed))
