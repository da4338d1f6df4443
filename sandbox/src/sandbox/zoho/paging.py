"""Page tokens: where a walk through a list has got to, bound to its user and parameters."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from .errors import ApiError
from .operations import Call

TOKEN_LIFE = 86_400
"""Seconds. Source: Zoho's documentation."""

_KEY = b"page tokens"
_FREE = {"page_token", "page"}


@dataclass(frozen=True, slots=True)
class Place:
    """The next page, how many records went before it, and the sort value and id of the last one."""

    page: int
    read: int
    after: tuple[int, int] | None = None


@dataclass(slots=True)
class PageTokens:
    """Of one call."""

    call: Call

    def make(self, place: Place) -> str:
        text = json.dumps([place.page, place.read, place.after, self.call.store.now(), self._bound_to()])
        return base64.urlsafe_b64encode(self._signature(text) + text.encode()).decode().rstrip("=")

    def read(self, token: str) -> Place:
        """Raises AMBIGUITY_DURING_PROCESSING, TOKEN_BOUND_DATA_MISMATCH, EXPIRED_VALUE."""
        if "page" in self.call.params:
            names = [{"param_name": "page"}, {"param_name": "page_token"}]
            raise ApiError("AMBIGUITY_DURING_PROCESSING", {"ambiguity_due_to": names})
        page, read, after, made, bound_to = self._opened(token)
        if bound_to != self._bound_to():
            raise _mismatch()
        if made + TOKEN_LIFE <= self.call.store.now() or self.call.site.page_tokens_from > made:
            raise ApiError("EXPIRED_VALUE", {"param_name": "page_token"})
        return Place(page, read, (after[0], after[1]))

    def _bound_to(self) -> str:
        call = self.call
        given = sorted((name, value) for name, value in call.params.items() if name not in _FREE)
        whole = [call.user.id, call.path, given, call.headers.get("if-modified-since")]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:16]

    def _opened(self, token: str) -> tuple[int, int, list[int], int, str]:
        try:
            whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            signature, text = whole[:16], whole[16:].decode()
            if not hmac.compare_digest(signature, self._signature(text)):
                raise _mismatch()
            page, read, after, made, bound_to = json.loads(text)
        except ValueError:
            raise _mismatch() from None
        return page, read, after, made, bound_to

    def _signature(self, text: str) -> bytes:
        """Of this organisation, also after a restart."""
        return hmac.digest(_KEY, (self.call.site.settings.zgid + text).encode(), "sha256")[:16]


def _mismatch() -> ApiError:
    return ApiError("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
