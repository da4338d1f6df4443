"""Companies. One that nobody is responsible for is held back, and what hangs on it knows why. Pure."""

from leadbus.connector.contract import Account, Row
from leadbus.connector.pulling.problems import problem_of
from leadbus.connector.stores.mirror import OWNER
from leadbus.connector.taking.known import Known, Taken, frees, gone, is_first, remembered
from leadbus.connector.taking.telling import about_record
from leadbus.messages import AccountChanged
from leadbus.topics import CRM_ACCOUNTS

NAME = "name"


def take(row: Row, known: Known) -> Taken:
    """Published as it stands whenever something of it is news."""
    before = known.before(row)
    if row.deleted or not isinstance(row, Account):
        after = gone(row, known)
        if after is None or before is None:
            return Taken()
        event = about_record(AccountChanged, row, known, "deleted", name=after.name)
        told = [] if is_first(before) else [(CRM_ACCOUNTS, event)]
        return Taken([*told], after, set(), frees(before, after))
    values = {**row.values, NAME: row.name, OWNER: row.owner_id or ""}
    after = remembered(row, "account", known, values, problem_of(row, "account", known))
    after.name = row.name
    facts = known.fields.from_crm("account", values)
    told_before = known.fields.from_crm("account", before.values) if before else {}
    freed = frees(before, after) or facts != told_before  # its people are told with them
    read = {pair.theirs for pair in known.fields.pairs.get("account", {}).values() if pair.read}
    told_names = (read | {NAME, OWNER}) & values.keys()
    is_news = is_first(before) or (before and any(before.is_news(n, values[n]) for n in told_names))
    if not is_news or (after.problem is not None and after.problem.blocking):
        return Taken([], after, set(), freed)
    event = about_record(
        AccountChanged,
        row,
        known,
        [values, facts],  # the same values may be those of other fields of ours by now
        name=row.name,
        owner_email=known.owner_email(row.owner_id),
        fields=facts,
    )
    return Taken([(CRM_ACCOUNTS, event)], after, set(), freed)
