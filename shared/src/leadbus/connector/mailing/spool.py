"""Mails that wait, in `<service>.mails`: written by whoever has something to say, taken out by senders.

One that was sent, refused or given up is kept for a while as a bare id, so that nothing is said twice; who it
was for and what it said are forgotten at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pymongo import ASCENDING, ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.mailing.letters import GROWING, LETTERS, MOST_NAMED, MailKind
from leadbus.connector.mailing.mail import Mail
from leadbus.connector.stores.documents import Codec
from leadbus.storage.mongo import Client, Document

KEPT = timedelta(days=30)
"""As long as topics keep what they tell."""
CLAIMED = timedelta(minutes=2)
"""For sending one mail: longer than a mail server may take; then another pod takes it up."""

Outcome = Literal["sent", "off", "refused"]

_CODEC = Codec(Mail)
_WAITS: Document = {"due": {"$exists": True}}


class Spool:
    """A document has `due` as long as it is to be sent."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.mails"]

    async def prepare(self) -> None:
        """Creates the indexes; by one of them MongoDB forgets."""
        for name in ("due", "made"):
            await self._collection.create_index(
                [(name, ASCENDING)], partialFilterExpression=_WAITS, name=f"waiting by {name}"
            )
        await self._collection.create_index([("forget", ASCENDING)], expireAfterSeconds=0)

    async def put(self, mails: Sequence[Mail], session: AsyncClientSession | None = None) -> None:
        """Those that were not said before; one that grows does. session: of the transaction around it."""
        writes = [UpdateOne({"_id": mail.id}, _put(mail), upsert=True) for mail in mails]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def has_due(self, now: datetime) -> bool:
        """Whether anything may go now."""
        return await self._collection.find_one({"due": {"$lte": now}}, {"_id": 1}) is not None

    async def claim(self, now: datetime) -> Mail | None:
        """What has waited longest, for this sender alone; if it says no more, another's in two minutes."""
        row = await self._collection.find_one_and_update(
            {"due": {"$lte": now}},
            {"$set": {"due": now + CLAIMED}, "$inc": {"attempts": 1}},
            sort=[("due", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return _CODEC.decode(row) if row else None

    async def postpone(self, mail: Mail, until: datetime) -> None:
        """It is tried again then."""
        await self._collection.update_one(_claimed(mail), {"$set": {"due": until}})

    async def finish(self, mail: Mail, outcome: Outcome) -> None:
        """It will not be tried again."""
        await self._collection.update_one(_claimed(mail), _over(outcome))

    async def give_up(self, before: datetime) -> dict[MailKind, int]:
        """Ends those that were made before then; how many, by kind."""
        found: dict[MailKind, int] = {}
        for letter, kind in LETTERS.items():
            overdue = _WAITS | {"made": {"$lt": before}, "letter": letter}
            ended = await self._collection.update_many(overdue, _over("given_up"))
            if ended.modified_count:
                found[kind] = found.get(kind, 0) + ended.modified_count
        return found

    async def oldest(self) -> datetime | None:
        """When the one was made that waits longest."""
        row = await self._collection.find_one(_WAITS, {"made": 1}, sort=[("made", ASCENDING)])
        return row["made"] if row else None


def _put(mail: Mail) -> Document:
    row = _CODEC.encode(mail) | {"forget": mail.made + KEPT}
    if mail.letter != GROWING:
        return {"$setOnInsert": row}
    facts = row.pop("facts")
    count, leads = facts.pop("count"), facts.pop("leads")
    return {
        "$setOnInsert": row | {f"facts.{name}": fact for name, fact in facts.items()},
        "$inc": {"facts.count": count},
        "$push": {"facts.leads": {"$each": leads, "$sort": {"score": -1}, "$slice": MOST_NAMED}},
    }


def _claimed(mail: Mail) -> Document:
    return _WAITS | {"_id": mail.id, "attempts": mail.attempts}


def _over(outcome: str) -> Document:
    gone = dict.fromkeys(("due", "facts", "recipient", "prospect_id"), "")
    return {"$set": {"outcome": outcome}, "$unset": gone}
