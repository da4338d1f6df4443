"""A record's email address and its opt-out, on sites whose updates ignore both.

SuiteCRM from 7.10 on ignores email1 and email_opt_out of a record that exists (issues 10513, 9960, 8293).
There the row of the address itself is written, and tied to the record (measured on 7.12.5). Such a row is
shared by all records with that address.
"""

from collections.abc import Mapping, Sequence

from connector_sugar import faults
from connector_sugar.legacy import queries
from connector_sugar.legacy.client import LegacyClient
from connector_sugar.legacy.reading import ROWS_PER_READ, Reading
from connector_sugar.wire import Change, Entry
from leadbus.errors import LeadbusError, Rejected
from leadbus.ids import derived_id

_MODULE, _LINK = "EmailAddresses", "email_addresses"
_FIELDS = ("id", "email_address", "opt_out")


def differs(change: Change, entry: Entry) -> bool:
    """Whether the record's primary address, or its opt-out, is another than the change wants."""
    primary = next((email for email in entry.emails if email.primary), None)
    if change.email and (primary is None or primary.address != change.email.strip().lower()):
        return True
    return change.opted_out is not None and primary is not None and primary.opted_out is not change.opted_out


class Addresses:
    """Writes rows of addresses over one client's sessions."""

    def __init__(self, client: LegacyClient, reading: Reading) -> None:
        self._client = client
        self._reading = reading

    async def write(
        self, module: str, changes: Sequence[Change], known: Mapping[str, Entry]
    ) -> dict[str, LeadbusError]:
        """What could not be done, by record. known: the records with the addresses they have."""
        primary = {
            key: email.address for key, entry in known.items() for email in entry.emails if email.primary
        }
        wanted = {c.id: (c.email or primary.get(c.id, "")).strip().lower() for c in changes}
        errors: dict[str, LeadbusError] = {}
        try:
            rows = await self._find({*wanted.values(), *(primary.get(c.id, "") for c in changes)} - {""})
            rows |= await self._write_rows(
                [(wanted[c.id], c.opted_out) for c in changes if wanted[c.id]], rows
            )
        except LeadbusError as error:
            return {change.id: error for change in changes}
        for change in changes:
            new, old = wanted[change.id], primary.get(change.id, "")
            try:
                if new and new not in rows:
                    errors[change.id] = Rejected(faults.BAD_ADDRESS, "email")
                elif new and new != old:
                    await self._tie(module, change.id, rows[new], traces=change.traceparent)
                    if old in rows:
                        await self._tie(module, change.id, rows[old], off=True, traces=change.traceparent)
            except LeadbusError as error:
                errors[change.id] = error
        return errors

    async def _find(self, addresses: set[str]) -> dict[str, str]:
        """Ids of the rows of these addresses."""
        found: dict[str, str] = {}
        ordered = sorted(addresses)
        for at in range(0, len(ordered), ROWS_PER_READ):
            query = queries.addresses(ordered[at : at + ROWS_PER_READ])
            for entry in await self._reading.matching(_MODULE, query, _FIELDS):
                found.setdefault(entry.values.get("email_address", "").strip().lower(), entry.id)
        return {address: key for address, key in found.items() if address in addresses}

    async def _write_rows(
        self, wanted: Sequence[tuple[str, bool | None]], known: Mapping[str, str]
    ) -> dict[str, str]:
        """Creates rows that are missing, and writes the opt-outs that were asked for; ids of the new ones."""
        opted_out: dict[str, bool | None] = {}
        for address, flag in wanted:
            opted_out[address] = opted_out.get(address) if flag is None else flag
        made: dict[str, str] = {}
        pairs: list[Mapping[str, str]] = []
        for address, flag in opted_out.items():
            told = {} if flag is None else {"opt_out": str(int(flag))}
            if address in known:
                pairs += [{"id": known[address], **told}] if told else []
                continue
            # Derived, so that two who add the same address make one row.
            made[address] = derived_id("sugar", "email address", address)
            both = {"email_address": address, "email_address_caps": address.upper()}
            pairs.append({"id": made[address], "new_with_id": "1", **both, **told})
        if pairs:
            stored = set(await self._client.call("set_entries", _MODULE, pairs, writing=True))
            made = {address: key for address, key in made.items() if key in stored}
        return made

    async def _tie(
        self, module: str, key: str, address: str, *, off: bool = False, traces: bytes | None = None
    ) -> None:
        done = await self._client.call(
            "set_relationship",
            *(module, key, _LINK, [address], {} if off else {"primary_address": "1"}, int(off)),
            writing=True,
            traces=[traces] if traces else [],
        )
        if not done:
            raise Rejected(faults.NOT_LINKED)
