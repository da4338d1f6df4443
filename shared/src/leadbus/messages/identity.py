"""What scoring tells itself from partition to partition, so that a person is one prospect under all its ids.

alias: `visitor:` and a visitor's id, or `email:` and an old email. at: broker time in milliseconds.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from leadbus.messages.base import Email, Id, Line, ProspectMessage, Value

Alias = Annotated[str, Field(pattern=r"^(visitor|email):", max_length=300)]


class ProspectLinked(ProspectMessage):
    """Since `at`, the prospect is an alias of a person. person: its prospect id; email: what it has now."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.prospect.linked"
    alias: Alias
    person: Id
    email: Email
    at: int


class ForwardedRecord(Value):
    """A record that came for an alias, as its topic has it. Its event id is what it was."""

    topic: Line
    value: str


class ProspectJoined(ProspectMessage):
    """What an alias hands to its person: all that was counted for it (state), or a record that came later;
    without both, that it has been somebody else's since.

    alias: whose state it is. email: the person's. at: when the alias was linked; of a record, when it came.
    state: the prospect's document as scoring keeps it, as BSON in base64.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.prospect.joined"
    alias: Alias | None = None
    email: Email
    at: int
    state: str | None = None
    record: ForwardedRecord | None = None
