"""What scoring holds of a person."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.erasing.holdings import Holding, Person, as_json
from leadbus.event_types import BY_NUMBER
from leadbus.storage.mongo import Document
from scoring.history import History
from scoring.prospect import Key
from scoring.prospect_documents import document_id

PROSPECTS = "scoring.prospects"


async def holdings(person: Person, session: AsyncClientSession | None = None) -> list[Holding]:
    """What scoring holds of a person: one document."""
    return [Holding(PROSPECTS, {"_id": document_id(Key(*person))}, shown=_shown)]


def _shown(document: Document) -> Any:
    """As it is kept, but that counted events can be read."""
    named = [each | {"rows": _rows(each["rows"])} for each in document.get("named", ())]
    rows = {name: _rows(document[name]) for name in ("rows", "passed") if name in document}
    return as_json(document | rows | ({"named": named} if named else {}))


def _rows(packed: bytes) -> list[Document]:
    return [
        {
            "at": datetime.fromtimestamp(row.at / 1000, UTC),
            "event_id": UUID(bytes=row.id),
            "type": BY_NUMBER.get(row.type, row.type),
            "millipoints": row.millipoints,
        }
        for row in History(bytearray(packed))
    ]
