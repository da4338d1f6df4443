"""Which fields of a person were changed in the CRM: its supplier hears of these and of no others. Pure."""

from leadbus.connector.contract import Person
from leadbus.connector.link import Link
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.known import Known


def changed_fields(row: Person, known: Known, before: MirrorRow | None, link: Link | None) -> list[str]:
    """By our names, those that are read: other than when they were last read or written.

    What a field held when nobody had looked at it is no change; of a record that this connection made, it
    held nothing.
    """
    if before is None:
        return []
    is_ours = link is not None and (link.made, link.made_by) == ("created", known.connection.id)
    is_made = is_ours and before.kind is None
    return sorted(
        pair.ours
        for pair in known.fields.pairs.get(row.kind, {}).values()
        if pair.read and pair.theirs in row.values
        if is_made or pair.theirs in {*before.values, *before.ours}
        if before.is_news(pair.theirs, row.values[pair.theirs])
    )
