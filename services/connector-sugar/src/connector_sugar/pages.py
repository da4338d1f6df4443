"""Where a reading goes on: tokens that stay good after a restart. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connector_sugar.translation import MEMBERS, MODULES
from connector_sugar.wire import Entry, Listing
from leadbus.connector.capabilities import Kind

STEP_BACK = 1_000
"""Members of a list: more are hardly taken off while one page of it is read."""


@dataclass(frozen=True, slots=True)
class Place:
    """In the changes of a kind: after the row with this time and id of a module.

    server_time: see `Page`. seen: rows of the module before it.
    """

    server_time: datetime
    module: str
    after: tuple[str, str] | None = None
    seen: int = 0

    def token(self) -> str:
        return json.dumps([self.server_time.isoformat(), self.module, self.after, self.seen])

    @classmethod
    def of(cls, token: str) -> "Place":
        server_time, module, after, seen = json.loads(token)
        return cls(datetime.fromisoformat(server_time), module, tuple(after) if after else None, seen)

    def following(self, kind: Kind, listing: Listing) -> "Place | None":
        """Where the next page begins: in this module, or else in the kind's next one."""
        if listing.more and listing.entries:
            last = listing.entries[-1]
            time = last.modified_at.isoformat() if last.modified_at else ""
            return Place(self.server_time, self.module, (time, last.id), self.seen + len(listing.entries))
        modules = MODULES[kind]
        rest = modules[modules.index(self.module) + 1 :]
        return Place(self.server_time, rest[0]) if rest else None

    def total(self, kind: Kind, listing: Listing) -> int | None:
        """Of all pages: the site counts from this one on, and only this module."""
        counted = listing.total is not None and len(MODULES[kind]) == 1
        return self.seen + (listing.total or 0) if counted else None


@dataclass(frozen=True, slots=True)
class MemberPlace:
    """Among the people on a list: at this place of a link.

    last: the id of the one before it. Each page begins with that one again: if it does not, somebody was
    taken off meanwhile, and those after it have moved up.
    """

    server_time: datetime
    link: str = next(iter(MEMBERS))
    offset: int = 0
    last: str | None = None

    def token(self) -> str:
        return json.dumps([self.server_time.isoformat(), self.link, self.offset, self.last])

    @classmethod
    def of(cls, token: str) -> "MemberPlace":
        server_time, link, offset, last = json.loads(token)
        return cls(datetime.fromisoformat(server_time), link, offset, last)

    @property
    def start(self) -> int:
        """Where its page begins."""
        return self.offset - 1 if self.last else self.offset

    def new(self, listing: Listing) -> Sequence[Entry] | None:
        """The entries that are new on its page; None = the page is not where it was, see `before`."""
        if self.last is None:
            return listing.entries
        return listing.entries[1:] if listing.entries and listing.entries[0].id == self.last else None

    def before(self) -> "MemberPlace":
        """Some way back: those between are read once more."""
        return MemberPlace(self.server_time, self.link, max(0, self.start - STEP_BACK))

    def following(self, listing: Listing) -> "MemberPlace | None":
        """Where the next page begins: at this link, or else at the next one."""
        if listing.more and listing.entries:
            offset = self.start + len(listing.entries)
            last = listing.entries[-1].id if len(listing.entries) > 1 else None
            return MemberPlace(self.server_time, self.link, offset, last)
        links = list(MEMBERS)
        rest = links[links.index(self.link) + 1 :]
        return MemberPlace(self.server_time, rest[0]) if rest else None
