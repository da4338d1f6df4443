"""`/v1/prospects/{prospect_id}/export`: all that a service holds of one person, as it holds it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from pymongo.asynchronous.database import AsyncDatabase

from leadbus.erasing.holdings import Holdings, Person, export
from leadbus.messages import TenantId
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from leadbus.storage.mongo import Document


class Exported(BaseModel):
    """held: documents by collection, empty if there are none."""

    service: str
    tenant_id: str
    prospect_id: str
    held: dict[str, list[Any]]


def export_routes(
    authenticator: Authenticator, service: str, database: AsyncDatabase[Document], holdings: Holdings
) -> APIRouter:
    """Every answer is bound to the caller's tenant."""
    routes = APIRouter(prefix="/v1", tags=["Persons"])

    @routes.get("/prospects/{prospect_id}/export")
    async def export_prospect(
        request: Request,
        prospect_id: str,
        tenant_id: Annotated[
            TenantId | None, Query(description="For the operator: the tenant to act for.")
        ] = None,
    ) -> Exported:
        """What this service holds of the person. Its aliases are prospects of their own: see scoring's."""
        caller = await authenticator.authenticate(request)
        caller.require(Scope.READ)
        person = Person(caller.tenant(tenant_id), prospect_id)
        return Exported(service=service, **person._asdict(), held=await export(database, holdings, person))

    return routes
