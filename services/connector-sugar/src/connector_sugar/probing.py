"""Finds out what an address speaks, and opens the best of it.

Modern REST first: it takes whole batches and tells the outcome of each row. Then the older REST, then SOAP,
each with its own versions: SOAP is dearer, and dies at every sign-in where SuiteCRM 7.14 runs on PHP 8. Only
signing in shows that, so that it is part of finding out; a refused one ends it, as more tries could lock the
user.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import httpx

from connector_sugar import faults
from connector_sugar.client import Site
from connector_sugar.legacy import LegacySite
from connector_sugar.modern.oauth import Session
from connector_sugar.modern.sessions import Sessions
from connector_sugar.modern.site import ModernSite
from connector_sugar.settings import SugarAccess
from leadbus.connector.observing import OnCall
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AddressRefused, LeadbusError

_WHY: Mapping[Literal["rest", "soap"], str] = {
    "rest": "The CRM does not speak modern REST.",
    "soap": "The CRM speaks neither modern REST nor the REST service v4_1.",
}
_NEXT = (faults.NotServed, faults.Died, AddressRefused)
"""What may concern one protocol only: the web server can keep a single path from us."""


@dataclass(slots=True)
class Probing:
    """One connection's address; modern REST is called in the session of all `sessions` with its access.

    Timeouts in seconds; read_timeout: of a call once it is sent.
    """

    access: SugarAccess
    tokens: TokenKeeper
    sessions: Sessions
    on_call: OnCall | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    transport: httpx.AsyncBaseTransport | None = None
    _session: Session | None = field(default=None, init=False)

    async def open(self) -> Site:
        """The site by the best protocol that it speaks, signed in.

        Raises:
            AuthRefused: the one sign-in that was tried.
            AddressRefused, Transient: nothing is served; whatever says most about it.
            LeadbusError: the first answer that is trouble of the CRM itself.
        """
        failures: list[LeadbusError] = []
        for protocol in (self._modern, partial(self._legacy, "rest"), partial(self._legacy, "soap")):
            site: Site = protocol()
            try:
                await site.sign_in()
            except BaseException as error:
                await site.close()
                if not isinstance(error, _NEXT):
                    raise
                failures.append(error)
            else:
                return site
        raise next((error for error in failures if not isinstance(error, faults.NotServed)), failures[-1])

    def leave(self) -> None:
        """Nothing is opened any more; what the session remembers goes with the last who leaves it."""
        if self._session is not None:
            self.sessions.leave(self._session)
            self._session = None

    def _modern(self) -> ModernSite:
        self._session = self._session or self.sessions.join(self.access, self.tokens)
        return ModernSite(
            self._session,
            anew=self.tokens.anew,
            on_call=self.on_call,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            transport=self.transport,
        )

    def _legacy(self, encoding: Literal["rest", "soap"]) -> LegacySite:
        return LegacySite(
            self.access,
            encoding,
            why=_WHY[encoding],
            on_call=self.on_call,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            transport=self.transport,
        )
