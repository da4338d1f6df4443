"""What one process shares between all adapters of an organisation: its limits, connections and metadata."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import httpx

from connector_dynamics.http import OnCall
from connector_dynamics.limiter import ON_PREMISES_CALLS, ONLINE_CALLS, Limiter
from connector_dynamics.ntlm import Lanes
from connector_dynamics.oauth import Bearer
from connector_dynamics.settings import DynamicsConnection
from leadbus.security.guarded_transport import GuardedTransport

Key = tuple[str, ...]
Answer = TypeVar("Answer")

KEPT_SECONDS = 3_600.0
"""How long what an organisation says of itself is taken to stay as it is."""


@dataclass(slots=True)
class Shared:
    """One organisation under one sign-in. known: answers with their end, by what was asked."""

    channel: Lanes | Bearer
    limiter: Limiter
    known: dict[Any, tuple[float, Any]] = field(default_factory=dict)
    members: int = 0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def kept(self, key: object, ask: Callable[[], Awaitable[Answer]], *, fresh: bool = False) -> Answer:
        """What was answered within the last hour, or asked now, once for all; fresh: asked in any case."""
        async with self._asking:
            until, answer = self.known.get(key, (0.0, None))
            if fresh or time.monotonic() >= until:
                answer = await ask()
                self.known[key] = (time.monotonic() + KEPT_SECONDS, answer)
        return answer  # type: ignore[no-any-return]


class Organisations:
    """Each is known as long as somebody who joined it has not left."""

    def __init__(self) -> None:
        self._known: dict[Key, Shared] = {}
        self._limiters: WeakValueDictionary[str, Limiter] = WeakValueDictionary()

    def join(
        self,
        connection: DynamicsConnection,
        transport: httpx.AsyncBaseTransport | None,
        on_call: OnCall | None = None,
        *,
        anew: bool = False,
    ) -> Shared:
        """What is shared by all who call this organisation so. anew: a person tests the access."""
        key = _key(connection)
        shared = self._known.get(key)
        if shared is None:
            shared = self._known[key] = self._opened(connection, transport, on_call)
        elif anew:
            shared.channel.forget_refusal()
            shared.known.clear()
        shared.members += 1
        return shared

    async def leave(self, connection: DynamicsConnection) -> None:
        """Once for each time it was joined; never raises."""
        key = _key(connection)
        shared = self._known[key]
        shared.members -= 1
        if not shared.members:
            del self._known[key]
            await shared.channel.close()

    @staticmethod
    def transport(given: httpx.AsyncBaseTransport | None) -> httpx.AsyncBaseTransport:
        """Another one like the one given, to be closed by whoever asks."""
        return _another(given)(1)

    def _opened(
        self,
        connection: DynamicsConnection,
        transport: httpx.AsyncBaseTransport | None,
        on_call: OnCall | None,
    ) -> Shared:
        access, id_ = connection.access, connection.organisation_id
        calls = ONLINE_CALLS if access.as_app else ON_PREMISES_CALLS
        limiter = self._limiters.get(id_)
        if limiter is None:
            limiter = self._limiters[id_] = Limiter(calls)
        another = _another(transport)
        if access.as_app:
            return Shared(Bearer(access, another(None), on_call), limiter)
        password = access.password.get_secret_value()
        return Shared(Lanes(access.windows_user, password, calls, lambda: another(1)), limiter)


def _key(connection: DynamicsConnection) -> Key:
    access = connection.access
    secrets = (access.password.get_secret_value(), access.client_secret.get_secret_value())
    return (
        connection.organisation_id,
        access.address,
        *(access.windows_user, access.tenant, access.client_id, access.login_url),
        *secrets,
    )


def _another(
    transport: httpx.AsyncBaseTransport | None,
) -> Callable[[int | None], httpx.AsyncBaseTransport]:
    """Makes transports that outlive the one given, with so many connections."""
    if isinstance(transport, GuardedTransport):
        return transport.another
    return lambda connections: httpx.AsyncHTTPTransport(
        limits=httpx.Limits(max_connections=connections, keepalive_expiry=3.0)
    )
