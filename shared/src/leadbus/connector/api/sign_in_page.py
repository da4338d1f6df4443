"""The page on which a sign-in with a browser ends. Every word that is not ours is escaped."""

from collections.abc import Iterable
from html import escape

from fastapi.responses import HTMLResponse

from leadbus.connector.api.signing_in import Ended
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.pages import page


def page_of(ended: Ended) -> HTMLResponse:
    """Says in words how it went, and what to do next."""
    good = ended.status == 200
    title = "Leadbus is signed in to your CRM" if good else "Leadbus is not signed in to your CRM"
    found = "".join(f"<li>{_said(finding)}</li>" for finding in ended.findings)
    next_ = _after_success(ended.connection) if good else _after_refusal(ended.connection)
    said = "".join(f"<p>{line}</p>" for line in next_)
    return page(title, f"<ul>{found}</ul>{said}", ended.status)


def _said(finding: Finding) -> str:
    return " ".join(escape(text) for text in (finding.what, finding.why, finding.advice) if text)


def _after_success(connection: Connection | None) -> Iterable[str]:
    if connection is None or connection.on:
        yield "The connection is on, so Leadbus goes on with its work there. You can close this window."
        return
    yield "You can close this window. Two steps are left until leads reach your CRM:"
    yield f"Test whether Leadbus may do all there that it needs to: {_command('test', connection)}"
    yield f"Then turn the connection on: {_command('on', connection)}"


def _after_refusal(connection: Connection | None) -> Iterable[str]:
    yield "Nothing of this sign-in was kept; the connection is as it was before."
    yield f"To try again, run {_command('sign-in', connection)} and open the address that it prints."


def _command(name: str, connection: Connection | None) -> str:
    which = escape(connection.id) if connection else "&lt;connection&gt;"
    return f"<code>leadbus connections {name} {which}</code>"
