"""What fields a CRM's records have, as it described them last, in `<service>.descriptions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from leadbus.connector.capabilities import Kind
from leadbus.connector.contract import FieldInfo
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client

FRESH = timedelta(hours=1)
"""How long a description is taken as it is."""


@dataclass(frozen=True, slots=True)
class Description:
    """Of one kind of record of one connection's CRM; the fields are by name."""

    connection_id: str
    kind: Kind
    fields: tuple[FieldInfo, ...]
    fetched_at: datetime

    @property
    def is_fresh(self) -> bool:
        """Whether the CRM need not be asked again yet."""
        return datetime.now(UTC) - self.fetched_at < FRESH


_CODEC = Codec(Description)


class Descriptions:
    """Written by whoever asks a CRM: save and test, and those who want to see its fields."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.descriptions"]

    async def of(self, connection_id: str, kind: Kind) -> Description | None:
        """None = never asked for."""
        row = await self._collection.find_one({"_id": f"{connection_id}/{kind}"})
        return _CODEC.decode(row) if row else None

    async def keep(self, connection_id: str, kind: Kind, fields: Sequence[FieldInfo]) -> Description:
        """As the CRM describes them now."""
        ordered = tuple(sorted(fields, key=lambda info: info.name))
        kept = Description(connection_id, kind, ordered, datetime.now(UTC))
        name = f"{connection_id}/{kind}"
        await self._collection.replace_one({"_id": name}, _CODEC.encode(kept), upsert=True)
        return kept
