"""About each field: what is said, what the CRM has, what is written, and why."""

import pytest
from paper import CRM, connection, delivery, distributed, minute, person

from leadbus.connector.checking.custom_fields import unknown_field_findings
from leadbus.connector.delivering import plan
from leadbus.connector.delivering.plan_fields import Decision, Present, decide, decide_new
from leadbus.connector.mapping import FieldMap
from leadbus.tenant_fields import nearest

MAPPED = {"fields": [{"field": "phone", "crm_field": "Phone", "direction": "from_crm"}]}
ALLOWED = {"marketing": False, "distribution": True}


def decisions(**settings: object) -> dict[str, Decision]:
    there = connection(**settings)
    owed = delivery(distributed(1, first_name="Ann", last_name="Lee", phone="1", city="Bonn", company="Acme"))
    present = Present(person(values={"First": "Ann", "Company": "Theirs"}, changed_at=minute(5)))
    fields = FieldMap.of(there.settings, CRM)
    found = decide(owed, fields, "lead", present, allowed=ALLOWED, asked=None)  # type: ignore[arg-type]
    return {decision.field: decision for decision in found}


def test_every_field_has_a_reason_and_only_who_wins_is_written():
    found = decisions(**MAPPED)
    assert {name: (d.written, d.reason) for name, d in found.items()} == {
        "first_name": (False, "the CRM says the same"),
        "last_name": (True, "field updates are on"),
        "phone": (False, "only read, by its mapping"),
        "city": (False, "no field of the CRM is mapped to it"),
        "company": (True, "field updates are on"),
    }
    assert (found["company"].present, found["company"].value) == ("Theirs", "Acme")
    assert found["city"].crm_field is None


def test_a_rule_is_told_and_that_a_profile_changes_nothing_is_not():
    theirs = [{"field": "company", "crm_field": "Company", "rule": "theirs"}]
    assert decisions(fields=theirs)["company"].told
    assert not decisions()["city"].told


def test_what_a_new_record_is_made_of_is_what_is_decided():
    there = connection(**MAPPED)
    owed, fields = delivery(distributed(first_name="Ann", phone="1")), FieldMap.of(there.settings, CRM)
    found = decide_new(plan.all_values(owed, there), owed, fields, "lead")
    row = plan.new_person(owed, there, CRM, fields, "r1", "lead")
    assert row.values == {d.crm_field: d.value for d in found if d.written}
    assert {d.field: d.reason for d in found} == {
        "first_name": "the record is new",
        "last_name": "nobody has given one: the setting default_last_name stands in",
        "company": "nobody has given one: the setting default_company stands in",
        "phone": "only read, by its mapping",
    }


@pytest.mark.parametrize(
    ("own", "named"),
    [
        (frozenset(), None),
        (frozenset({"segment"}), None),
        (frozenset({"Segments", "budget"}), "custom.Segments may be meant"),
        (frozenset({"budget"}), "no field of its own of that name."),
    ],
)
def test_a_mapping_to_a_field_that_the_tenant_does_not_have_is_a_warning(own, named):
    mapping = {"fields": [{"field": "custom.segment", "crm_field": "X"}]}
    found = unknown_field_findings(connection(**mapping).settings, own)
    assert [named in finding.what for finding in found] == ([True] if named else [])
    assert all(finding.ok and finding.advice for finding in found)


def test_the_nearest_name_is_found_whatever_its_capitals():
    assert nearest("SEGMNT", {"segment", "budget"}) == "segment"
    assert nearest("zzz", {"segment"}) is None
