"""A tenant's own standard fields, beside those that every person has: names by which custom values are known.

A tenant that has none may use any name; one that has some is told of every other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from leadbus.errors import Conflict
from leadbus.messages.base import Name
from leadbus.messages.fields import CustomName
from leadbus.storage.mongo import Document

MOST_FIELDS = 3_000
"""Of one tenant: CRMs let leads and contacts have more than 1,000 each."""
FieldKind = Literal["text", "number", "boolean", "date", "datetime", "option", "options"]


class TenantField(BaseModel):
    """One field. Values are texts whatever the type: it says what they look like."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: CustomName = Field(description="Its name among the custom fields, without custom. before it.")
    label: Annotated[str, Field(max_length=255)] = Field("", description="How people call it.")
    type: FieldKind = "text"
    crm_field: Name | None = Field(None, description="The CRM's field that it was filled from.")


@dataclass(frozen=True, slots=True)
class TenantFields:
    """Those of one tenant, in the order in which they were given; none = every name will do.

    revision: counts how often they were changed.
    """

    fields: list[TenantField]
    revision: int


class MongoTenantFields:
    """The collection `tenant_fields`: written by ingest only, read by every service."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._tenants = database["tenant_fields"]

    async def of_tenant(self, tenant_id: str) -> TenantFields:
        """As they are now."""
        row = await self._tenants.find_one({"_id": tenant_id}) or {}
        fields = [TenantField.model_validate(each) for each in row.get("fields", ())]
        return TenantFields(fields, row.get("revision", 0))

    async def names_of(self, tenant_id: str) -> frozenset[str]:
        """Their names alone."""
        row = await self._tenants.find_one({"_id": tenant_id}, {"fields.name": 1})
        return frozenset(each["name"] for each in row["fields"]) if row else frozenset()

    async def replace(self, tenant_id: str, fields: Sequence[TenantField], over: int | None = None) -> int:
        """These and no others; the new revision. over: the revision that they take the place of, None = any.

        Raises:
            Conflict: somebody else has changed them meanwhile.
        """
        known: Document = {"_id": tenant_id}
        if over is not None:
            known["revision"] = over or {"$in": [0, None]}
        change = {
            "$set": {"fields": [field.model_dump(exclude_none=True) for field in fields]},
            "$inc": {"revision": 1},
        }
        after = ReturnDocument.AFTER
        try:
            row = await self._tenants.find_one_and_update(
                known, change, {"revision": 1}, upsert=not over, return_document=after
            )
        except DuplicateKeyError:
            row = None
        if row is None:
            raise Conflict(
                "Somebody else has changed the tenant's fields meanwhile; read them and try again."
            )
        revision: int = row["revision"]
        return revision


def nearest(name: str, names: Collection[str]) -> str | None:
    """The one that is likely meant, whatever its capitals."""
    by_plain = {known.casefold(): known for known in sorted(names)}
    near = get_close_matches(name.casefold(), by_plain, 1)
    return by_plain[near[0]] if near else None
