"""Where a reading goes on: tokens that stay good after a restart, and the marks of change tracking. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zlib import crc32

from connector_dynamics.translation import MODULES
from leadbus.connector.capabilities import Kind


@dataclass(frozen=True, slots=True)
class Marks:
    """Where change tracking stood, by entity, with a sign of the attributes that were read then.

    The CRM's own mark holds these attributes, so that another choice of them needs another mark.
    """

    of: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, mark: str | None) -> "Marks":
        """From `text`."""
        known = json.loads(mark) if mark else {}
        return cls({entity: (sign, token) for entity, (sign, token) in known.items()})

    def text(self) -> str | None:
        """None where no entity is tracked."""
        return json.dumps(self.of, separators=(",", ":")) if self.of else None

    def having(self, entity: str, attributes: Sequence[str], token: str) -> "Marks":
        """With another one."""
        return Marks({**self.of, entity: (sign(attributes), token)})

    def fits(self, entity: str, attributes: Sequence[str]) -> bool:
        """Whether the entity's mark was made with these attributes."""
        return entity in self.of and self.of[entity][0] == sign(attributes)

    def token(self, entity: str) -> str | None:
        """The CRM's own mark."""
        return self.of[entity][1] if entity in self.of else None


def sign(attributes: Sequence[str]) -> str:
    """Another one for other attributes."""
    return f"{crc32(','.join(sorted(attributes)).encode()):08x}"


@dataclass(frozen=True, slots=True)
class Place:
    """In the rows of a kind. page: where the entity's reading goes on, None = at its beginning.

    server_time: see `Page`. marks: made on the way here. by_time: the entity's changes are not tracked. sign:
    of the attributes that the CRM's own pages have.
    """

    entity: str
    page: str | None = None
    server_time: datetime | None = None
    marks: Marks = Marks()
    by_time: bool = False
    sign: str = ""

    @classmethod
    def of(cls, token: str) -> "Place":
        """From `token`."""
        entity, page, at, marks, *rest = json.loads(token)
        return cls(entity, page, at and datetime.fromisoformat(at), Marks.read(marks), *rest)

    def token(self) -> str:
        """For `Place.of`."""
        at = self.server_time.isoformat() if self.server_time else None
        parts = [self.entity, self.page, at, self.marks.text(), self.by_time, self.sign]
        return json.dumps(parts, separators=(",", ":"))

    def at(self, page: str | None) -> "Place":
        """Further on in the same entity."""
        return replace(self, page=page)

    def skipping(self, kind: Kind) -> "Place | None":
        """At the kind's next entity; None after the last one."""
        entities = MODULES[kind]
        rest = entities[entities.index(self.entity) + 1 :]
        return replace(self, entity=rest[0], page=None, by_time=False) if rest else None
