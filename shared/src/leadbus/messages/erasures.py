"""A person is erased on request: one service says it, each of the others does it and says that it has."""

from typing import ClassVar

from leadbus.messages.base import Id, Line, ProspectMessage


class ProspectErased(ProspectMessage):
    """Whatever is known of the prospect is to be forgotten, and what was said before this stays unsaid.

    erasure_id: of the request, which may be about several prospects: a person and its aliases.
    """

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.prospect.erased"
    erasure_id: Id


class ProspectForgotten(ProspectMessage):
    """One service holds nothing of the prospect any more. erasure_id: of the request."""

    CLOUD_EVENT_TYPE: ClassVar[str] = "leadbus.prospect.forgotten"
    erasure_id: Id
    service: Line
