"""HTTP to an address that a user gave: checked at every request, and connected to what was checked."""

import ssl
from functools import cache

import httpx

from leadbus.security.addresses import AddressGuard


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves, checks and connects as one step: a name that changes in between leads nowhere else."""

    def __init__(self, guard: AddressGuard, connections: int | None = None) -> None:
        """connections: at once at most; None = as many as are needed."""
        self._guard = guard
        # A client's own limits do not reach a transport that it is given. Web servers drop idle connections
        # after 5 s, as a rule; a write must not run into that.
        limits = httpx.Limits(max_connections=connections, keepalive_expiry=3.0)
        self._inner = httpx.AsyncHTTPTransport(verify=_tls(), limits=limits)

    def another(self, connections: int | None = None) -> "GuardedTransport":
        """One of its own behind the same guard, for who needs so many connections, or for longer."""
        return GuardedTransport(self._guard, connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends the request.

        Raises:
            Rejected, Transient: see `AddressGuard.check`.
            httpx.TransportError: as any transport.
        """
        host = request.url.host
        address, *_ = await self._guard.check(str(request.url))
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)  # the Host header keeps the name
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._inner.aclose()


@cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the certificates takes 20 ms, which nobody else's calls should wait for."""
    return httpx.create_ssl_context()
