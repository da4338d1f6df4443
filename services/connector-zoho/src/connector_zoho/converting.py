"""Leads into contacts. A conversion cannot be undone: leads are looked at first, and again after any doubt.

Zoho's documentation, convert lead: account and contact may be given by id; without, Zoho takes those it finds
by email and company, or makes them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_zoho import duplicates, faults, values
from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.settling import answered, path_of
from connector_zoho.translation import ACCOUNTS, CONTACTS, LEADS, email_of, text
from connector_zoho.values import ACCOUNT_NAME, EMAIL
from connector_zoho.wire import outcomes
from leadbus.connector.contract import Conversion, Converted, Person
from leadbus.connector.together import chunks, together
from leadbus.errors import Gone, LeadbusError, OutcomeUnknown, Rejected, Transient
from leadbus.messages import Record

Find = Callable[[Sequence[str]], Awaitable[Mapping[str, Sequence[Person]]]]
"""People by email, in lower case."""

_FIELDS = f"{EMAIL},Company,Converted__s,Converted_Contact,Tag"
_SCHEDULED = "SCHEDULED"
_UNDER_WAY = "The CRM has begun to convert the lead, and has not finished yet."
_NOT_SHOWN = "The CRM says that the lead is converted, and does not show it so yet."
_NO_CONTACT = "The CRM has converted the lead, and does not say which contact it became."
_DOUBTFUL = (OutcomeUnknown, faults.AlreadyConverted, Gone)
"""Errors after which the lead may be a contact."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """As it stands. email, company: in lower case. contact: what it became, empty where that is not told."""

    email: str
    company: str
    converted: bool
    contact: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "_Lead":
        tags = row.get("Tag")
        names = [text(tag.get("name")) for tag in tags if isinstance(tag, dict)] if tags else []
        return cls(
            email=email_of(row) or "",
            company=duplicates.key(row.get("Company")),
            converted=row.get("Converted__s") is True,
            contact=text(row.get("Converted_Contact")),
            tags=tuple(filter(None, names)),
        )

    def outcome(self) -> Converted:
        """Of one that is converted."""
        return Record(module=CONTACTS, id=self.contact) if self.contact else Rejected(_NO_CONTACT)


class Converting:
    """Converts for one connection. find: looks for people."""

    def __init__(self, client: ZohoClient, find: Find) -> None:
        self._client = client
        self._find = find

    async def convert(self, conversions: Sequence[Conversion]) -> list[Converted]:
        """The contacts that the leads are now; Gone where there is no lead (any more).

        Raises:
            LeadbusError: the leads cannot be read, or the CRM answers nothing at all.
        """
        leads = await self._look({asked.record.id for asked in conversions})
        results = await asyncio.gather(
            *(self._one(asked, leads.get(asked.record.id)) for asked in conversions)
        )
        return answered(results)

    async def _one(self, asked: Conversion, lead: _Lead | None) -> Converted:
        if lead is None:
            return Gone(faults.DELETED)
        if lead.converted:
            return lead.outcome()
        try:
            result = await self._post(asked, lead, {})
            if attach := await self._in_the_way(result, lead):
                result = await self._post(asked, lead, attach)
            return _contact_of(result)
        except _DOUBTFUL as error:
            return await self._look_again(asked.record.id, error)
        except LeadbusError as error:
            return error

    async def _post(self, asked: Conversion, lead: _Lead, attach: Mapping[str, str]) -> Mapping[str, Any]:
        answer = await self._client.call(
            "POST Leads/convert",
            "POST",
            f"/{LEADS}/{asked.record.id}/actions/convert",
            body={"data": [values.conversion(asked, lead.tags, attach)]},
            writing=True,
            traces=[asked.traceparent],
        )
        rows = outcomes(answer)
        if not rows:
            raise faults.UNREADABLE.error(writing=True)
        return rows[0]

    async def _in_the_way(self, result: Mapping[str, Any], lead: _Lead) -> dict[str, str]:
        """What the lead has to become, by module, as the CRM takes no second one; none if it is another's."""
        if result.get("code") != duplicates.CODE:
            return {}
        module = ACCOUNTS if path_of(result).endswith(f".{ACCOUNTS}") else CONTACTS
        field, value = (ACCOUNT_NAME, lead.company) if module == ACCOUNTS else (EMAIL, lead.email)
        if not value:
            return {}
        if (other := duplicates.named(result, module)) is not None:
            known = await duplicates.key_values(self._client, [other], field)
            return {module: other.record.id} if known.get(other.record) == value else {}
        people = (await self._find([value])).get(value, ()) if module == CONTACTS else ()
        contacts = sorted(person.record.id for person in people if person.kind == "contact")
        return {CONTACTS: contacts[0]} if contacts else {}

    async def _look_again(self, lead_id: str, error: LeadbusError) -> Converted:
        """The contact, if the lead became one; else what was wrong."""
        try:
            lead = (await self._look({lead_id})).get(lead_id)
        except LeadbusError:
            return error
        if lead is not None and lead.converted:
            return lead.outcome()
        return Transient(_NOT_SHOWN) if isinstance(error, faults.AlreadyConverted) else error

    async def _look(self, ids: Collection[str]) -> dict[str, _Lead]:
        async def read(some: Sequence[str]) -> list[dict[str, Any]]:
            params = {"ids": ",".join(some), "fields": _FIELDS, "converted": "both"}
            return outcomes(await self._client.call("GET Leads", "GET", f"/{LEADS}", params=params))

        pages = await together(read(some) for some in chunks(sorted(ids), CAPABILITIES.rows_per_read))
        return {text(row.get("id")): _Lead.of(row) for page in pages for row in page}


def _contact_of(result: Mapping[str, Any]) -> Converted:
    """Of the answer's row. Raises the error behind it, where it is one."""
    if result.get("code") == _SCHEDULED:
        raise Transient(_UNDER_WAY)
    if (other := duplicates.named(result, CONTACTS)) is not None:
        raise duplicates.refusal(other, is_same=False)
    if result.get("status") != "success":
        raise faults.of_row(result)
    details = result.get("details")
    contact = text(details.get(CONTACTS)) if isinstance(details, Mapping) else ""
    if not contact:
        raise faults.UNREADABLE.error(writing=True)
    return Record(module=CONTACTS, id=contact)
