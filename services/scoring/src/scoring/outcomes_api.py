"""The route by which points are learned from outcomes."""

from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request

from leadbus.security.api_keys import Scope
from leadbus.security.callers import Authenticator
from scoring.api import AskedFor
from scoring.outcomes import OutcomeReader, Outcomes, Words
from scoring.rules_store import RulesStore

Given = Annotated[list[str], Query(max_length=50, description="Instead of the usual words.")]


def add_outcomes(
    api: FastAPI, authenticator: Authenticator, outcomes: OutcomeReader, rules: RulesStore
) -> None:
    """Every answer is bound to the caller's tenant."""

    async def administrator(request: Request, tenant_id: AskedFor = None) -> str:
        caller = await authenticator.authenticate(request)
        caller.require(Scope.ADMINISTER)
        return caller.tenant(tenant_id)

    @api.get("/v1/outcomes")
    async def outcomes_of_prospects(
        tenant: Annotated[str, Depends(administrator)],
        won: Given = [],  # noqa: B006 - FastAPI takes a copy
        lost: Given = [],  # noqa: B006
        disqualified: Given = [],  # noqa: B006
        after: str | None = None,
    ) -> Outcomes:
        """What became of the prospects that a CRM holds, and their events before that; nobody is named. By
        stages of opportunities (won, lost) and statuses of records (disqualified), whatever their case."""
        words = Words.given(won, lost, disqualified)
        return await outcomes.page(tenant, words, (await rules.of([tenant]))[tenant], after)
