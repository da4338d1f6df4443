"""Records that stand in the way of one being written: which they are, and whether they are the same one.

Zoho's documentation, DUPLICATE_DATA: `details` name the field and, in `id` and `duplicate_record`, the other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.translation import LEADS, text
from connector_zoho.wire import outcomes
from leadbus.connector.together import chunks
from leadbus.errors import Conflict, LeadbusError, Rejected
from leadbus.messages import Record

CODE = "DUPLICATE_DATA"


@dataclass(frozen=True, slots=True)
class Other:
    """The record that is there. field: whose value both would have, by the CRM's name."""

    record: Record
    field: str | None


def named(row: Mapping[str, Any], module: str) -> Other | None:
    """The other record of a row's outcome; None if that is not what is wrong, or it is not named.

    module: where it is if the answer does not say.
    """
    if row.get("code") != CODE:
        return None
    details = _mapping(row.get("details"))
    duplicate = _mapping(details.get("duplicate_record"))
    record_id = text(duplicate.get("id") or details.get("id"))
    found = _mapping(duplicate.get("module")).get("api_name") or module
    field = text(details.get("api_name")) or None
    return Other(Record(module=str(found), id=record_id), field) if record_id else None


async def key_values(client: ZohoClient, others: Collection[Other], field: str) -> dict[Record, str]:
    """The value of a field (email or name) of each, in lower case; who is not there any more is missing."""
    found: dict[Record, str] = {}
    for module in sorted({other.record.module for other in others}):
        ids = sorted({other.record.id for other in others if other.record.module == module})
        for some in chunks(ids, CAPABILITIES.rows_per_read):
            params = {"ids": ",".join(some), "fields": field}
            if module == LEADS:
                params["converted"] = "both"
            answer = await client.call(f"GET {module}", "GET", f"/{module}", params=params)
            for row in outcomes(answer):
                found[Record(module=module, id=text(row["id"]))] = key(row.get(field))
    return found


def key(value: Any) -> str:
    """What is compared of an email or a name."""
    return text(value).strip().lower()


def refusal(other: Other, *, is_same: bool) -> LeadbusError:
    """Of another kind but the same person: to be looked for again. Somebody else: for a person to decide."""
    where = f"{other.record.module} {other.record.id}"
    if is_same:
        return Conflict(f"The CRM has this person already: {where}.")
    return Rejected(
        f"The CRM takes a value of {other.field or 'this field'} only once, and another record has it:"
        f" {where}. Change it in one of the two, or merge them in the CRM.",
        other.field,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
