"""Who is on a list: the members of a campaign, and the people with a tag.

A campaign's people are its related records (Zoho's documentation). Those with a tag are searched for, as
public code does it; neither that nor how far a search goes is documented (reported: 2,000 rows). Where there
are more, all people are read and looked at.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from connector_zoho.client import ZohoClient
from connector_zoho.faults import PageLost, TooManyPages
from connector_zoho.looking import ROWS, Looking, Raw, info_of
from connector_zoho.pages import Cursor
from connector_zoho.translation import CAMPAIGNS, LEADS, PEOPLE, moment, text
from connector_zoho.values import iso
from connector_zoho.wire import Answer, outcomes
from leadbus.connector.contract import Page
from leadbus.errors import Gone
from leadbus.messages import Record

_SEARCHED_PAGES = 10
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "(),"})
_NOT_SEARCHED = frozenset('\\"')
"""Of these no documentation says how they are searched for: of such a tag nobody would be found."""
_Way = Literal["related", "search", "all"]


_START = Cursor()


@dataclass(frozen=True, slots=True)
class _Place:
    """Among the people of a module on a list. tag: its name, where it is one.

    after: the time of change that a walk over all began with; last: that of the row it has come to.
    """

    module: str
    way: _Way
    tag: str = ""
    server_time: datetime | None = None
    cursor: Cursor = _START
    after: datetime | None = None
    last: datetime | None = None

    def token(self) -> str:
        times = [at and at.isoformat() for at in (self.server_time, self.after, self.last)]
        return json.dumps([self.module, self.way, self.tag, times, self.cursor.token, self.cursor.page])

    @classmethod
    def of(cls, token: str) -> "_Place":
        module, way, tag, times, page_token, page = json.loads(token)
        server_time, after, last = (datetime.fromisoformat(at) if at else None for at in times)
        return cls(module, way, tag, server_time, Cursor(page_token, page), after, last)

    def anew(self) -> "_Place":
        """Where no further page is given: a walk over all begins at its last row, a search becomes one."""
        if self.way == "search":
            return _Place(self.module, "all", self.tag, self.server_time)
        return replace(self, cursor=_START, after=self.last or self.after)

    def following(self, info: Any, last: datetime | None) -> "_Place | None":
        """Where the next page begins; None at the end."""
        cursor = self.cursor.following(info)
        if cursor is not None and self.way == "search" and cursor.page > _SEARCHED_PAGES:
            return self.anew()
        if cursor is not None:
            return replace(self, cursor=cursor, last=last or self.last)
        modules = list(PEOPLE)
        rest = modules[modules.index(self.module) + 1 :] if self.way == "related" else []
        return _Place(rest[0], "related", server_time=self.server_time) if rest else None


class Lists:
    """Of one connection."""

    def __init__(self, client: ZohoClient, looking: Looking) -> None:
        self._client = client
        self._looking = looking

    async def members(self, list_id: str, page: str | None) -> Page[Record]:
        """See `Adapter`."""
        place = _Place.of(page) if page else await self._first(list_id)
        try:
            answer = await self._ask(list_id, place)
        except (PageLost, TooManyPages) as error:
            anew = place.anew()
            is_stuck = isinstance(error, TooManyPages) and replace(anew, cursor=place.cursor) == place
            if is_stuck or place.server_time is None:
                raise
            return Page([], anew.token(), place.server_time)
        except Gone:  # a campaign that was deleted has no members
            return Page([], None, place.server_time or datetime.now(UTC))
        raws: Sequence[Raw] = [raw for raw in outcomes(answer) if raw.get("id")]
        rows = [
            Record(module=place.module, id=text(raw["id"]))
            for raw in raws
            if place.way == "related" or list_id in text(raw.get("Tag")).split(";")
        ]
        place = replace(place, server_time=place.server_time or answer.at)
        following = place.following(info_of(answer), _changed_at(raws))
        return Page(rows, following.token() if following else None, place.server_time or answer.at)

    async def _first(self, list_id: str) -> _Place:
        """A tag's module and name are looked up; what is none is a campaign."""
        tag = (await self._looking.recent_tags()).get(list_id)
        if tag is None:
            return _Place(next(iter(PEOPLE)), "related")
        module, name = text(tag["Type"]), text(tag.get("name"))
        return _Place(module, "all" if _NOT_SEARCHED & set(name) else "search", name)

    async def _ask(self, list_id: str, place: _Place) -> Answer:
        module, headers = place.module, dict[str, str]()
        params = {"fields": "Email", "per_page": str(ROWS), **place.cursor.params}
        if place.way == "related":
            operation, path = f"GET {CAMPAIGNS} {module}", f"/{CAMPAIGNS}/{list_id}/{module}"
        elif place.way == "search":
            operation, path = f"GET {module} search", f"/{module}/search"
            criteria = f"(Tag:equals:{place.tag.translate(_SPECIAL)})"
            params |= {"fields": "Tag", "criteria": criteria}
        else:
            operation, path = f"GET {module}", f"/{module}"
            params |= {"fields": "Tag,Modified_Time", "sort_by": "Modified_Time", "sort_order": "asc"}
            params |= {"converted": "both"} if module == LEADS else {}
            headers = {"If-Modified-Since": iso(place.after)} if place.after else {}
        return await self._client.call(operation, "GET", path, params=params, headers=headers)


def _changed_at(raws: Sequence[Raw]) -> datetime | None:
    return moment(text(raws[-1].get("Modified_Time"))) if raws else None
