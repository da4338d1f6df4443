"""Where a reading goes on: tokens that stay good after a restart. Pure.

Everything of a kind is read module after module, and each module stage after stage.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from connector_zoho.translation import CAMPAIGNS, LEADS, MODULES, TAGS, USERS
from leadbus.connector.capabilities import Kind

Stage = Literal["begin", "rows", "file", "converted", "deleted"]
"""begin: it is still to be seen how much there is. rows: page by page, in order of change. file: prepared by
the CRM in bulk. converted: leads that are contacts now, which a file leaves out (assumed). deleted: what was
deleted."""
_WITHOUT_DELETED = frozenset({USERS, TAGS})
"""Users come with their status; of tags Zoho keeps no deleted ones."""
_FEW = frozenset({USERS, CAMPAIGNS, TAGS})
"""Modules that need not be counted first."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """On a walk from page to page. token: Zoho's own, good for 24 hours; page: where it gives none."""

    token: str | None = None
    page: int = 1

    @property
    def params(self) -> dict[str, str]:
        """Of the request; both at once are refused (`AMBIGUITY_DURING_PROCESSING`)."""
        if self.token is not None:
            return {"page_token": self.token}
        return {"page": str(self.page)} if self.page > 1 else {}

    def following(self, info: Any) -> "Cursor | None":
        """Where the next page begins, by an answer's `info`; None after the last one."""
        if not isinstance(info, dict) or not info.get("more_records"):
            return None
        token = info.get("next_page_token")
        return Cursor(str(token), self.page + 1) if token else Cursor(None, self.page + 1)


@dataclass(frozen=True, slots=True)
class Place:
    """In the changes of a kind.

    since: changes from then on, None = everything. server_time: see `Page`. total: rows that the CRM counts.
    cursor: within the stage's walk, which began with the changes `after`; last: the time of the last row.
    job, row: the file of the stage, and how many of its rows were read.
    """

    module: str
    stage: Stage
    since: datetime | None = None
    server_time: datetime | None = None
    total: int | None = None
    cursor: Cursor = Cursor()
    after: datetime | None = None
    last: datetime | None = None
    job: str | None = None
    row: int = 0

    @classmethod
    def first(cls, kind: Kind, since: datetime | None) -> "Place":
        """Of all pages."""
        return _beginning(MODULES[kind][0], since, None)

    def token(self) -> str:
        """For `Place.of`; what is as at first is left out."""
        named = {name: value for name, value in asdict(self).items() if value != _AT_FIRST[name]}
        return json.dumps(named, default=datetime.isoformat, separators=(",", ":"))

    @classmethod
    def of(cls, token: str) -> "Place":
        """From `token`."""
        named = json.loads(token)
        times = {name: datetime.fromisoformat(named[name]) for name in _TIMES & named.keys()}
        return cls(**{**named, **times, "cursor": Cursor(**named.get("cursor", {}))})

    @property
    def is_first(self) -> bool:
        """Whether nothing of the module was read yet."""
        return self.stage in {"begin", "rows"} and self.cursor == Cursor() and self.last is None

    # Within a stage

    def at(self, cursor: Cursor | None, last: datetime | None = None) -> "Place | None":
        """Further on; None at the end."""
        return replace(self, cursor=cursor, last=last or self.last) if cursor else None

    def anew(self) -> "Place":
        """The walk begun again, at the time of the last row."""
        return replace(self, cursor=Cursor(), after=self.last or self.after)

    def next_file(self, token: str) -> "Place":
        """The file with the rows that this one had no room for."""
        return replace(self, cursor=Cursor(token), job=None, row=0)

    # From stage to stage

    def entering(self, stage: Stage) -> "Place":
        """At the beginning of a stage of the same module."""
        return Place(self.module, stage, self.since, self.server_time, self.total, after=self.since)

    def following(self, kind: Kind) -> "Place | None":
        """At what comes after this stage; None at the end."""
        if self.stage == "rows" and self.since and self.module not in _WITHOUT_DELETED:
            return self.entering("deleted")
        if self.stage == "file" and self.module == LEADS:
            return self.entering("converted")
        return self.skipping(kind)

    def skipping(self, kind: Kind) -> "Place | None":
        """At the kind's next module."""
        modules = MODULES[kind]
        rest = modules[modules.index(self.module) + 1 :]
        return _beginning(rest[0], self.since, self.server_time) if rest else None


def _beginning(module: str, since: datetime | None, server_time: datetime | None) -> Place:
    is_counted = since is None and module not in _FEW
    return Place(module, "begin" if is_counted else "rows", since, server_time, after=since)


_AT_FIRST = {**asdict(Place("", "begin")), "module": None, "stage": None}
_TIMES = frozenset({"since", "server_time", "after", "last"})
