"""A salesperson accepts a lead by the link in a mail; its supplier reads by API what became of its leads."""

import re
from collections.abc import Collection
from typing import Any

import httpx

from sandbox.cast import AURORA, NORTH, owner_of
from sandbox.mail import Message
from sandbox.place import Place
from sandbox.servers import ServerError
from sandbox.stack import Stack
from sandbox.waiting import once

_LINK = re.compile(r"^Accept this lead:\s+(\S+)\r?$", re.MULTILINE)

Feedback = dict[str, Any]


async def accept(stack: Stack, worked: Collection[str]) -> str | None:
    """Follows the link of a mail about a lead of the supplier's and presses the button; the mail's subject.

    worked: emails of people whose leads a salesperson works on; one of these, if there is a mail about it.
    """

    async def look() -> list[tuple[Message, str]]:
        links = [(mail, _LINK.search(mail.text)) for mail in stack.mail.mails(owner_of(AURORA.id))]
        return [(mail, link[1]) for mail, link in links if link and NORTH.name in mail.subject]

    found = await once(bool, look)
    if not found:
        return None
    mail, url = max(found, key=lambda one: any(email in one[0].text for email in worked))
    async with httpx.AsyncClient(timeout=10, trust_env=False) as browser:
        for answer in (await browser.get(url), await browser.post(url)):
            if answer.is_error:
                raise ServerError(f"The link in a mail was answered with {answer.status_code}.")
    return mail.subject


async def supplier_key(stack: Stack, place: Place) -> str:
    """The supplier's own API key, good for its leads with every tenant; made once."""
    keys = place.kept_keys()
    if NORTH.id not in keys:
        body = {"tenant_id": "*", "scopes": ["supplier"], "supplier_id": NORTH.id, "name": NORTH.name}
        keys[NORTH.id] = (await stack.running.ask("ingest", "POST", "/v1/api-keys", json=body))["key"]
        place.keep_keys(keys)
    return keys[NORTH.id]


async def feedback(stack: Stack, key: str) -> list[Feedback]:
    """What the supplier is told of all its leads, once one of them was accepted by mail, or after a while."""
    return await once(lambda found: any(map(accepted_by_mail, found)), lambda: _all(stack, key))


def accepted_by_mail(told: Feedback) -> bool:
    """Whether somebody accepted the lead by the link in a mail."""
    return told["state"] == "accepted" and (told["answer"] or {}).get("by") == "email"


async def _all(stack: Stack, key: str) -> list[Feedback]:
    found: dict[str, Feedback] = {}
    cursor: dict[str, str] = {}
    while True:
        page = await stack.running.ask(
            "feedback", "GET", "/v1/distributions", key, params={"limit": "200", **cursor}
        )
        found |= {one["distribution_id"]: one for one in page["distributions"]}
        if not page["more"]:
            return list(found.values())
        cursor = {"cursor": page["cursor"]}
