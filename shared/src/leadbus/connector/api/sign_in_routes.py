"""The HTTP API of signing in with a browser, of the connectors whose CRM asks for it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.sign_in_page import page_of
from leadbus.connector.api.signing_in import SigningIn
from leadbus.security.api_keys import Scope

PATH = "/v1/sign-in"


class WhereToSignIn(BaseModel):
    """url: to be opened in a browser by whoever is to sign in; it serves once, and for ten minutes."""

    url: str = Field(examples=["https://accounts.example.com/oauth/v2/auth?state=..."])


def sign_in_routes(*, ownership: Ownership, signing_in: SigningIn) -> APIRouter:
    """One begins a sign-in, bound to the caller's tenant; to the other the CRM sends people back."""
    routes = APIRouter()

    @routes.post("/v1/connections/{connection_id}/sign-in")
    async def begin_to_sign_in(request: Request, response: Response, connection_id: str) -> WhereToSignIn:
        """The CRM's own page, where a person signs in and lets Leadbus in; it ends at /v1/sign-in."""
        connection = await ownership.connection(request, connection_id, Scope.ADMINISTER)
        url = await signing_in.begin(connection)
        response.headers["Cache-Control"] = "no-store"
        return WhereToSignIn(url=url)

    @routes.get(
        PATH,
        response_class=HTMLResponse,
        responses={
            400: {"description": "The sign-in is over: its address serves once, and for ten minutes."},
            409: {"description": "It was refused, or the connection's settings were changed meanwhile."},
            502: {"description": "The CRM did not answer."},
        },
    )
    async def end_the_sign_in(
        request: Request,
        state: Annotated[str, Query(description="As the CRM was given it: whose sign-in it is.")] = "",
    ) -> HTMLResponse:
        """Where the CRM sends a person back to, with what else it has to say; answers a page in words.

        It takes no API key: the state stands for the connection, once.
        """
        answer = {name: value for name, value in request.query_params.items() if name != "state"}
        return page_of(await signing_in.end(state, answer))

    return routes
