"""What scoring by hand knows of a prospect, and how it is kept."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from leadbus.messages import MarketingEvent

COLLECTION = "scoring.prospects"


class Taken(NamedTuple):
    """A readable record. at: broker time in ms."""

    event: MarketingEvent
    at: int
    traceparent: bytes | None = None


class Recent(NamedTuple):
    """An activity. at: when it happened (ms)."""

    at: int
    event_id: str
    type: str
    subject: str | None
    url: str | None


@dataclass(slots=True)
class Lead:
    """A prospect's state: the fields of its document. qualified: for the tenant's one connection."""

    tenant: str
    prospect: str
    partition: int
    version: int = 0
    email: str | None = None
    score: int = 0
    at: int = 0
    rows: bytearray = field(default_factory=bytearray)
    recent: list[Recent] = field(default_factory=list)
    qualified: dict[str, Any] | None = None
    cools_at: int | None = None

    @property
    def id(self) -> str:
        """Of the document."""
        return f"{self.tenant}:{self.prospect}"

    @property
    def is_hot(self) -> bool:
        """Qualified, and not cooled since."""
        return self.qualified is not None and "cooled" not in self.qualified

    @property
    def is_cooled(self) -> bool:
        """Qualified once, and well below since."""
        return self.qualified is not None and "cooled" in self.qualified

    def document(self) -> dict[str, Any]:
        """As `scoring.prospect_documents.to_document` has it."""
        document = {
            "_id": self.id,
            "tenant_id": self.tenant,
            "prospect_id": self.prospect,
            "partition": self.partition,
            "version": self.version,
            "email": self.email,
            "score": self.score,
            "standing": 0,
            "at": self.at,
            "rows": bytes(self.rows),
            "sums": [],
            "fields": [],
            "recent": self.recent,
            "handed": [],
            "qualified": [self.qualified] if self.qualified else [],
            "linked": [],
        }
        return document if self.cools_at is None else document | {"cools_at": self.cools_at}


def lead_of(row: dict[str, Any]) -> Lead:
    """The inverse of `Lead.document`."""
    return Lead(
        row["tenant_id"],
        row["prospect_id"],
        row["partition"],
        row["version"],
        row["email"],
        row["score"],
        row["at"],
        bytearray(row["rows"]),
        [Recent(*recent) for recent in row["recent"]],
        row["qualified"][0] if row["qualified"] else None,
        row.get("cools_at"),
    )
