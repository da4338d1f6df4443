"""What the steps of a working-off share: the connection, its adapter, and what is remembered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from leadbus.connector.capabilities import PersonKind
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter, User
from leadbus.connector.delivering.plan_assignment import rule_owner
from leadbus.connector.delivering.work import Work
from leadbus.connector.link import Link, LinkState, Made, record_id
from leadbus.connector.mapping import FieldMap
from leadbus.connector.stores.asked import Asked
from leadbus.connector.stores.campaigns import Campaigns
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.members import Members
from leadbus.connector.stores.mirror import Mirror
from leadbus.errors import Fenced
from leadbus.messages import Record
from leadbus.telemetry.propagation import trace_id_of

MOST_PAGES = 50
"""Of users that are read because none has been pulled yet."""


@dataclass(frozen=True, slots=True)
class Context:
    """See the module; the same for as long as the connection's settings stay what they are.

    writes_scores: also to records that are given nothing else. members: None where nothing is written, so
    that nobody is put on a list.
    """

    connection: Connection
    adapter: Adapter
    links: Links
    mirror: Mirror
    deliveries: Deliveries
    asked: Asked
    campaigns: Campaigns
    fields: FieldMap
    holds_lease: Callable[[], bool]
    writes_scores: bool = False
    members: Members | None = None

    def before_writing(self) -> None:
        """Raises Fenced if another pod may work this organisation by now."""
        if not self.holds_lease():
            raise Fenced("Another pod may work this CRM organisation by now.")

    def kind_of(self, record: Record) -> PersonKind:
        """What a person's record is."""
        return self.adapter.capabilities.person_kind_of(record.module)

    def link(self, work: Work, record: Record, state: LinkState, made: Made) -> Link:
        """To another record than before, perhaps; where the lead came from stays."""
        connection = self.connection
        if work.link is not None:
            return replace(
                work.link, record=record, state=state, since=now(), made=made, made_by=connection.id
            )
        return Link(
            organisation_id=connection.organisation_id,
            prospect_id=work.delivery.prospect_id,
            tenant_id=work.delivery.tenant_id,
            record=record,
            state=state,
            since=now(),
            made=made,
            made_by=connection.id,
            team_scope=connection.settings.team_scope,
        )

    async def remember(self, works: Sequence[Work]) -> None:
        """Who delivers to each record, and where its lead came from."""
        changed: list[Link] = []
        for work in works:
            if work.link is None:
                continue
            origins = [c.origin for c in work.delivery.creators.values() if c.origin]
            trace_id = trace_id_of(work.delivery.traceparent)
            is_news = work.link.remember(self.connection.id, origins, trace_id)
            if is_news or work.outcome != "updated":
                changed.append(work.link)
        await self.links.save(changed)

    def contact_to_be(self, email: str) -> Record:
        """What stands in for the contact that a lead is made, until its id is known."""
        connection = self.connection
        key = record_id(connection.organisation_id, connection.settings.team_scope, email, 0)
        return Record(module=self.adapter.capabilities.module_of("contact"), id=key)

    async def stood_in(self, made: Mapping[Record, Record]) -> None:
        """Records that the CRM has given ids, by what stood in for them: what was intended moves there."""
        if made:
            known = await self.mirror.of_records(self.connection.id, made)
            meant = {made[stand_in]: row.ours for stand_in, row in known.items()}
            await self.mirror.intend(self.connection.id, meant)
            await self.mirror.forget(self.connection.id, made)

    async def owner_ids(self, works: Sequence[Work]) -> dict[str, str]:
        """The CRM's users that requests, rules and tasks name, by email; who is no active user is missing."""
        named = {task.owner_email for work in works for task in work.delivery.tasks.values()}
        named |= {w.delivery.terms.request.owner_email for w in works if w.delivery.terms}
        named |= {w.delivery.owner.email for w in works if w.delivery.owner}
        named |= {rule_owner(w.delivery, self.connection, is_there=w.has_record) for w in works}
        named |= {self.connection.settings.main_user}
        found: dict[str, str] = {}
        for email in filter(None, named):
            user = await self.mirror.user_by_email(self.connection.id, email)
            if user is not None:
                found[email] = user.record.id
        if any(named) and not found and not await self.mirror.has_users(self.connection.id):
            return await self._users()
        return found

    async def _users(self) -> dict[str, str]:
        """As the CRM has them: a connection that was just turned on delivers before they are pulled."""
        found: dict[str, str] = {}
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.adapter.changed("user", None, token)
            users = (row for row in page.rows if isinstance(row, User) and row.active and not row.deleted)
            found |= {user.email: user.record.id for user in users if user.email}
            token = page.next
            if token is None:
                break
        return found


def now() -> datetime:
    """In milliseconds, as MongoDB keeps it: compared with what was read back."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
