"""The CRM's users: who is active can own leads. Pure."""

from dataclasses import replace

from leadbus.connector.contract import Row, User
from leadbus.connector.taking.known import Known, Taken, frees, gone, is_first, remembered
from leadbus.connector.taking.telling import about_record, valid_email
from leadbus.messages import UserChanged
from leadbus.topics import CRM_USERS


def take(row: Row, known: Known) -> Taken:
    """Published as they stand whenever something of them is news."""
    before = known.before(row)
    if row.deleted or not isinstance(row, User):
        after = gone(row, known)
        if after is None or before is None:
            return Taken()
        after = replace(after, active=False)
        left = about_record(
            UserChanged,
            row,
            known,
            "deleted",
            name=after.name,
            email=valid_email(after.email),
            active=False,
        )
        return Taken([] if is_first(before) else [(CRM_USERS, left)], after, set(), frees(before, after))
    values = {"name": row.name, "email": row.email or "", "active": str(row.active).lower()}
    after = remembered(row, "user", known, values, None)
    after.name, after.email, after.active = row.name, row.email, row.active
    freed = frees(before, after)
    if before is not None and not is_first(before) and before.values == values:
        return Taken([], after, set(), freed)
    event = about_record(
        UserChanged, row, known, values, name=row.name, email=valid_email(row.email), active=row.active
    )
    return Taken([(CRM_USERS, event)], after, set(), freed)
