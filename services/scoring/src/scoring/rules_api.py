"""Scoring's HTTP API about a tenant's rules: in force, earlier ones, what others would do, and history."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel, Field

from leadbus.errors import Conflict
from leadbus.problems import Problem
from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from scoring.api import AskedFor
from scoring.applying import Application, Applications
from scoring.connections import Connections
from scoring.preview import Preview, preview
from scoring.rules import Rules, RulesBody
from scoring.rules_store import RulesStore, RulesVersion
from scoring.store import ProspectStore


class Asked(BaseModel):
    """Whose rules, and who asks."""

    tenant: str
    author: str


class Apply(BaseModel):
    """version: of the rules in force, so that nobody applies others than those they have read."""

    version: Annotated[int, Field(ge=1)]


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise Problem(422, f"These rules cannot be kept: {error}.") from None


def add_rules(
    api: FastAPI,
    authenticator: Authenticator,
    rules: RulesStore,
    prospects: ProspectStore,
    connections: Connections,
    applications: Applications,
) -> None:
    """Every answer is bound to the caller's tenant."""

    async def administrator(request: Request, tenant_id: AskedFor = None) -> Asked:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return Asked(tenant=caller.tenant(tenant_id), author=caller.key_id)

    By = Annotated[Asked, Depends(administrator)]

    @api.get("/v1/rules")
    async def rules_in_force(by: By) -> RulesBody:
        """The rules in force; version 0 = the defaults."""
        return (await rules.of([by.tenant]))[by.tenant].body()

    @api.put("/v1/rules")
    async def replace_rules(body: RulesBody, by: By) -> RulesBody:
        """Puts rules in force for the events to come. Send the version you read: 409 if it is not the newest.
        How points fade, caps and points for persons hold for earlier events too, from a prospect's next event
        on; other points do once the rules are applied to history."""
        with _refusing():
            return (await rules.replace(by.tenant, body, by.author)).body()

    @api.get("/v1/rules/history")
    async def rules_history(
        by: By,
        before: Annotated[int | None, Query(ge=1, description="Only versions with a lower number.")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> list[RulesVersion]:
        """Versions that were put in force, newest first, with author and time."""
        return await rules.history(by.tenant, before, limit)

    @api.post("/v1/rules/preview")
    async def preview_rules(body: RulesBody, by: By, after: str | None = None) -> Preview:
        """How many prospects would exceed each connection's threshold if these rules were applied to history.
        A page of prospects at a time; nothing is changed."""
        in_force = (await rules.of([by.tenant]))[by.tenant]
        with _refusing():
            others = Rules.of(body, in_force.version + 1, in_force.numbers)
        about = connections.for_tenant(by.tenant)
        return await preview(prospects, by.tenant, in_force, others, about, after, int(time.time() * 1000))

    @api.post("/v1/rules/application", status_code=202)
    async def apply_rules(asked: Apply, by: By) -> Application:
        """Applies the rules in force to what was counted before them. It goes on by itself."""
        if (await rules.of([by.tenant]))[by.tenant].version != asked.version:
            raise Conflict("These are not the rules in force any more; read them again, then decide.")
        await applications.ask(by.tenant, asked.version, by.author)
        return await _application(by.tenant)

    @api.get("/v1/rules/application")
    async def application(by: By) -> Application:
        """How far the rules are applied to history."""
        return await _application(by.tenant)

    async def _application(tenant: str) -> Application:
        found = await applications.of(tenant)
        if found is None:
            raise Problem(404, "Nobody has asked yet to apply rules to history.")
        return found
