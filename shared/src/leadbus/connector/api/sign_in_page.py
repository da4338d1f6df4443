"""The page on which a sign-in with a browser ends. Every word that is not ours is escaped."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape

from fastapi.responses import HTMLResponse

from leadbus.connector.api.signing_in import Ended
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.5rem}li{margin:.5rem 0}code{background:#eee;padding:.1rem .3rem}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The address that led here holds what a stranger must not see; and nothing may be added to the page."""


def page_of(ended: Ended) -> HTMLResponse:
    """Says in words how it went, and what to do next."""
    good = ended.status == 200
    title = "Leadbus is signed in to your CRM" if good else "Leadbus is not signed in to your CRM"
    found = "".join(f"<li>{_said(finding)}</li>" for finding in ended.findings)
    next_ = _after_success(ended.connection) if good else _after_refusal(ended.connection)
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><ul>{found}</ul>"
        f"{''.join(f'<p>{line}</p>' for line in next_)}</body></html>"
    )
    return HTMLResponse(html, ended.status, HEADERS)


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
