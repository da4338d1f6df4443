"""Scoring's HTTP API: a prospect's score with its explanation, and a tenant's rules."""

import time
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request

from leadbus.messages import TenantId
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from scoring.explanation import ProspectView, view
from scoring.prospect import Key
from scoring.rules import Rules, RulesBody, RulesStore
from scoring.store import ProspectStore

AskedFor = Annotated[TenantId | None, Query(description="For the operator: the tenant to act for.")]


def add_routes(
    api: FastAPI, authenticator: Authenticator, prospects: ProspectStore, rules: RulesStore
) -> None:
    """Every answer is bound to the caller's tenant."""

    async def reader(request: Request, tenant_id: AskedFor = None) -> str:
        return await _tenant(authenticator, request, Scope.READ, tenant_id)

    async def administrator(request: Request, tenant_id: AskedFor = None) -> str:
        return await _tenant(authenticator, request, Scope.ADMINISTER, tenant_id)

    @api.get("/v1/prospects/{prospect_id}")
    async def prospect(prospect_id: str, tenant: Annotated[str, Depends(reader)]) -> ProspectView:
        """The score now, what each event gave to it, and the journey so far."""
        key = Key(tenant, prospect_id)
        found = (await prospects.load([key])).get(key)
        if found is None:
            raise Problem(404, "No event, distribution or record of such a prospect has reached scoring.")
        return view(found, (await rules.of([tenant]))[tenant], int(time.time() * 1000))

    @api.get("/v1/rules")
    async def rules_in_force(tenant: Annotated[str, Depends(administrator)]) -> Rules:
        """The rules in force; version 0 = the defaults."""
        return (await rules.of([tenant]))[tenant]

    @api.put("/v1/rules")
    async def replace_rules(body: RulesBody, tenant: Annotated[str, Depends(administrator)]) -> Rules:
        """Puts rules in force for the events to come. Send the version you read: 409 if it is not the
        newest. The half-life holds for earlier events too, from a prospect's next event on."""
        return await rules.replace(tenant, body)


async def _tenant(authenticator: Authenticator, request: Request, scope: Scope, asked_for: str | None) -> str:
    caller = await authenticator.authenticate(request)
    caller.require(scope)
    return caller.tenant(asked_for)
