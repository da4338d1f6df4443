"""What a vendor must know of signing in with a browser (OAuth2, authorization code)."""

from collections.abc import Mapping
from typing import Protocol

from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.security.guarded_transport import GuardedTransport


class SignIn(Protocol):
    """The vendor's part: which page a person is sent to, and what is done with what comes back from there."""

    def page(self, connection: Connection, state: str, redirect_uri: str) -> str:
        """The CRM's own page, where a person signs in and lets Leadbus in.

        redirect_uri: where that page sends the person then, with the state as it is here.

        Raises:
            Rejected: the settings do not serve for it yet, in a sentence that says what to give.
        """
        ...

    async def finish(
        self,
        connection: Connection,
        answer: Mapping[str, str],
        redirect_uri: str,
        tokens: TokenKeeper,
        transport: GuardedTransport,
    ) -> list[Finding]:
        """Exchanges what the CRM sent back, once; keeps it if it is of the user and organisation typed in.

        answer: what the person came back with, all of it but the state, not to be trusted; it may say that
        the person declined. transport: for all calls to the CRM; whoever hands it in closes it.

        Answers what it found, for the person to read: who has signed in, to which organisation. If a finding
        is not ok, nothing is kept.

        Raises:
            LeadbusError: the CRM gave no answer that could be judged; nothing is kept.
        """
        ...
