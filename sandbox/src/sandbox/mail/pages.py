"""The inbox in a browser, and the same as JSON for tests and judges."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .inbox import Message

if TYPE_CHECKING:
    from .server import MailServer

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.4rem}a{color:#1f5fbf;text-decoration:none}a:hover{text-decoration:underline}"
    "table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.45rem .6rem;"
    "border-bottom:1px solid #e4e6ea;vertical-align:top}th,.dim{color:#667;font-weight:normal}"
    "iframe{width:100%;height:36rem;border:1px solid #e4e6ea;border-radius:6px}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f5f7;padding:1rem;border-radius:6px}"
)


def routes(server: MailServer) -> list[Route]:
    async def front(request: Request) -> Response:
        to = request.query_params.get("to", "")
        return _page("Inbox", _listed(server.inbox.newest(to), to))

    async def message(request: Request) -> Response:
        found = server.inbox.get(request.path_params["number"])
        return _page(found.subject, _read(found)) if found else _page("There is no such mail", _BACK, 404)

    async def messages(request: Request) -> Response:
        found = server.inbox.newest(request.query_params.get("to", ""))
        return JSONResponse([m.as_json() for m in found])

    async def clear(request: Request) -> Response:
        server.inbox.clear()
        return JSONResponse({})

    async def add_fault(request: Request) -> Response:
        how: dict[str, Any] = await request.json()
        try:
            await server.misbehave(**how)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"rules": len(server.faults.rules)})

    async def clear_faults(request: Request) -> Response:
        await server.behave()
        return JSONResponse({"rules": 0})

    return [
        Route("/", front),
        Route("/mails/{number:int}", message),
        Route("/_sandbox/mails", messages),
        Route("/_sandbox/mails", clear, methods=["DELETE"]),
        Route("/_sandbox/faults", add_fault, methods=["POST"]),
        Route("/_sandbox/faults", clear_faults, methods=["DELETE"]),
    ]


_BACK = '<p><a href="/">Back to the inbox</a></p>'


def _listed(messages: Iterable[Message], to: str) -> str:
    rows = "".join(
        f'<tr><td class="dim">{m.at.astimezone():%H:%M:%S}</td>'
        f"<td>{', '.join(map(escape, m.to))}</td>"
        f'<td><a href="/mails/{m.number}">{escape(m.subject) or "(no subject)"}</a></td></tr>'
        for m in messages
    )
    of = f' of {escape(to)} (<a href="/">everybody\'s</a>)' if to else ""
    head = f'<p class="dim">All mails that were sent here{of}, newest first. None leaves this machine.</p>'
    if not rows:
        return f"{head}<p>There is no mail yet.</p>"
    return f"{head}<table><tr><th>when</th><th>to</th><th>subject</th></tr>{rows}</table>"


def _read(message: Message) -> str:
    """The HTML part in a frame that may run nothing; its links open beside it."""
    shown = (
        ("From", escape(message.header("from"))),
        ("To", " ".join(f'<a href="/?to={escape(to)}">{escape(to)}</a>' for to in message.to)),
        ("Date", escape(message.header("date"))),
    )
    facts = "".join(f'<tr><td class="dim">{name}</td><td>{value}</td></tr>' for name, value in shown)
    inside = escape(f'<base target="_blank">{message.html}')
    frame = f'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="{inside}"></iframe>'
    return (
        f"{_BACK}<table>{facts}</table>{f'<h2>As a page</h2>{frame}' if message.html else ''}"
        f"<h2>As text</h2><pre>{escape(message.text)}</pre>"
    )


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head>{head}</head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>",
        status,
    )
