"""What a delivery asks of the CRM: rules per field, what a new record needs, notes, tasks and opt-outs."""

from typing import Any

import pytest
from paper import (
    CRM,
    change,
    connection,
    delivery,
    distributed,
    later,
    minute,
    person,
    qualified,
    rule,
    updated,
    word,
)

from leadbus.connector.delivering import plan
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.plan_assignment import request_of
from leadbus.connector.delivering.plan_fields import Present
from leadbus.connector.mapping import FieldMap
from leadbus.errors import Rejected
from leadbus.messages import (
    SyncRequest,
)

# Fields of records that exist ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_rule", "present", "changed", "wins"),
    [
        ("ours", "theirs", 9, True),
        ("theirs", "theirs", 0, False),
        ("theirs", "", 9, True),
        ("newest", "theirs", 0, True),
        ("newest", "theirs", 9, False),
        ("newest", "", 9, True),
        ("only_if_empty", "", 9, True),
        ("only_if_empty", "theirs", 0, False),
        ("never", "", 0, False),
        (None, "theirs", 0, False),
    ],
)
def test_the_rule_of_a_field_decides_who_wins(
    of_rule: str | None, present: str, changed: int, wins: bool
) -> None:
    there = connection(fields=[rule("phone", of_rule)])
    values, _ = change(
        delivery(qualified(5, phone="ours")),
        there,
        {"Phone": present},
        values={"Phone": present},
        changed={"Phone": minute(changed)},
    )
    assert values == ({"Phone": "ours"} if wins else {})


def test_the_winner_and_the_reason_are_told_by_name_and_never_by_value() -> None:
    there = connection(fields=[rule("phone", "theirs"), rule("first_name", "ours")])
    owed = delivery(qualified(5, phone="555", first_name="Ann"))
    _, reasons = change(owed, there, {"Phone": "777", "First": "Anna"})
    assert reasons == ["first_name written (ours by rule)", "phone kept (theirs by rule)"]


def test_what_we_wrote_ourselves_is_not_theirs() -> None:
    there = connection(fields=[rule("phone", "theirs")])
    owed = delivery(qualified(5, phone="1"))
    done = plan.everything(owed)
    done.wrote = {"phone"}
    owed.settle(done)
    owed.merge(later(phone="2", version=9), None, minute(9))
    assert change(owed, there, {"Phone": "1"})[0] == {"Phone": "2"}
    assert change(owed, there, {"Phone": "3"})[0] == {}
    assert change(owed, there, {"Phone": "3"}, ours={"Phone": "3"})[0] == {"Phone": "2"}


def test_a_field_changed_since_it_was_last_read_is_as_new_as_its_record() -> None:
    there = connection(fields=[rule("phone", "newest")])
    owed = delivery(qualified(5, phone="ours"))
    seen = {"values": {"Phone": "before"}, "changed": {"Phone": minute(1)}}
    just_now = person(values={"Phone": "now"}, changed_at=minute(9))
    assert change(owed, there, {}, person=just_now, **seen)[0] == {}
    before = person(values={"Phone": "before"}, changed_at=minute(9))
    assert change(owed, there, {}, person=before, **seen)[0] == {"Phone": "ours"}


def test_without_a_rule_the_profile_decides_and_a_sync_request_overrides_it() -> None:
    off, on = connection(), connection(marketing_automation={"field_updates": True})
    owed = delivery(qualified(5, phone="ours"))
    assert change(owed, off, {"Phone": "theirs"})[0] == {}
    assert change(owed, on, {"Phone": "theirs"})[0] == {"Phone": "ours"}
    assert change(delivery(distributed(phone="ours")), on, {"Phone": "theirs"})[0] == {}
    owed.merge(updated("s6", 6, sync=SyncRequest(update_existing=True)), None, minute(6))
    assert change(owed, off, {"Phone": "theirs"})[0] == {"Phone": "ours"}
    owed.merge(updated("s7", 7, sync=SyncRequest(update_existing=False)), None, minute(7))
    assert change(owed, on, {"Phone": "theirs"})[0] == {}


def test_what_others_said_waits_while_a_request_leaves_the_record_alone() -> None:
    owed = delivery(
        qualified(5, phone="ours"),
        updated("o6", 6, owner_email="ida@example.com"),
        updated("s7", 7, fields={"company": "Acme"}, sync=SyncRequest(update_existing=False)),
    )
    owed.settle(plan.record_part(owed, set(), is_there=True))
    assert {name for name, fact in owed.fields.items() if fact.pending} == {"phone"}
    assert owed.owner is not None
    assert (owed.owner.pending, owed.is_due, request_of(owed)) == (True, True, SyncRequest())
    owed.settle(plan.record_part(owed, {"phone"}, is_there=True))
    assert not any(fact.pending for fact in owed.fields.values())


def test_what_a_request_brings_is_written_though_it_was_said_and_left_out_before() -> None:
    form = later(version=9, phone="ours")  # the form, as scoring tells of it
    owed = delivery(distributed(), form)
    owed.settle(plan.everything(owed))
    asks = {"fields": {"phone": "ours"}, "sync": SyncRequest(update_existing=True)}
    owed.merge(updated("a0", 9, **asks), None, minute(9))
    assert change(owed, connection(), {"Phone": "theirs"})[0] == {"Phone": "ours"}
    owed.settle(plan.everything(owed))
    owed.merge(updated("a0", 9, **asks), None, minute(9))  # told again
    assert not owed.is_due


def test_a_value_that_the_crm_has_already_is_not_written() -> None:
    there = connection(fields=[rule("phone", "ours")])
    assert change(delivery(qualified(5, phone="1")), there, {"Phone": "1"}) == ({}, [])


def test_a_field_that_is_only_read_is_never_written() -> None:
    there = connection(fields=[rule("phone", None, direction="from_crm")])
    owed = delivery(updated("s1", 1, sync=SyncRequest(update_existing=True)), qualified(5, phone="1"))
    assert change(owed, there, {"Phone": ""}) == ({}, [])
    row = plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "n1", "lead")
    assert "Phone" not in row.values


# Email and opt-out -----------------------------------------------------------------------------------


def row_of(owed: Delivery, **how: Any) -> Any:
    there = connection()
    known = how.pop("known", {})
    fields = FieldMap.of(there.settings, CRM)
    return plan.person_change(owed, there, fields, "lead", Present(person(**how), **known)).row


def test_a_new_email_is_written_where_the_crm_has_the_one_before_it() -> None:
    owed = delivery(updated("m1", 1, email="new@example.com", previous_email="ann@example.com"))
    assert row_of(owed).email == "new@example.com"
    assert row_of(owed, email="new@example.com") is None
    assert row_of(owed, email="private@example.com") is None


def test_an_opt_out_is_written_unless_the_crm_has_it() -> None:
    owed = delivery(word(5, "opted_out"))
    assert row_of(owed).opted_out is True
    assert row_of(owed, opted_out=None).opted_out is True
    assert row_of(owed, opted_out=True) is None


def test_an_opt_in_is_written_only_if_it_is_explicit_and_later_than_the_crms_opt_out() -> None:
    assert row_of(delivery(qualified(5)), opted_out=True) is None
    assert row_of(delivery(word(5, "opted_in")), opted_out=True) is None
    explicit = delivery(word(5, "opted_in", explicit=True))
    assert row_of(explicit, opted_out=True, changed_at=minute(1)).opted_out is False
    assert row_of(explicit, opted_out=True, changed_at=minute(9)) is None
    assert row_of(explicit, opted_out=True, changed_at=None) is None
    assert row_of(explicit, opted_out=None) is None
    ours = {"ours": {"opted_out": "true"}}
    assert row_of(explicit, opted_out=True, changed_at=minute(9), known=ours).opted_out is False


def test_a_new_record_brings_an_opt_out_and_never_says_not_opted_out() -> None:
    there = connection()
    fields = FieldMap.of(there.settings, CRM)

    def created(*facts: Any) -> bool | None:
        return plan.new_person(delivery(distributed(), *facts), there, CRM, fields, "n1", "lead").opted_out

    assert created() is None
    assert created(word(5, "opted_out")) is True
    assert created(word(5, "opted_in", explicit=True)) is None


# New records -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "fields", "missing"),
    [
        ({"default_last_name": None}, {}, "last_name"),
        ({"default_last_name": None}, {"last_name": " "}, "last_name"),
        ({"default_company": None}, {"last_name": "Lee"}, "company"),
    ],
)
def test_a_missing_required_field_is_found_before_any_call_and_says_what_to_do(
    settings: dict[str, Any], fields: dict[str, str], missing: str
) -> None:
    there = connection(**settings)
    owed = delivery(qualified(0, **fields))
    with pytest.raises(Rejected) as refused:
        plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "n1", "lead")
    assert refused.value.field == missing
    assert f"default_{missing}" in str(refused.value)


def test_a_person_without_an_email_is_refused() -> None:
    there, owed = connection(), delivery(qualified())
    owed.address = None
    with pytest.raises(Rejected, match="email"):
        plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "n1", "lead")


def test_a_new_record_has_what_is_known_under_the_crms_names_and_defaults_for_the_rest() -> None:
    there = connection(score_field="Score")
    owed = delivery(distributed(first_name="Ann", street="nowhere to go"), qualified(1))
    row = plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "n1", "lead")
    assert row.values == {"First": "Ann", "Last": "Unknown", "Company": "Unknown"}
    assert (row.lead_source, row.score, row.email) == ("Leadbus", 51, "ann@example.com")


def test_a_sync_request_overrides_what_a_new_record_becomes_and_where_it_came_from() -> None:
    there = connection()
    asked = updated("s1", 1, sync=SyncRequest(record_as="contact", lead_source="Fair"))
    owed = delivery(distributed(), asked)
    assert plan.kind_of(owed, there) == "contact"
    row = plan.new_person(owed, there, CRM, FieldMap.of(there.settings, CRM), "n1", "contact")
    assert row.lead_source == "Fair"
    owed.settle(plan.everything(owed))
    assert plan.kind_of(owed, there) == "lead"


def test_without_anything_to_write_no_call_is_worth_making() -> None:
    there = connection()
    fields = FieldMap.of(there.settings, CRM)
    owed = delivery(qualified(0, phone="1"))
    assert not plan.asks_nothing(owed, there, fields)
    owed.settle(plan.everything(owed))
    owed.merge(later(phone="2"), None, minute(2))
    assert plan.asks_nothing(owed, there, fields)
    ruled = connection(fields=[rule("phone", "newest")])
    assert not plan.asks_nothing(owed, ruled, FieldMap.of(ruled.settings, CRM))
    owed.merge(word(5, "opted_out"), None, minute(5))
    assert not plan.asks_nothing(owed, there, fields)
