"""Which of several records with one email is the prospect's."""

from datetime import UTC, datetime
from typing import Any

from leadbus.connector.contract import Person
from leadbus.connector.delivering.matching import choose, choose_any, rivals
from leadbus.messages import (
    Record,
)


def someone(key: str, kind: str = "lead", year: int = 2020, **how: Any) -> Person:
    module = {"lead": "Leads", "contact": "Contacts", "target": "Prospects"}[kind]
    made = datetime(year, 1, 1, tzinfo=UTC)
    return Person(Record(module=module, id=key), kind=kind, created_at=made, **how)  # type: ignore[arg-type]


def test_the_oldest_open_record_is_the_prospects_and_a_target_only_where_nothing_is_created() -> None:
    closed, young, target = someone("c", open=False), someone("y", year=2024), someone("t", "target", 2019)
    assert choose([closed, young, target]) is young
    assert choose([closed, target]) is closed
    assert choose([target]) is None
    assert choose_any([target]) is target
    assert choose_any([target, young]) is young


def test_two_open_records_are_rivals_and_a_converted_lead_beside_its_contact_is_none() -> None:
    assert rivals([someone("a"), someone("b", "contact"), someone("t", "target")]) == 2
    assert rivals([someone("a", open=False), someone("b", "contact")]) == 1
