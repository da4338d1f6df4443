"""Logins of SOAP and legacy REST. Sessions live in memory; the calls of one run one at a time, as in PHP."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from .door import Door, LockedOut, WrongPassword
from .soapfault import fault
from .store import Row


@dataclass(slots=True)
class Session:
    id: str
    user: str
    is_admin: bool
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    def __init__(self, door: Door) -> None:
        self._door = door
        self._open: dict[str, Session] = {}

    def login(self, user_name: str, password: str, cookie: str | None) -> tuple[Session, Row]:
        """Session and user row. `password` = md5 hex of the plain text; raises fault 10 or 1009.

        A login that brings the cookie of an open session gets that same session.
        """
        try:
            user = self._door.enter(user_name, password)
        except WrongPassword:
            raise fault(10) from None
        except LockedOut:
            raise fault(1009) from None
        session = self._open.get(cookie or "") or Session(secrets.token_hex(16), "", is_admin=False)
        session.user, session.is_admin = user["id"], bool(user["is_admin"])
        self._open[session.id] = session
        return session, user

    def get(self, session_id: str) -> Session | None:
        return self._open.get(session_id)

    def forget(self, session_id: str) -> None:
        self._open.pop(session_id, None)

    def forget_user(self, user: str) -> None:
        """Ends all sessions of a user."""
        self._open = {key: session for key, session in self._open.items() if session.user != user}

    @contextlib.asynccontextmanager
    async def turn(self, session_id: str) -> AsyncIterator[None]:
        """Waits for the session's earlier calls; a call without a session waits for nobody."""
        session = self.get(session_id)
        async with session.lock if session else contextlib.nullcontext():
            yield
