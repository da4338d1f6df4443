"""Scoring's HTTP API: a prospect's score with its explanation."""

import time
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request

from leadbus.messages import TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from scoring.explanation import ProspectView, view
from scoring.persons import same_person
from scoring.prospect import Key
from scoring.rules_store import RulesStore
from scoring.store import ProspectStore

AskedFor = Annotated[TenantId | None, Query(description="For the operator: the tenant to act for.")]


def add_routes(
    api: FastAPI, authenticator: Authenticator, prospects: ProspectStore, rules: RulesStore
) -> None:
    """Every answer is bound to the caller's tenant."""

    async def reader(request: Request, tenant_id: AskedFor = None) -> str:
        return await _tenant(authenticator, request, Scope.READ, tenant_id)

    @api.get("/v1/prospects/{prospect_id}")
    async def prospect(prospect_id: str, tenant: Annotated[str, Depends(reader)]) -> ProspectView:
        """The score now, what each event gave to it, and the journey so far; of an alias, those of the person
        that it is now."""
        key = Key(tenant, (await same_person(prospects, Key(tenant, prospect_id)))[-1])
        found = (await prospects.load([key])).get(key)
        if found is None:
            raise Problem(404, "No event, distribution or record of such a prospect has reached scoring.")
        return view(found, (await rules.of([tenant]))[tenant], int(time.time() * 1000))


async def _tenant(authenticator: Authenticator, request: Request, scope: Scope, asked_for: str | None) -> str:
    caller = await authenticator.authenticate(request)
    caller.require(scope)
    return caller.tenant(asked_for)
