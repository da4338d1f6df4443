"""Feedback's HTTP API: what became of distributions, for suppliers and tenants, and answering by API."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from feedback.cursor import Cursor
from feedback.desk import Desk
from feedback.distribution import Distribution
from feedback.store import MongoDistributions, Whose
from feedback.views import AnswerBody, DistributionView, Journey, Page, journey, view
from leadbus.messages import Id, TenantId, Time
from leadbus.problems import Problem
from leadbus.security.api_keys import EVERY_TENANT, Scope
from leadbus.security.callers import Authenticator, Caller

MOST = 200


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and whose distributions there are for it."""

    whose: Whose
    supplier: bool


Tenant = Annotated[TenantId | None, Query(description="For the operator, and suppliers of several tenants.")]
Supplier = Annotated[Id | None, Query(description="Only this supplier's.")]
Prospect = Annotated[Id | None, Query(description="Where one id was given to the leads of several people.")]


def distribution_routes(
    authenticator: Authenticator, distributions: MongoDistributions, desk: Desk
) -> APIRouter:
    """A supplier sees its own leads and nothing else, a tenant its own; others do not exist for them."""
    routes = APIRouter(prefix="/v1", tags=["Distributions"])

    async def reader(request: Request, tenant_id: Tenant = None, supplier_id: Supplier = None) -> Reader:
        caller = await authenticator.authenticate(request)
        if caller.supplier_id is not None:
            return Reader(_of_supplier(caller, caller.supplier_id, tenant_id, supplier_id), True)
        caller.require(Scope.READ)
        return Reader(Whose(caller.tenant(tenant_id), supplier_id), False)

    async def answering(request: Request, tenant_id: Tenant = None, supplier_id: Supplier = None) -> Whose:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.INGEST)
        return Whose(caller.tenant(tenant_id), supplier_id)

    async def one(whose: Whose, distribution_id: str, prospect_id: str | None) -> Distribution:
        found = await distributions.named(whose, distribution_id, prospect_id)
        if not found:
            raise Problem(404, "There is no distribution of this id, or it has not reached feedback yet.")
        if len(found) > 1:
            raise Problem(
                409, "Several leads have this id: say which with tenant_id, supplier_id or prospect_id."
            )
        return found[0]

    @routes.get("/distributions")
    async def list_distributions(
        who: Annotated[Reader, Depends(reader)],
        cursor: Annotated[str | None, Query(description="As the answer before had it.")] = None,
        changed_since: Annotated[
            Time | None, Query(description="To begin with: only later changes. A cursor knows it already.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> Page:
        """What has changed, each distribution once, as it stands now. Ask on with the cursor, for ever."""
        if cursor:
            begin = Cursor.read(cursor)
        else:
            begin = await distributions.since(who.whose, changed_since) if changed_since else Cursor()
        found, reached = await distributions.page(who.whose, begin, limit)
        return Page(
            distributions=[view(each, supplier=who.supplier) for each in found],
            cursor=str(reached),
            more=len(found) == limit,
        )

    @routes.get("/distributions/{distribution_id:path}")
    async def show_distribution(
        distribution_id: str, who: Annotated[Reader, Depends(reader)], prospect_id: Prospect = None
    ) -> DistributionView:
        """One distribution, by the supplier's own id."""
        return view(await one(who.whose, distribution_id, prospect_id), supplier=who.supplier)

    @routes.post("/distributions/{distribution_id:path}/answer", status_code=202)
    async def answer_distribution(
        distribution_id: str,
        body: AnswerBody,
        whose: Annotated[Whose, Depends(answering)],
        prospect_id: Prospect = None,
    ) -> DistributionView:
        """Accepts or rejects a lead, for its tenant. The first answer counts; one against it is kept and told
        as a contradiction. The answer shows how the distribution stands with it."""
        found = await one(whose, distribution_id, prospect_id)
        await desk.by_api(found, body.answer)
        return view(found, supplier=False)

    @routes.get("/prospects/{prospect_id}")
    async def show_journey(request: Request, prospect_id: str, tenant_id: Tenant = None) -> Journey:
        """How the distributions of one person were answered, for its tenant."""
        caller = await authenticator.authenticate(request)
        caller.require(Scope.READ)
        found = await distributions.of_prospect(caller.tenant(tenant_id), prospect_id)
        if not found:
            raise Problem(404, "No distribution of such a prospect has reached feedback.")
        return journey(prospect_id, found)

    return routes


def _of_supplier(caller: Caller, own: str, tenant_id: str | None, supplier_id: str | None) -> Whose:
    if supplier_id not in (None, own):
        raise Problem(403, "This API key belongs to another supplier. Leave supplier_id out.")
    if caller.tenant_id == EVERY_TENANT:
        return Whose(tenant_id, own)
    return Whose(caller.tenant(tenant_id), own)
