"""How the recipient of a mail about a distributed lead accepts or rejects it."""

from collections.abc import Mapping
from typing import Any

from leadbus.connector.mailing.mail import Mail
from leadbus.messages import Answer, LeadDistributed
from leadbus.security.answer_links import AnswerLink, AnswerLinks

_LABELS: Mapping[Answer, str] = {"accepted": "Accept this lead", "rejected": "Reject this lead"}
ABOUT = "distribution"
"""The fact that names the distribution, in mails about one."""


def facts_of(lead: LeadDistributed, way: str) -> Mapping[str, Any]:
    """What a mail remembers, so that its links are made when it goes out. way: the recommended one."""
    about = {"supplier_id": lead.supplier_id, "distribution_id": lead.distribution_id}
    return {ABOUT: about, "answer_by": way}


class Actions:
    """links: None = nobody serves them."""

    def __init__(self, links: AnswerLinks | None) -> None:
        self._links = links

    def of(self, mail: Mail) -> Mapping[str, Any]:
        """answer_by: the recommended way; empty where there is none. actions: links, with what they say."""
        if mail.letter != "new_lead":
            return {}
        way, about = mail.facts.get("answer_by", ""), mail.facts.get(ABOUT)
        if about is None or self._links is None:
            return {"answer_by": "" if way == "email" else way, "actions": []}
        actions = [
            {"label": label, "url": self._links.url(_link(mail, answer, **about))}
            for answer, label in _LABELS.items()
        ]
        return {"answer_by": way, "actions": actions}


def _link(mail: Mail, answer: Answer, *, supplier_id: str, distribution_id: str) -> AnswerLink:
    return AnswerLink(
        tenant_id=mail.tenant_id,
        prospect_id=mail.prospect_id or "",
        supplier_id=supplier_id,
        distribution_id=distribution_id,
        connection_id=mail.connection_id,
        recipient=mail.recipient,
        answer=answer,
    )
