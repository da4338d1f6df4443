"""The sessions of one service: adapters with the same access share one, or each would end the other's."""

import asyncio
from dataclasses import dataclass

from connector_sugar.modern.oauth import Session
from connector_sugar.settings import SugarAccess
from leadbus.connector.token_keeper import TokenKeeper

CALLS = 4
"""In flight at once, at one site: SugarCloud names no limit, and answers worse when it is pressed."""


@dataclass(slots=True)
class _Shared:
    session: Session
    users: int = 0


class Sessions:
    """Each lives, with its refusal, as long as somebody who joined it has not left."""

    def __init__(self) -> None:
        self._open: dict[SugarAccess, _Shared] = {}

    def join(self, access: SugarAccess, keeper: TokenKeeper) -> Session:
        """The session for this access. keeper: used if it is a new one."""
        shared = self._open.get(access)
        if shared is None:
            shared = self._open[access] = _Shared(Session(access, keeper, self._slots(access.url)))
        shared.users += 1
        return shared.session

    def leave(self, session: Session) -> None:
        """Once for each time it was joined."""
        shared = self._open[session.access]
        shared.users -= 1
        if not shared.users:
            del self._open[session.access]

    def _slots(self, url: str) -> asyncio.Semaphore:
        """Those of the site's other users, if there are any."""
        found = (shared.session.slots for access, shared in self._open.items() if access.url == url)
        return next(found, None) or asyncio.Semaphore(CALLS)
