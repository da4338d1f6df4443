"""What there is to say by mail, as two tables, and how it is put into words (`templates/`). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup


class MailKind(StrEnum):
    """What a recipient can turn off, each by itself. Its value stands in links: it never changes."""

    ACTIVE = "active"
    NEW_LEAD = "new_lead"
    LOGIN = "login"
    TROUBLE = "trouble"
    REFUSALS = "refusals"


IN_WORDS: Mapping[MailKind, str] = {
    MailKind.ACTIVE: "a connection to a CRM being active",
    MailKind.NEW_LEAD: "new leads",
    MailKind.LOGIN: "a CRM that refuses our login",
    MailKind.TROUBLE: "trouble with a connection to a CRM",
    MailKind.REFUSALS: "what a CRM did not accept",
}
"""As the end of "emails about …"."""

LETTERS: Mapping[str, MailKind] = {
    "active": MailKind.ACTIVE,
    "new_lead": MailKind.NEW_LEAD,
    "new_leads": MailKind.NEW_LEAD,
    "login_refused": MailKind.LOGIN,
    "trouble": MailKind.TROUBLE,
    "trouble_over": MailKind.TROUBLE,
    "refusals": MailKind.REFUSALS,
}
"""Each letter is a text, whose first line is the subject, and a page of the same name."""

GROWING = "new_leads"
"""The letter whose mail grows while it waits: the `count` of its facts is added up, the best `leads` stay."""
MOST_NAMED = 50
MOST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in words."""

    subject: str
    text: str
    html: str


def worded(letter: str, facts: Mapping[str, Any], off_url: str) -> Letter:
    """A letter of `LETTERS`. off_url: where its recipient turns such mails off.

    Raises:
        jinja2.TemplateError: a fact is missing.
    """
    told = {**facts, "off_url": off_url, "about": IN_WORDS[LETTERS[letter]]}
    head, _, text = _ENVIRONMENT.get_template(f"{letter}.txt").render(told).partition("\n")
    subject = head if len(head) <= MOST_SUBJECT else f"{head[: MOST_SUBJECT - 1]}…"
    html = _ENVIRONMENT.get_template(f"{letter}.html").render(told, subject=subject)
    return Letter(subject, text.strip() + "\n", html)


def _on_one_line(value: Any) -> Any:
    """Whatever a sender has put into a name: it ends no header and begins no paragraph of its own."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


_ENVIRONMENT = Environment(
    loader=PackageLoader("leadbus.connector.mailing"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    finalize=_on_one_line,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
