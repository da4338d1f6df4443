"""Who does not want which mails, in `<service>.mail_choices`: no address is kept, only what it derives to."""

from datetime import UTC, datetime

from leadbus.connector.mailing.letters import MailKind
from leadbus.ids import derived_id
from leadbus.storage.mongo import Client


class Choices:
    """Per tenant, recipient and kind; whoever has chosen nothing gets all."""

    def __init__(self, client: Client, database: str, service: str) -> None:
        self._collection = client[database][f"{service}.mail_choices"]

    async def is_off(self, tenant_id: str, recipient: str, kind: MailKind) -> bool:
        """Whether the recipient has turned the kind off."""
        return await self._collection.find_one({"_id": _id(tenant_id, recipient, kind)}) is not None

    async def turn(self, tenant_id: str, recipient: str, kind: MailKind, *, off: bool) -> None:
        """Off, or on again."""
        name = {"_id": _id(tenant_id, recipient, kind)}
        if not off:
            await self._collection.delete_one(name)
            return
        row = {"tenant_id": tenant_id, "kind": kind.value, "at": datetime.now(UTC)}
        await self._collection.update_one(name, {"$setOnInsert": row}, upsert=True)


def _id(tenant_id: str, recipient: str, kind: MailKind) -> str:
    return derived_id("mail choice", tenant_id, recipient, kind.value)
