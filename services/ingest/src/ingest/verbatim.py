"""Forwarding what was posted as it was written, with what ingest knows in front of it.

A sender's text is forwarded only if it says, member for member, what its message says: nothing that a reader
would take otherwise than ingest did, no name twice (the cutter refuses those), none that ingest gives itself.
So the tenant stands in it once, and is the key's. Whatever is written otherwise (an email in capitals, a time
as a number) is encoded anew.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from pydantic import BaseModel

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)
"""In UTC and as RFC 3339 has it, as everything on a topic is; senders may write more than that."""

_NOTHING = object()


def forwarded(head: str, text: str, said: Any, message: Mapping[str, Any]) -> bytes | None:
    """The record's value: `head` (members without braces), then the text; None = it says something else.

    said: what the text says. message: the message's members, those in `head` included.
    """
    if not isinstance(said, dict) or not _same(said, message):
        return None
    if "event_id" not in said:
        head += f',"event_id":{quoted(message["event_id"])}'
    if "occurred_at" not in said:
        head += f',"occurred_at":"{written(message["occurred_at"])}"'
    return f"{{{head},{text[1:]}".encode()


def written(moment: datetime) -> str:
    """A time in UTC as messages have it."""
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def _same(said: Mapping[str, Any], meant: Mapping[str, Any]) -> bool:
    for name, value in said.items():
        understood = meant.get(name, _NOTHING)
        if value == understood:
            # `1 == True`, but a reader of the topic would see the difference; an enum's text is its value.
            kind = type(value)
            if kind is str or kind is type(understood):
                continue
        elif isinstance(understood, datetime):
            if (
                isinstance(value, str)
                and _TIME.fullmatch(value)
                and datetime.fromisoformat(value) == understood
            ):
                continue
        elif isinstance(understood, BaseModel) and isinstance(value, dict) and _same(value, vars(understood)):
            continue
        return False
    return True
