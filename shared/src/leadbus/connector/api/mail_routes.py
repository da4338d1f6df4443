"""The HTTP API of turning mails off, for the people who get them: where a link in each mail leads to."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from leadbus.connector.mailing.choices import Choices
from leadbus.connector.mailing.letters import IN_WORDS
from leadbus.connector.mailing.links import PATH, Links, Subscription
from leadbus.pages import page

_NOT_OURS: dict[int | str, dict[str, Any]] = {
    404: {"description": "The link is not whole, or was made with a key that is no longer known."}
}


def mail_routes(links: Links, choices: Choices) -> APIRouter:
    """They take no API key: the link stands for one recipient, tenant and kind of mail.

    Looking changes nothing, since programs that check mails follow every link.
    """
    routes = APIRouter()

    @routes.get(f"{PATH}/{{token}}", response_class=HTMLResponse, responses=_NOT_OURS)
    async def look_at_mails(token: str) -> HTMLResponse:
        """Asks whether such mails are to be turned off, or on again."""
        found = links.subscription(token)
        if found is None:
            return _unknown()
        off = await choices.is_off(found.tenant_id, found.recipient, found.kind)
        return _asked(found) if not off else _turned(found, off=True)

    @routes.post(f"{PATH}/{{token}}", response_class=HTMLResponse, responses=_NOT_OURS)
    async def turn_mails_off(
        token: str, again: Annotated[bool, Query(description="Turns them on again.")] = False
    ) -> HTMLResponse:
        """Turns them off, also from a mail program's own button (RFC 8058), or on again."""
        found = links.subscription(token)
        if found is None:
            return _unknown()
        await choices.turn(found.tenant_id, found.recipient, found.kind, off=not again)
        return _turned(found, off=not again)

    return routes


def _asked(of: Subscription) -> HTMLResponse:
    return page(
        "Turn these emails off?",
        f"<p>{escape(of.recipient)} gets emails about {IN_WORDS[of.kind]}.</p>{_button('Turn them off')}",
        forms=True,
    )


def _turned(of: Subscription, *, off: bool) -> HTMLResponse:
    about = f"{escape(of.recipient)} gets {'no more ' if off else ''}emails about {IN_WORDS[of.kind]}."
    button = _button("Turn them on again", again=True) if off else _button("Turn them off")
    return page(f"These emails are {'off' if off else 'on'}", f"<p>{about}</p>{button}", forms=True)


def _unknown() -> HTMLResponse:
    return page(
        "This link does not work",
        "<p>It may have been cut in two by a mail program: copy all of it from the mail.</p>",
        404,
    )


def _button(label: str, *, again: bool = False) -> str:
    to = "?again=true" if again else "?"
    return f'<form method="post" action="{to}"><button>{escape(label)}</button></form>'
