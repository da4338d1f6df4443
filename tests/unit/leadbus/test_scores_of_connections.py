"""A connection may read another score than the tenant's main one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from leadbus.connector.delivering.handler import as_scored
from leadbus.messages import LeadActivities, LeadScored

COMMON: dict[str, Any] = {
    "event_id": "e1",
    "tenant_id": "acme",
    "prospect_id": "p1",
    "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
    "version": 3,
    "score": 70,
    "millipoints": 70_000,
    "connections": ["acme-sugar"],
    "scores": {"product-x": 12},
}


@pytest.mark.parametrize("fact", [LeadScored(**COMMON), LeadActivities(**COMMON, activities=[])])
@pytest.mark.parametrize(("name", "score"), [(None, 70), ("product-x", 12), ("product-y", 0)])
def test_the_score_that_is_written_is_the_one_that_the_connection_reads(
    fact: LeadScored | LeadActivities, name: str | None, score: int
) -> None:
    read = as_scored(fact, name)
    assert (getattr(read, "score"), read.event_id) == (score, "e1")  # noqa: B009 - not every fact has one
