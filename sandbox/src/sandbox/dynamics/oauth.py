"""Microsoft's sign-in service: tokens for the application.

Source: the identity platform's page about the client credentials flow; texts as quoted in public issues.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .site import Site

ACCESS_SECONDS = 3_599


class Refused(Exception):
    """No token. number: of the AADSTS error."""

    def __init__(self, error: str, number: int, text: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}")
        self.error, self.number, self.text, self.status = error, number, text, status

    def body(self, now: str) -> dict[str, Any]:
        empty = "00000000-0000-0000-0000-000000000000"
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {empty} Correlation ID: {empty}"
            f" Timestamp: {now}",
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": empty,
            "correlation_id": empty,
        }


@dataclass(slots=True)
class OAuth:
    """secrets: by client. expired: clients whose secret has. refused: token requests in a row, until now."""

    site: Site
    secrets: dict[str, str] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    refused: int = 0
    _tokens: dict[str, float] = field(default_factory=dict)

    def token(self, tenant: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Raises Refused."""
        try:
            self._check(tenant, given)
        except Refused:
            self.refused += 1
            raise
        self.refused = 0
        token = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(48)}"
        self._tokens[token] = self.site.store.clock().timestamp() + ACCESS_SECONDS
        seconds = {"expires_in": ACCESS_SECONDS, "ext_expires_in": ACCESS_SECONDS}
        return {"token_type": "Bearer", **seconds, "access_token": token}

    def good(self, header: str) -> bool:
        """Whether it is the Authorization of a live token."""
        scheme, _, token = header.partition(" ")
        until = self._tokens.get(token, 0.0)
        return scheme.lower() == "bearer" and until > self.site.store.clock().timestamp()

    def expire(self) -> None:
        """No token is good any more."""
        self._tokens.clear()

    def configuration(self, tenant: str) -> dict[str, Any]:
        """What clients find out about a tenant."""
        here = f"{self.site.url}/{tenant}"
        return {
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "issuer": f"{here}/v2.0",
            "jwks_uri": f"{here}/discovery/v2.0/keys",
        }

    @property
    def challenge(self) -> str:
        """Whom to ask for a token; as Dynamics tells whoever comes without one."""
        place = f"{self.site.url}/{self.site.settings.tenant}/oauth2/authorize"
        return f"Bearer authorization_uri={place}, resource_id={self.site.url}/"

    def _check(self, tenant: str, given: Mapping[str, str]) -> None:
        for name in ("grant_type", "client_id", "scope"):
            if not given.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise Refused("invalid_request", 900144, text)
        known = {self.site.settings.tenant, f"{self.site.settings.organisation}.onmicrosoft.com"}
        if tenant.lower() not in known:
            text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
            raise Refused("invalid_request", 90002, text)
        if given["grant_type"] != "client_credentials":
            raise Refused("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client = given["client_id"]
        if client not in self.secrets:
            text = f"Application with identifier '{client}' was not found in the directory '{tenant}'."
            raise Refused("unauthorized_client", 700016, text)
        if given.get("client_secret") != self.secrets[client]:
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client"
                f" secret value, not the client secret ID, for a secret added to app '{client}'."
            )
            raise Refused("invalid_client", 7000215, text, 401)
        if client in self.expired:
            text = f"The provided client secret keys for app '{client}' are expired."
            raise Refused("invalid_client", 7000222, text, 401)
        resource, _, wanted = given["scope"].rpartition("/")
        if wanted != ".default":
            raise Refused(
                "invalid_scope", 1002012, f"The provided value for scope {given['scope']} is not valid."
            )
        if resource.rstrip("/") != self.site.url:
            text = f"The resource principal named {resource} was not found in the tenant named {tenant}."
            raise Refused("invalid_resource", 500011, text)
