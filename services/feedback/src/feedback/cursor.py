"""Where a reader of changes stands: one place per partition, sealed in nothing, since it tells nothing."""

import base64
import json
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter

from leadbus.errors import Rejected
from leadbus.topics import PARTITIONS

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Seen = Annotated[list[_Count], Field(min_length=PARTITIONS, max_length=PARTITIONS)]
_TOLD: TypeAdapter[list[int]] = TypeAdapter(_Seen)


@dataclass(frozen=True, slots=True)
class Cursor:
    """seen: by partition, the count of its changes that the reader has seen."""

    seen: tuple[int, ...] = (0,) * PARTITIONS

    @property
    def places(self) -> list[tuple[int, int]]:
        """Each partition, and what was seen of it."""
        return list(enumerate(self.seen))

    def moved(self, partition: int, change: int) -> "Cursor":
        """After a change was seen."""
        return Cursor((*self.seen[:partition], change, *self.seen[partition + 1 :]))

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(self.seen).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """The inverse of `str`. Raises Rejected for what is no cursor."""
        try:
            told = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return cls(tuple(_TOLD.validate_json(told)))
        except ValueError:
            raise Rejected(
                "This is no cursor; leave it out to begin anew, or send one as an answer had it.",
                field="cursor",
            ) from None
