"""What rules would do to the prospects there are: asked page by page, and nothing is changed by it."""

import asyncio
from copy import deepcopy

from pydantic import BaseModel, Field

from scoring.prospect import Prospect
from scoring.qualification import Connections
from scoring.repricing import reprice
from scoring.rules import Rules
from scoring.store import ProspectStore

PAGE = 500


class Change(BaseModel):
    """How many of the prospects exceed a connection's threshold. now: by the rules in force; then: by the
    others; joining, leaving: who is among the ones and not among the others."""

    connection_id: str
    threshold: int
    score: str | None = Field(description="The score that it reads; absent = the main one.")
    now: int = 0
    then: int = 0
    joining: int = 0
    leaving: int = 0


class Preview(BaseModel):
    """Of one page. next: what to give as `after` for the next one; None = this is the last."""

    prospects: int
    changes: list[Change]
    from_now_on: list[str] = Field(
        description="Rules of events that are new or ask something else now: they reach no earlier events."
    )
    next: str | None


async def preview(
    store: ProspectStore,
    tenant_id: str,
    now_rules: Rules,
    then_rules: Rules,
    connections: Connections,
    after: str | None,
    now: int,
) -> Preview:
    """Of the next PAGE prospects of a tenant, those with an email; now: ms since 1970."""
    prospects = await store.page(tenant_id, after, PAGE)
    changes = [
        Change(connection_id=c.connection_id, threshold=c.threshold, score=c.score)
        for c in connections
        if c.marketing_automation
    ]
    for prospect in prospects:
        if prospect.email is not None:
            _compare(prospect, now_rules, then_rules, changes, max(now, prospect.at))
        await asyncio.sleep(0)  # batches get on meanwhile
    return Preview(
        prospects=len(prospects),
        changes=changes,
        from_now_on=sorted(
            name.removeprefix("/")
            for name, asked in then_rules.asked_by_name.items()
            if now_rules.asked_by_name.get(name) != asked
        ),
        next=prospects[-1].key.prospect_id if len(prospects) == PAGE else None,
    )


def _compare(prospect: Prospect, now_rules: Rules, then_rules: Rules, changes: list[Change], at: int) -> None:
    other = deepcopy(prospect)
    reprice(other, then_rules)
    for change in changes:
        now = prospect.score_at(at, now_rules, change.score) > change.threshold * 1000
        then = other.score_at(at, then_rules, change.score) > change.threshold * 1000
        change.now += now
        change.then += then
        change.joining += then and not now
        change.leaving += now and not then
