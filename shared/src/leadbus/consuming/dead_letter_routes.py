"""`/v1/dead-letters`: for the operator alone, since a record that cannot be read belongs to no tenant yet."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from leadbus.consuming.dead_letters import DeadLetters
from leadbus.security.callers import Authenticator

MOST_LISTED = 1_000


def dead_letter_routes(authenticator: Authenticator, dead_letters: DeadLetters) -> APIRouter:
    """List and replay, for one service."""
    routes = APIRouter(prefix="/v1/dead-letters")

    async def require_operator(request: Request) -> None:
        (await authenticator.authenticate(request)).require_operator("Dead letters")

    @routes.get("")
    async def listed(
        request: Request, limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100
    ) -> dict[str, Any]:
        """Dead letters that are not replayed yet, oldest first; never their content."""
        await require_operator(request)
        return {"dead_letters": await dead_letters.list(limit)}

    @routes.post("/replay")
    async def replay(request: Request, limit: Annotated[int | None, Query(ge=1)] = None) -> dict[str, int]:
        """Publishes them again on the topics they came from; what still cannot be read comes back here."""
        await require_operator(request)
        return {"replayed": await dead_letters.replay(limit)}

    return routes
