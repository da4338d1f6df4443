"""Records read again for fields that are new: as they were told, but for these. Pure.

Whatever else has changed of them comes in its turn, in the order in which it changed.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from leadbus.connector.capabilities import Capabilities
from leadbus.connector.contract import Account, Person, Row
from leadbus.connector.stores.mirror import CONVERTED, OPTED_OUT, STATUS, MirrorRow
from leadbus.connector.taking.known import Known, is_first
from leadbus.messages import Record

_TOLD = {"true": True, "false": False}


def as_they_were(
    rows: Sequence[Row], mirrored: Mapping[Record, MirrorRow], names: Set[str], capabilities: Capabilities
) -> list[Row]:
    """Those that were told before. names: fields, by the CRM's names, that are as read now.

    Left out is what was read anew meanwhile: these fields came with it.
    """
    found: list[Row] = []
    for row in rows:
        before = mirrored.get(row.record)
        if before is None or is_first(before) or row.deleted or _is_older(row, before):
            continue
        was = _as_it_was(row, before, names, capabilities)
        if was is not None:
            found.append(was)
    return found


def knowing_only(known: Known, names: Set[str]) -> Known:
    """As if these fields had never been read: whatever they hold is news."""
    forgotten = {
        record: replace(row, values={name: value for name, value in row.values.items() if name not in names})
        for record, row in known.mirrored.items()
    }
    return replace(known, mirrored=forgotten)


def _is_older(row: Row, before: MirrorRow) -> bool:
    return row.changed_at is not None and before.changed_at is not None and row.changed_at < before.changed_at


def _as_it_was(row: Row, before: MirrorRow, names: Set[str], capabilities: Capabilities) -> Row | None:
    values = {
        name: value if name in names else before.values.get(name, "") for name, value in row.values.items()
    }
    match row:
        case Person():
            contact = before.values.get(CONVERTED)
            module = capabilities.module_of("contact") if contact else ""
            return replace(
                row,
                values=values,
                owner_id=before.owner_id,
                changed_at=before.changed_at,
                email=before.email,
                status=before.values.get(STATUS) or None,
                opted_out=_TOLD.get(before.values.get(OPTED_OUT, "")),
                open=before.details.get("open") != "false",
                account_id=before.account_id,
                converted_to=Record(module=module, id=contact) if contact else None,
            )
        case Account():
            return replace(
                row,
                values=values,
                owner_id=before.owner_id,
                changed_at=before.changed_at,
                name=before.name,
            )
    return None
