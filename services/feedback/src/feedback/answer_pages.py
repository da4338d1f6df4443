"""The pages that links in mails lead to: one asks, and only its button answers."""

from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pymongo.errors import PyMongoError

from feedback.answering import Answers
from feedback.desk import Desk, key_of
from feedback.distribution import Brought, Distribution
from feedback.store import MongoDistributions
from leadbus.errors import Transient
from leadbus.messages import Answer, Answered
from leadbus.pages import page
from leadbus.publishing import partition_for
from leadbus.security.answer_links import PATH, AnswerLink, AnswerLinks
from leadbus.storage.mongo import passes_by_itself
from leadbus.topics import LEADS_ANSWERED

_OTHERWISE: dict[int | str, dict[str, Any]] = {
    404: {"description": "The link is not whole, is older than 30 days, or was not made here."},
    503: {"description": "Nothing was said: a server is away at present."},
}
_DO: dict[Answer, str] = {"accepted": "Accept", "rejected": "Reject"}
_BY = {"crm": "in the CRM", "email": "by email", "api": "by another program"}


def answer_routes(links: AnswerLinks, distributions: MongoDistributions, desk: Desk) -> APIRouter:
    """They take no API key: the link stands for one recipient, one lead and one answer.

    Looking answers nothing, since programs that check mails follow every link.
    """
    routes = APIRouter()

    async def known(link: AnswerLink) -> Distribution:
        """Also before the distribution has reached us: the link says all that an answer needs."""
        key = key_of(link)
        partition = partition_for(key.prospect_id.encode(), LEADS_ANSWERED.partitions)
        return (await distributions.load([key])).get(key) or Distribution(key, partition)

    async def shown(token: str, *, pressed: bool) -> HTMLResponse:
        link = links.read(token)
        if link is None:
            return _unknown()
        try:
            found = await known(link)
            if pressed and link.answer not in found.answers.earliest:
                await desk.by_mail(found, link)
        except (Transient, PyMongoError) as error:
            if isinstance(error, PyMongoError) and not passes_by_itself(error):
                raise
            return _away()
        return _given(link.answer, found) if pressed else _asked(link.answer, found)

    @routes.get(f"{PATH}/{{token}}", response_class=HTMLResponse, responses=_OTHERWISE)
    async def look_at_answer(token: str) -> HTMLResponse:
        """Asks whether the lead is to be accepted, or rejected."""
        return await shown(token, pressed=False)

    @routes.post(f"{PATH}/{{token}}", response_class=HTMLResponse, responses=_OTHERWISE)
    async def give_answer(token: str) -> HTMLResponse:
        """Accepts the lead, or rejects it."""
        return await shown(token, pressed=True)

    return routes


def _asked(answer: Answer, of: Distribution) -> HTMLResponse:
    first = of.answers.first
    if answer in of.answers.earliest:
        return _given(answer, of)
    if first is None:
        return page(f"{_DO[answer]} this lead?", _lead(of.brought) + _button(_DO[answer]), forms=True)
    return page(
        f"This lead is {first.answer} already",
        f"{_lead(of.brought)}<p>It was {first.answer} {_how(first)}. The first answer counts; yours would be"
        f" kept beside it, and the supplier would hear of both.</p>"
        + _button(f"{_DO[answer]} it all the same"),
        forms=True,
    )


def _given(answer: Answer, of: Distribution) -> HTMLResponse:
    return page(f"This lead is {of.answers.state}", _lead(of.brought) + _thanks(answer, of.answers))


def _thanks(answer: Answer, answers: Answers) -> str:
    first = answers.first
    if first is None or first.answer == answer:
        return "<p>Thank you. The supplier hears of it; you can close this window.</p>"
    return (
        f"<p>It was {first.answer} before, {_how(first)}, and the first answer counts. Thank you all the"
        " same: the supplier hears of both. You can close this window.</p>"
    )


def _how(said: Answered) -> str:
    return f"{_BY[said.by]} on {said.at:%d %B %Y at %H:%M} UTC"


def _lead(brought: Brought | None) -> str:
    if brought is None:
        return ""
    who = ", ".join(filter(None, (brought.name or brought.email, brought.company)))
    of = f", from {escape(brought.supplier_name)}" if brought.supplier_name else ""
    return f"<p>{escape(who)}{of}.</p>"


def _unknown() -> HTMLResponse:
    return page(
        "This link does not work",
        "<p>It may be older than 30 days, or have been cut in two by a mail program: then copy all of it from"
        " the mail. The lead itself is where it was; it can be answered in the CRM too.</p>",
        404,
    )


def _away() -> HTMLResponse:
    return page(
        "Please try again in a minute",
        "<p>We cannot be told anything at present, so nothing was said of the lead. The link stays good.</p>",
        503,
    )


def _button(label: str) -> str:
    return f'<form method="post"><button>{escape(label)}</button></form>'
