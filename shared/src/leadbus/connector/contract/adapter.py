"""The verbs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from leadbus.connector.capabilities import Capabilities, Kind
from leadbus.connector.contract.answers import (
    Converted,
    Created,
    Finding,
    Limits,
    Outcome,
    Watch,
    WrittenCampaign,
)
from leadbus.connector.contract.rows import Account, CrmActivity, FieldInfo, Page, Person, Row
from leadbus.connector.contract.writes import (
    CampaignAsSent,
    CampaignMember,
    Conversion,
    NewAccount,
    NewActivity,
    NewPerson,
    PersonChange,
)
from leadbus.messages import Record


class Adapter(Protocol):
    """One connection's way into its CRM."""

    capabilities: Capabilities

    # Checking
    async def sign_in(self) -> list[Finding]:
        """Whether address, credentials and version serve, up to the first that does not; never raises."""
        ...

    async def rights(self) -> Mapping[str, frozenset[Literal["read", "write"]]]:
        """What our user may do, by module; a module that is missing does not exist for it."""
        ...

    async def teams(self) -> list[str]:
        """Names of the teams there are. Raises Unsupported where a CRM has none."""
        ...

    async def limits(self) -> Limits:
        """What the organisation bears; asks the CRM at most now and then."""
        ...

    async def describe(self, kind: Kind) -> list[FieldInfo]:
        """The fields of a kind of record, standard and custom."""
        ...

    # Reading
    async def find_by_email(self, emails: Sequence[str]) -> dict[str, list[Person]]:
        """Live people of every kind by email (given and answered in lower case); absent = none."""
        ...

    async def find_accounts(self, names: Sequence[str]) -> dict[str, list[Account]]:
        """Live accounts by name (as given; compared without regard to case); absent = none."""
        ...

    async def read(self, records: Sequence[Record]) -> dict[str, Row]:
        """These records by id, each as its kind's class, deleted ones marked so; absent = never existed."""
        ...

    async def changed(
        self, kind: Kind, since: datetime | None, page: str | None, mark: str | None = None
    ) -> Page[Row]:
        """Records changed at or after `since` (the CRM's clock), deletions among them; None = all that live.

        A page's token stays good after a restart. mark: of the last page of the pull before, if it had one.
        Raises Gone if the mark or the page is good no more: everything of the kind is read anew then.
        """
        ...

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """The people on a list. A page's token stays good after a restart."""
        ...

    async def activities_of(self, records: Sequence[Record]) -> dict[str, list[CrmActivity]]:
        """Live notes, tasks and calls on these people, with their texts, by the person's id; absent = none.

        Asked only of a CRM without ids of ours, when the answer to adding some was lost.
        """
        ...

    # Writing
    async def create(self, people: Sequence[NewPerson]) -> list[Created]:
        """Creates all; a row whose id exists answers Conflict."""
        ...

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """Makes contacts of leads; a lead that is one already answers its contact.

        Raises Unsupported where the CRM cannot do it.
        """
        ...

    async def update(self, changes: Sequence[PersonChange]) -> list[Outcome]:
        """Writes all; a row that was deleted answers Gone, one that has another version by now Conflict."""
        ...

    async def create_accounts(self, accounts: Sequence[NewAccount]) -> list[Created]:
        """Creates all; a row whose id exists answers Conflict."""
        ...

    async def add_activities(self, activities: Sequence[NewActivity]) -> list[Created]:
        """Adds all; a row whose id exists answers Conflict."""
        ...

    async def write_campaigns(self, campaigns: Sequence[CampaignAsSent]) -> list[WrittenCampaign]:
        """Creates those that are not there yet, changes the others.

        Asked again for one that exists under its id (or name), it answers that one, with its lists.
        """
        ...

    async def put_members(self, members: Sequence[CampaignMember]) -> list[Outcome]:
        """Puts people in campaigns (or on lists) or takes them out; who is in (or out) already is no error.

        Gone = the person, or the list, was deleted.
        """
        ...

    # Besides
    def interpret(self, body: bytes, content_type: str) -> list[Record]:
        """The records that a push from the CRM is about: only a hint that they are worth reading."""
        ...

    async def watch(self, url: str) -> Watch:
        """Has the CRM push to this address, for as long as it lets; asked again daily, and after a start.

        Raises Unsupported where a person enters the address in the CRM, or it pushes nothing.
        """
        ...

    def url_of(self, record: Record) -> str:
        """Where a person sees the record in the CRM."""
        ...

    async def close(self) -> None:
        """Ends sessions; never raises."""
        ...
