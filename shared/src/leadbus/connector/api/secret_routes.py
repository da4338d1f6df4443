"""`/v1/secrets`: for the operator alone, whose key they are encrypted with."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.tokens import Tokens
from leadbus.security.callers import Authenticator


class RenewedSecrets(BaseModel):
    """What is under the first key now, and which connections' secrets no key fits."""

    connections: int
    tokens: int
    unreadable: list[str]


def secret_routes(authenticator: Authenticator, connections: Connections, tokens: Tokens) -> APIRouter:
    """Renewing, for one connector."""
    routes = APIRouter(prefix="/v1/secrets")

    @routes.post("/renew")
    async def renew(request: Request) -> RenewedSecrets:
        """Encrypts every stored secret anew, under the first key of LEADBUS_SECRET_KEY.

        A token that no key fits is left out: its connection signs in anew.
        """
        (await authenticator.authenticate(request)).require_operator("Secrets")
        settings, sign_ins = await connections.renew_secrets(), await tokens.renew_secrets()
        return RenewedSecrets(
            connections=settings.documents,
            tokens=sign_ins.documents,
            unreadable=list(settings.unreadable),
        )

    return routes
