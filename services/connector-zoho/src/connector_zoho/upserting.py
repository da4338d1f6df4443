"""Records that are known by a value: whoever has that email, or the company of that name, is that one.

Zoho's documentation, upsert: after the fields that are named it looks for duplicates by all fields that only
one record may have. Somebody else with the same customer number would be written over, and get the email: so
such values are not upserted, but written afterwards by id, where Zoho refuses what another record has.
"""

from collections.abc import Mapping, Sequence

from connector_zoho import duplicates
from connector_zoho.client import ZohoClient
from connector_zoho.sending import Result, Sent, created, send
from connector_zoho.settling import answered
from leadbus.connector.contract import Created
from leadbus.errors import LeadbusError

_Key = tuple[str, str]
"""Module and value."""


class Upserting:
    """Of rows by one field. unique: the other fields whose value only one record may have, by module."""

    def __init__(self, client: ZohoClient, field: str, unique: Mapping[str, frozenset[str]]) -> None:
        self._client = client
        self._field = field
        self._unique = unique

    async def run(self, rows: Sequence[Sent]) -> list[Created]:
        """The records' ids. Rows of one record go as one: side by side they would become two.

        Raises:
            LeadbusError: nothing could be settled.
        """
        keys = [(row.module, duplicates.key(row.body[self._field])) for row in rows]
        merged: dict[_Key, Sent] = {}
        for key, row in zip(keys, rows, strict=True):
            merged[key] = merged[key].with_later(row) if key in merged else row
        extra = {"duplicate_check_fields": [self._field]}
        sent = await send(
            self._client, "POST", [self._upserted(r) for r in merged.values()], "/upsert", extra
        )
        results = dict(zip(merged, answered(sent), strict=True))
        made = {key: created(result, key[0]) for key, result in results.items()}
        made |= await self._others(results)
        made |= await self._complete(made, merged, results)
        return [made[key] for key in keys]

    def _is_late(self, row: Sent, name: str) -> bool:
        return name != self._field and name in self._unique.get(row.module, ())

    def _upserted(self, row: Sent) -> Sent:
        body = {name: value for name, value in row.body.items() if not self._is_late(row, name)}
        return Sent(row.module, body, row.traces)

    async def _others(self, results: Mapping[_Key, Result]) -> dict[_Key, Created]:
        """Of rows that another record stands in the way of: its id, if it is the same one."""
        others = {
            key: other
            for key, result in results.items()
            if isinstance(result, Mapping) and (other := duplicates.named(result, key[0]))
        }
        try:
            known = await duplicates.key_values(self._client, others.values(), self._field)
        except LeadbusError as error:
            return dict.fromkeys(others, error)
        return {
            key: other.record.id
            if (is_same := known.get(other.record) == key[1]) and other.record.module == key[0]
            else duplicates.refusal(other, is_same=is_same)
            for key, other in others.items()
        }

    async def _complete(
        self, made: Mapping[_Key, Created], rows: Mapping[_Key, Sent], results: Mapping[_Key, Result]
    ) -> dict[_Key, Created]:
        """Writes by id what was not upserted: of others everything, else what only one record may have."""
        late: dict[_Key, Sent] = {}
        for key, record in made.items():
            row, result = rows[key], results[key]
            is_written = isinstance(result, Mapping) and result.get("status") == "success"
            body = {n: v for n, v in row.body.items() if not is_written or self._is_late(row, n)}
            if body and isinstance(record, str):
                late[key] = Sent(row.module, {"id": record, **body}, row.traces)
        done = await send(self._client, "PUT", list(late.values()))
        return {key: created(result, key[0]) for key, result in zip(late, done, strict=True)}
