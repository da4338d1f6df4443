"""The status of a lead: what was said here in the tenant's words, as the CRM's value for it. Pure."""

from datetime import datetime

from leadbus.connector import statuses
from leadbus.connector.capabilities import PersonKind
from leadbus.connector.connection import Connection
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.plan_fields import Present
from leadbus.connector.stores.mirror import STATUS


def wanted(delivery: Delivery, connection: Connection) -> str | None:
    """The CRM's value for a status that is not dealt with; None = there is none."""
    said = delivery.lead_status
    return statuses.in_the_crm(connection.settings, said.value) if said is not None and said.pending else None


def status_of(
    delivery: Delivery, connection: Connection, kind: PersonKind, record: Present, *, matched: bool
) -> tuple[str | None, str]:
    """The value to write to an existing record, None = it stays as it is; and what is to be said of that.

    Said here, it is always written, unless the CRM's was given later. matched: the record was found just now.
    """
    said, present = delivery.lead_status, record.person.status
    if said is None or not said.pending:
        return None, ""
    if kind != "lead":
        return None, "status kept here (only leads have one in the CRM)"
    value = wanted(delivery, connection)
    if value is None:
        return None, "status kept here (none of the CRM is mapped to it)"
    if value == present:
        return None, ""
    since = _since(record, present or "", matched=matched)
    if since is not None and since > said.at:
        return None, "status kept (theirs is newer)"
    return value, "status written"


def _since(record: Present, present: str, *, matched: bool) -> datetime | None:
    """When a salesperson gave the record its status, as far as can be known; None = not known, or it is ours.

    Of a record found just now it is known only since when it stands as it does.
    """
    if record.values.get(STATUS) == present:
        return record.changed.get(STATUS)
    if not matched and (record.is_ours(STATUS, present) or STATUS not in record.values):
        return None
    return record.person.changed_at
