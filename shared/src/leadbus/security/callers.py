"""Who is calling, and what they may do. Every HTTP API of the platform asks here."""

import hmac
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from leadbus.problems import Problem
from leadbus.security.api_keys import Scope, Verified
from leadbus.security.networks import Address, address_of

OPERATOR = "operator"
_HOW = "Send the header Authorization: Bearer <API key>; keys are made with leadbus keys create."


class Verifier(Protocol):
    """Knows which keys are good."""

    async def verify(self, key: str, *, anew: bool = False) -> Verified | None:
        """What the key stands for; None if it is not good (any more). anew: trusting no memory."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. tenant_id: None for the operator, who may act for every tenant. key_id: for rate limits.

    supplier_id: of a supplier's key, whose tenant_id may be EVERY_TENANT.
    """

    tenant_id: str | None
    scopes: frozenset[Scope]
    key_id: str
    supplier_id: str | None = None

    @property
    def operator(self) -> bool:
        return self.tenant_id is None

    def require(self, scope: Scope) -> None:
        """Raises Problem 403 unless the key has the scope."""
        if scope not in self.scopes:
            raise Problem(
                403,
                f"This API key lacks the scope {scope.value}. Ask your operator for one that has it:"
                f" leadbus keys create <tenant> --scope {scope.value}",
            )

    def require_operator(self, what: str) -> None:
        """Raises Problem 403 for everybody else. what: is the operator's alone, as the answer says."""
        if not self.operator:
            raise Problem(403, f"{what} are the operator's: use LEADBUS_OPERATOR_TOKEN.")

    def tenant(self, asked_for: str | None = None) -> str:
        """The tenant to act for: the key's own; the operator names one.

        Raises:
            Problem: 403 for another tenant than the key's, 422 if the operator named none.
        """
        if self.tenant_id is None:
            if not asked_for:
                raise Problem(422, "The operator acts for every tenant: say which with tenant_id.")
            return asked_for
        if asked_for and asked_for != self.tenant_id:
            raise Problem(
                403, "This API key belongs to another tenant. Leave tenant_id out, or use its own key."
            )
        return self.tenant_id


class Authenticator:
    """Turns `Authorization: Bearer ...`, or a hook's token, into a caller."""

    def __init__(self, keys: Verifier, operator_token: str = "") -> None:
        self._keys = keys
        self._operator_token = operator_token.encode()
        self._operator = Caller(None, frozenset(Scope), OPERATOR)

    async def authenticate(self, request: HTTPConnection) -> Caller:
        """The caller.

        Raises:
            Problem: 401; 403 from an address that is not authorised; each with what to do.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated(f"No API key was given. {_HOW}")
        if self._operator_token and hmac.compare_digest(token.encode(), self._operator_token):
            return self._operator
        caller = await self._admitted(token, None, request)
        if caller is None:
            raise _unauthenticated(f"This API key is not known, or was revoked. {_HOW}")
        return caller

    async def authenticate_hook(self, request: HTTPConnection, connection_id: str, token: str) -> Caller:
        """Who calls the hook of a connection.

        Raises:
            Problem: 404, the same whatever is wrong; 403 from an address that is not authorised.
        """
        caller = await self._admitted(token, connection_id, request)
        if caller is None:
            raise Problem(404, "There is no such hook. leadbus keys create --help says how to make one.")
        return caller

    async def _admitted(self, key: str, connection_id: str | None, request: HTTPConnection) -> Caller | None:
        """connection_id: the hook's; None = no hook, for which a hook's key is as good as unknown.

        Before an address is refused the store is asked, so that authorising it helps everywhere at once.
        """
        verified = await self._keys.verify(key)
        if verified and verified.authorised and not verified.good_from(caller_address(request)):
            verified = await self._keys.verify(key, anew=True)
        if verified is None or verified.connection_id != connection_id:
            return None
        if verified.authorised and not verified.good_from(address := caller_address(request)):
            raise _unauthorised_address(verified.tenant_id, address)
        return Caller(verified.tenant_id, verified.scopes, verified.key_id, verified.supplier_id)


def caller_address(request: HTTPConnection) -> Address | None:
    """Where a call comes from: the peer, or whom a trusted proxy (`LEADBUS_TRUSTED_PROXIES`) names."""
    return address_of(request.client.host if request.client else None)


def _unauthorised_address(tenant_id: str, address: Address | None) -> Problem:
    limited = f"Calls for tenant {tenant_id} are limited to authorised addresses"
    if address is None:
        return Problem(403, f"{limited}; this one came from an address that cannot be told.")
    return Problem(
        403,
        f"{limited}; this one came from {address}."
        f" Authorise it with: leadbus addresses authorise {tenant_id} {address}",
    )


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, detail, {"WWW-Authenticate": 'Bearer realm="leadbus"'})
