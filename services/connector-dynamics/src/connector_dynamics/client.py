"""What the adapter needs of a Dynamics organisation, whatever protocol it speaks: one port, two families.

`web_api` (Dynamics 365 and Dataverse, on-premises 8.0 and later) and `soap` (2011 to 2015, and later ones
whose Web API is shut); `probing` chooses between them. Queries are FetchXML in both: every version runs it,
a marketing list's own query is FetchXML too, and its paging cookie goes on where it stopped after any time.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from connector_dynamics.wire import Attribute, Entry, Info, Listing, Query, Reference, Write
from leadbus.connector.contract import Created, Outcome


class Organisation(Protocol):
    """One organisation, signed in to with one user. Raises as `leadbus.connector.contract` says.

    Besides, of a whole call: Unsupported for an entity or attribute that is not there, or that our user may
    not read.
    """

    calls: int
    """That are sent at once at most: of the organisation, by all adapters in this process together."""

    async def info(self) -> Info:
        """Asked for now and then."""
        ...

    # Reading

    async def query(self, query: Query, page: str | None = None) -> Listing:
        """Rows in order. page: `Listing.next` of the page before, of the same query."""
        ...

    async def fetch(self, fetch_xml: str, attributes: Sequence[str], page: str | None = None) -> Listing:
        """A FetchXML query that was written by somebody else, such as a dynamic list's.

        Its own columns, order and paging are replaced by `attributes` and by the entity's id as the order.

        Raises:
            Unsupported: it is no FetchXML, or one that groups rows.
        """
        ...

    async def retrieve(self, entity: str, ids: Collection[str], attributes: Sequence[str]) -> list[Entry]:
        """These rows, in any order; those that are not there are missing."""
        ...

    async def tracks(self, entity: str) -> bool:
        """Whether `changes` works for it."""
        ...

    async def changes(
        self, entity: str, attributes: Sequence[str], mark: str | None, page: str | None = None
    ) -> Listing:
        """Rows written or deleted since the mark; mark=None: all that live, and the first mark.

        Rows come in no order, deleted ones with their id alone. The mark is on the last page.

        Raises:
            Gone: the mark is too old, begin again without one.
            Unsupported: see `tracks`.
        """
        ...

    # Metadata

    async def attributes(self, entity: str, *, fresh: bool = False) -> list[Attribute]:
        """All columns; kept for an hour, unless asked for as they are now (fresh).

        Raises:
            Unsupported: there is no such entity.
        """
        ...

    async def privileges(self, names: Collection[str]) -> frozenset[str]:
        """Which of these (`prvReadLead`) our user holds, by its own roles or its teams'."""
        ...

    # Writing: each row by itself, in as few calls as there may be, side by side

    async def create(self, entity: str, rows: Sequence[Write]) -> list[Created]:
        """Creates rows under their ids; Conflict where the id exists.

        The CRM's published rules against duplicates apply: Rejected where one is broken.
        """
        ...

    async def update(self, entity: str, rows: Sequence[Write]) -> list[Outcome]:
        """Changes rows that exist; Gone where there is none; Conflict where the version is another one."""
        ...

    async def delete(self, entity: str, ids: Sequence[str]) -> list[Outcome]:
        """Deletes rows; Gone where there is none."""
        ...

    async def qualify(
        self, lead_id: str, *, account: bool, contact: bool, status: int = 3, traceparent: bytes | None = None
    ) -> list[Reference]:
        """Qualifies a lead; what was created for it (account, contact; never an opportunity).

        Raises:
            Gone: there is no such lead.
            Rejected: it is not open, or something about it keeps the CRM from doing it.
        """
        ...

    async def add_to_campaign(self, campaign_id: str, list_id: str, traceparent: bytes | None = None) -> None:
        """Gives a campaign a marketing list.

        Raises:
            Gone: there is no such campaign or list.
            Conflict: it has that list.
        """
        ...

    async def add_members(
        self, list_id: str, entity: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """Puts leads or contacts (entity) on a static list; all of them or none.

        Raises:
            Gone: there is no such list, or one of them is not there.
            Rejected: it is a dynamic one, or for another kind.
        """
        ...

    async def remove_members(
        self, list_id: str, ids: Sequence[str], traces: Sequence[bytes | None] = ()
    ) -> None:
        """Takes them off a static list; one that is not on it is no error.

        Raises:
            Gone: there is no such list; or the same as if nobody were on it.
        """
        ...

    async def close(self) -> None:
        """Never raises."""
        ...
