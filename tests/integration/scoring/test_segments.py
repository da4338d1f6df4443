"""What CRMs hold of a prospect, on a real MongoDB: kept, counted by rules, shown, and told as lists."""

from typing import Any

from leadbus.topics import CRM_CONTACTS, CRM_OPPORTUNITIES
from scoring.rules import RulesBody
from scoring.service import READS

CUSTOMER = {"account_type": "Customer", "annual_revenue": "2500000"}
DEAL = {"stage": "Won", "amount": "12500", "currency": "EUR", "close_date": "2027-01-31", "probability": 100}


async def test_the_crms_topics_are_read_by_the_one_consumer_of_prospects(scoring: Any) -> None:
    assert {CRM_CONTACTS, CRM_OPPORTUNITIES} <= set(READS)
    assert len({topic.partitions for topic in READS}) == 1


async def test_a_crm_side_is_kept_and_a_replay_counts_once(scoring: Any) -> None:
    records = (
        scoring.contact(account_fields=CUSTOMER, status="Hot"),
        scoring.opportunity(**DEAL),
        scoring.contact(at=-5, status="Cold"),
    )
    told = await scoring.feed(*records)
    assert [[x.name for x in m.added] for m in told.lists] == [
        ["Account type: Customer", "Opportunity stage: Won"]
    ]
    kept = await scoring.prospect()
    assert (kept.crm.records[0].status, kept.crm.opportunities[0].amount) == ("Hot", "12500")
    assert (await scoring.feed(*records)).records == []
    assert await scoring.prospect() == kept


async def test_a_rule_of_segments_qualifies_by_what_the_crm_tells(scoring: Any) -> None:
    scoring.connect()
    when = [
        {"field": "opportunity_stage", "one_of": ["Won"]},
        {"field": "account_annual_revenue", "at_least": 1_000_000},
    ]
    body = {"segments": [{"name": "Rich and won", "when": when, "points": 45}]}
    await scoring.rules.replace("acme", RulesBody.model_validate(body))
    assert (await scoring.feed(scoring.event("e-1"), scoring.opportunity(**DEAL))).qualified == []
    told = await scoring.feed(scoring.contact(at=1, account_fields=CUSTOMER))
    assert [m.score for m in told.qualified] == [65]
    assert [m.score for m in told.scored] == [65]
    lost = await scoring.feed(scoring.opportunity(at=2, **DEAL | {"stage": "Lost"}))
    assert [m.score for m in lost.scored] == [20]


async def test_a_sweep_counts_the_points_of_segments(scoring: Any) -> None:
    body = {
        "segments": [{"name": "Ours", "when": [{"field": "in_crm_as_contact", "is": True}], "points": 60}]
    }
    await scoring.rules.replace("acme", RulesBody.model_validate(body))
    await scoring.feed(scoring.contact())
    scoring.connect()
    assert [m.score for m in (await scoring.sweep()).qualified] == [60]
