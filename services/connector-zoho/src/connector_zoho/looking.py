"""Rows by id, and JSON made into rows with what has to be looked up for them."""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector_zoho.client import ZohoClient
from connector_zoho.pages import Cursor
from connector_zoho.settings import ZohoConnection
from connector_zoho.translation import (
    CONTACTS,
    DEALS,
    KINDS,
    LEADS,
    PEOPLE,
    READ,
    TAGS,
    USERS,
    Around,
    email_of,
    row_of,
    text,
)
from connector_zoho.wire import Answer, outcomes
from leadbus.connector.contract import Row
from leadbus.connector.mapping import FieldMap
from leadbus.connector.together import chunks, together

Raw = Mapping[str, Any]
"""A row as it came."""

IDS = 100
"""Per request (Zoho's documentation, `ids`)."""
ROWS = 200
"""Per page (Zoho's documentation, `per_page`)."""
_TAGS_SECONDS = 60.0
_FIELDS = 50
"""Per request (Zoho's documentation, `fields`, which is required)."""


class Looking:
    """For one connection."""

    def __init__(self, client: ZohoClient, connection: ZohoConnection, fields: FieldMap) -> None:
        self._client = client
        self._zone = ZoneInfo(connection.time_zone)
        self._mapped = {module: fields.crm_fields(kind) for module, kind in KINDS.items()}
        self._tags: Mapping[str, Raw] = {}
        self._tags_until = 0.0

    def fields(self, module: str) -> list[str]:
        """What to read of a module's rows, those that they are made of first."""
        return [name for name in dict.fromkeys((*READ[module], *self._mapped[module])) if name != "id"]

    def params(self, module: str, part: int = 0) -> dict[str, str]:
        """Of a request for rows: as many of their fields as one may ask for, converted leads among them."""
        some = self.fields(module)[part * _FIELDS : (part + 1) * _FIELDS]
        found = {"fields": ",".join(some), "per_page": str(ROWS)}
        return {**found, "converted": "both"} if module == LEADS else found

    async def rows(self, module: str, raws: Sequence[Raw]) -> list[Row]:
        """Rows of their kind's class, in order."""
        around = Around(self._mapped[module], self._zone)
        if module == DEALS and raws:
            emails = await self._emails({text(raw.get("Contact_Name")) for raw in raws} - {""})
            currency = (await self._client.organisation()).currency
            around = Around(self._mapped[module], self._zone, emails, currency)
        return [row_of(module, raw, around) for raw in raws]

    async def by_id(self, module: str, ids: Collection[str]) -> list[Row]:
        """Those that live."""
        wanted = set(ids)
        if module == USERS:
            found = await self._users()
        elif module == TAGS:
            found, _ = await self.tags()
        else:
            found = await self.completed(module, await self._raws(module, sorted(wanted), 0))
        return await self.rows(module, [raw for raw in found if text(raw["id"]) in wanted])

    async def users(self, cursor: Cursor) -> tuple[list[Raw], Cursor | None, datetime]:
        """A page of all users, inactive ones among them; where the next one begins; Zoho's clock."""
        params = {"type": "AllUsers", "per_page": str(ROWS), **cursor.params}
        answer = await self._client.call("GET users", "GET", "/users", params=params)
        raws: list[Raw] = [raw for raw in outcomes(answer, "users") if raw.get("id")]
        return raws, cursor.following(info_of(answer)), answer.at

    async def tags(self) -> tuple[list[Raw], datetime]:
        """All tags of people: each belongs to one module, which stands as its `Type` here. Zoho's clock."""
        answers = await together(
            self._client.call("GET tags", "GET", "/settings/tags", params={"module": module})
            for module in PEOPLE
        )
        found: list[Raw] = [
            {**tag, "Type": module}
            for module, answer in zip(PEOPLE, answers, strict=True)
            for tag in outcomes(answer, "tags")
            if tag.get("id")
        ]
        self._tags = {text(tag["id"]): tag for tag in found}
        self._tags_until = time.monotonic() + _TAGS_SECONDS
        return found, answers[0].at

    async def recent_tags(self) -> Mapping[str, Raw]:
        """All tags by their ids, as they were a minute ago at most."""
        if time.monotonic() >= self._tags_until:
            await self.tags()
        return self._tags

    async def _users(self) -> list[Raw]:
        found: list[Raw] = []
        cursor: Cursor | None = Cursor()
        while cursor is not None:
            raws, cursor, _ = await self.users(cursor)
            found += raws
        return found

    async def completed(self, module: str, raws: Sequence[Raw]) -> list[Raw]:
        """Rows that came with the first part of their fields, with the other parts."""
        parts = range(1, -(-len(self.fields(module)) // _FIELDS))
        if not raws or not parts:
            return list(raws)
        ids = [text(raw["id"]) for raw in raws]
        more: dict[str, dict[str, Any]] = {key: {} for key in ids}
        for found in await together(self._raws(module, ids, part) for part in parts):
            for raw in found:
                more[text(raw["id"])] |= raw
        return [{**more[text(raw["id"])], **raw} for raw in raws]

    async def _raws(self, module: str, ids: Collection[str], part: int) -> list[Raw]:
        params = self.params(module, part)
        return [
            raw
            for some in await together(self._some(module, some, params) for some in chunks(ids, IDS))
            for raw in some
        ]

    async def _some(self, module: str, ids: Collection[str], params: Mapping[str, str]) -> list[Raw]:
        answer = await self._client.call(
            f"GET {module}", "GET", f"/{module}", params={**params, "ids": ",".join(ids)}
        )
        return [raw for raw in outcomes(answer) if raw.get("id")]

    async def _emails(self, contacts: Collection[str]) -> dict[str, str]:
        params = {"fields": "Email", "per_page": str(ROWS)}
        parts = await together(self._some(CONTACTS, some, params) for some in chunks(contacts, IDS))
        found = {text(raw["id"]): email_of(raw) for part in parts for raw in part}
        return {key: email for key, email in found.items() if email}


def info_of(answer: Answer) -> Any:
    """What an answer tells of its pages."""
    return answer.body.get("info") if isinstance(answer.body, dict) else None
