"""Logins. Sessions live in memory; each has the lock that makes its calls run one at a time, as in PHP."""

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field

from .soapfault import fault
from .store import Row, Store


@dataclass(slots=True)
class Session:
    id: str
    user: str
    is_admin: bool
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, Session] = {}

    def login(self, user_name: str, password: str, cookie: str | None) -> tuple[Session, Row]:
        """Session and user row. `password` = md5 hex of the plain text; raises fault 10.

        A login that brings the cookie of an open session gets that same session.
        """
        user = self._store.row(
            "SELECT * FROM users WHERE user_name = ? AND deleted = 0 AND status = 'Active'", (user_name,)
        )
        if user is None or not hmac.compare_digest(
            (user["user_hash"] or "").encode(), password.lower().encode()
        ):
            raise fault(10)
        session = self._open.get(cookie or "") or Session(secrets.token_hex(16), "", is_admin=False)
        session.user, session.is_admin = user["id"], bool(user["is_admin"])
        self._open[session.id] = session
        return session, user

    def get(self, session_id: str) -> Session | None:
        return self._open.get(session_id)

    def forget(self, session_id: str) -> None:
        self._open.pop(session_id, None)
