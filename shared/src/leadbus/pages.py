"""A page for people, of services that have hardly any. Who writes one escapes what is not ours."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from fastapi.responses import HTMLResponse

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:2rem 1rem;color:#222;"
    "overflow-wrap:anywhere}h1{font-size:1.5rem}li{margin:.5rem 0}code{background:#eee;padding:.1rem .3rem}"
    "button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:6px;background:#1f5fbf;color:#fff;"
    "cursor:pointer}button:focus-visible{outline:3px solid #222;outline-offset:2px}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()


def page(title: str, body: str, status: int = 200, *, forms: bool = False) -> HTMLResponse:
    """body: HTML. forms: whether it may send any, to where it came from.

    The address that led here holds what a stranger must not see; and nothing may be added to the page.
    """
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    sends = "'self'" if forms else "'none'"
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
        f" form-action {sends}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)
