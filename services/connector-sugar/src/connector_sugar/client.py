"""What the adapter needs of a SugarCRM site, whatever protocol it speaks: the port of two implementations.

`legacy` (SOAP v2, v4, v4_1 and REST v4_1: one set of operations, two encodings) and `modern` (REST v10 to
v11_x); `probing` chooses between them.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from connector_sugar.wire import Change, Entry, Listing, Relation, SiteInfo
from leadbus.connector.contract import Created, FieldInfo, Outcome


class Site(Protocol):
    """One SugarCRM site, signed in to with one user. Raises as `leadbus.connector.contract` says.

    record_path: of the page on which a person sees a record, below the site's address; has {module}, {id}.
    """

    record_path: str

    async def info(self) -> SiteInfo:
        """Flavor, version, clock; needs no more than the site's answer."""
        ...

    async def sign_in(self) -> None:
        """Signs in if that has not happened yet: AuthRefused and so on come from here first."""
        ...

    async def user_id(self) -> str:
        """The id of the user we are signed in as."""
        ...

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """By module; what is missing does not exist for our user."""
        ...

    async def fields(self, module: str) -> list[FieldInfo]:
        """Fields of a module with their options."""
        ...

    async def teams(self) -> Mapping[str, str]:
        """Ids of all teams by name. Raises Unsupported where the edition has none."""
        ...

    async def by_id(
        self, module: str, ids: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """Rows by id, deleted ones marked so.

        teams: ids; only rows that belong to one of them, none = all rows. The same in the verbs below.
        """
        ...

    async def by_email(
        self, module: str, emails: Collection[str], fields: Collection[str], *, teams: Collection[str] = ()
    ) -> list[Entry]:
        """Live rows that have one of these addresses (lower case), primary or not; perhaps a few others."""
        ...

    async def by_value(
        self,
        module: str,
        name: str,
        values: Collection[str],
        fields: Collection[str],
        *,
        teams: Collection[str] = (),
    ) -> list[Entry]:
        """Live rows whose field has one of these values, compared without regard to case."""
        ...

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
        """Rows by time of change, then id: those from `since` on, or after the last (time, id) seen.

        With since=None live rows only, else deleted ones too, marked so. after: the last row's `modified_at`
        in ISO 8601, and its id. `teams` count only in modules that have them.
        """
        ...

    async def linked(self, module: str, id: str, link: str, offset: int) -> Listing:
        """Rows related by a link, with id and emails alone."""
        ...

    async def create(self, module: str, changes: Sequence[Change]) -> list[Created]:
        """Creates rows under the ids given, whole batches per call; Conflict where the id exists.

        A site that gives ids of its own answers those.
        """
        ...

    async def update(self, module: str, changes: Sequence[Change]) -> list[Outcome]:
        """Writes rows that exist; Gone where the row was deleted."""
        ...

    async def relate(self, relations: Sequence[Relation]) -> list[Outcome]:
        """Relates rows that exist, or parts them; those that are (or are not) related already stay so.

        Gone where the site tells that one of them was deleted; the older services do not.
        """
        ...

    async def close(self) -> None:
        """Ends sessions; never raises."""
        ...
