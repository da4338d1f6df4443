"""Who is calling, and what they may do. Every HTTP API of the platform asks here."""

import hmac
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from leadbus.problems import Problem
from leadbus.security.api_keys import Scope, Verified

OPERATOR = "operator"
_HOW = "Send the header Authorization: Bearer <API key>; keys are made with leadbus keys create."


class Verifier(Protocol):
    """Knows which keys are good."""

    async def verify(self, key: str) -> Verified | None:
        """What the key stands for; None if it is not good (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. tenant_id: None for the operator, who may act for every tenant. key_id: for rate limits."""

    tenant_id: str | None
    scopes: frozenset[Scope]
    key_id: str

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
    """Turns `Authorization: Bearer ...` into a caller."""

    def __init__(self, keys: Verifier, operator_token: str = "") -> None:
        self._keys = keys
        self._operator_token = operator_token.encode()
        self._operator = Caller(None, frozenset(Scope), OPERATOR)

    async def authenticate(self, request: HTTPConnection) -> Caller:
        """The caller.

        Raises:
            Problem: 401, with what to do.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated(f"No API key was given. {_HOW}")
        if self._operator_token and hmac.compare_digest(token.encode(), self._operator_token):
            return self._operator
        verified = await self._keys.verify(token)
        if verified is None:
            raise _unauthenticated(f"This API key is not known, or was revoked. {_HOW}")
        return Caller(verified.tenant_id, verified.scopes, verified.key_id)


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, detail, {"WWW-Authenticate": 'Bearer realm="leadbus"'})
