"""A prospect's CRM side, in one model: its records, opportunities, activities and lists, from the mirror."""

from typing import Any

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.mapping import FieldMap
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.mirror import OPTED_OUT, STATUS, MirrorRow

OPPORTUNITY = ("stage", "amount", "currency", "close_date", "probability", "lead_source")
ACTIVITY = ("type", "status", "priority", "due_at")


async def crm_side(
    connection: Connection, prospect_id: str, shop: PullShop, adapter: Adapter | None
) -> dict[str, Any] | None:
    """None if the CRM has no record of the prospect. adapter: for links into it and for field names."""
    mirror = shop.mirror
    people = [row for row in await mirror.of_prospect(connection.id, prospect_id) if not row.deleted]
    if not people:
        return None
    ids = [row.record.id for row in people]
    users = await mirror.get(connection.id, {row.owner_id for row in people if row.owner_id}, "user")
    accounts = await mirror.get(connection.id, {r.account_id for r in people if r.account_id}, "account")
    lists = await mirror.get(connection.id, await shop.members.lists_of(connection.id, ids), "list")
    fields = FieldMap.of(connection.settings, adapter.capabilities) if adapter else None

    def shown(row: MirrorRow, names: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "record": row.record.model_dump(),
            "name": row.name,
            "url": adapter.url_of(row.record) if adapter else None,
            "changed_at": row.changed_at,
            **{name: row.values.get(name) or None for name in names},
        }

    def person(row: MirrorRow) -> dict[str, Any]:
        owner, account = users.get(row.owner_id or ""), accounts.get(row.account_id or "")
        return {
            **shown(row),
            "kind": row.kind,
            "email": row.email,
            "fields": fields.from_crm(row.kind, row.values) if fields and row.kind else {},
            "status": row.values.get(STATUS) or None,
            "owner": {"name": owner.name, "email": owner.email, "active": owner.active} if owner else None,
            "account": shown(account) if account else None,
            "opted_out": {"true": True, "false": False}.get(row.values.get(OPTED_OUT, "")),
        }

    return {
        "connection_id": connection.id,
        "records": [person(row) for row in people],
        "opportunities": [
            shown(row, OPPORTUNITY) for row in await mirror.referring(connection.id, ids, "opportunity")
        ],
        "activities": [
            shown(row, ACTIVITY) for row in await mirror.referring(connection.id, ids, "activity")
        ],
        "lists": [shown(row, ("type",)) for row in lists.values()],
    }
