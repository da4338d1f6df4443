"""Signing in to a CRM with a browser: begun by one request, ended by another, perhaps at another pod."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from leadbus.connector.api.commands import ConnectionCommands
from leadbus.connector.api.sign_in import SignIn
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.sign_ins import SignIns
from leadbus.connector.stores.tokens import Tokens
from leadbus.errors import LeadbusError, OutcomeUnknown, Transient
from leadbus.security.guarded_transport import GuardedTransport

STATE_BYTES = 32

_OVER = Finding(
    False,
    "This sign-in is over.",
    "An address to sign in at serves once, and for ten minutes.",
)
_CHANGED = Finding(
    False,
    "The connection was changed since this sign-in was begun.",
    "It could be a sign-in to another CRM organisation, or as another user, than its settings name now.",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a sign-in went. status: of HTTP; 200 = Leadbus is signed in. connection: None = not known."""

    status: int
    findings: Sequence[Finding]
    connection: Connection | None = None


@dataclass(frozen=True, slots=True)
class SigningIn:
    """See the module. redirect_uri: where the CRM sends people back to."""

    vendor: SignIn
    connections: Connections
    sign_ins: SignIns
    tokens: Tokens
    commands: ConnectionCommands
    transport: Callable[[], GuardedTransport]
    redirect_uri: Callable[[], str]

    async def begin(self, connection: Connection) -> str:
        """The address to open.

        Raises:
            AuthRefused: the connection's secrets cannot be read. Rejected: its settings lack something.
        """
        connection.require_readable()
        state = secrets.token_urlsafe(STATE_BYTES)
        page = self.vendor.page(connection, state, self.redirect_uri())
        await self.sign_ins.begin(state, connection)
        return page

    async def end(self, state: str, answer: Mapping[str, str]) -> Ended:
        """Takes what a person came back with. The state is used up first, whatever comes of it."""
        begun = await self.sign_ins.take(state)
        if begun is None:
            return Ended(400, [_OVER])
        connection = await self.connections.get(begun.connection_id)
        if connection is None or connection.revision != begun.revision:
            return Ended(409, [_CHANGED], connection)
        try:
            findings = await self._finished(connection, answer)
        except LeadbusError as error:
            no_answer = isinstance(error, Transient | OutcomeUnknown)
            return Ended(502 if no_answer else 409, [Finding(False, str(error))], connection)
        if not all(finding.ok for finding in findings):
            return Ended(409, findings, connection)
        # Its work may have been refused meanwhile, for want of this very sign-in.
        now = await self.connections.get(connection.id) or connection
        return Ended(200, findings, await self.commands.let_in(now))

    async def _finished(self, connection: Connection, answer: Mapping[str, str]) -> list[Finding]:
        connection.require_readable()
        transport = self.transport()
        try:
            tokens = self.tokens.of(connection)
            return await self.vendor.finish(connection, answer, self.redirect_uri(), tokens, transport)
        finally:
            await transport.aclose()
