"""What a kind of record has no field for: the fields that would fit are named, and the mapping to enter."""

from dataclasses import replace
from typing import Any

import pytest
from paper import CRM, connection

from leadbus.connector.checking.custom_fields import custom_field_findings
from leadbus.connector.contract import FieldInfo, Finding

CAPABILITIES = replace(
    CRM,
    by_custom_field={"lead": {"birthday": "date"}},
    steps={"field": "Open Studio, add {name} to {module}."},
)
TAKEN = {"field": "custom.x", "crm_field": "taken_c", "direction": "from_crm"}


def date_field(name: str, **how: Any) -> FieldInfo:
    return FieldInfo(name, name.upper(), "date", **({"custom": True} | how))


def found(*there: FieldInfo, kind: Any = "lead", **settings: Any) -> list[Finding]:
    return custom_field_findings(connection(**settings).settings, CAPABILITIES, kind, there)


@pytest.mark.parametrize(
    ("there", "advice"),
    [
        (
            [date_field("born_c")],
            "Add to the setting fields: {of: lead, field: birthday, crm_field: born_c} (BORN_C)."
            " If none of these is meant for it: Open Studio, add Birthday to Leads.",
        ),
        (
            [date_field("a_c"), date_field("b_c"), date_field("taken_c")],
            "Add to the setting fields: {of: lead, field: birthday, crm_field: a_c} (A_C) or"
            " {of: lead, field: birthday, crm_field: b_c} (B_C)."
            " If none of these is meant for it: Open Studio, add Birthday to Leads.",
        ),
        (
            [
                date_field("changed", custom=False),
                date_field("sum_c", writable=False),
                FieldInfo("rank_c", "Rank", "number", custom=True),
            ],
            "Make a custom field of type date. Open Studio, add Birthday to Leads. Then add to the setting"
            " fields: {of: lead, field: birthday, crm_field: <its name>}",
        ),
    ],
)
def test_a_warning_names_every_field_that_fits_and_shows_the_mapping_to_enter(
    there: list[FieldInfo], advice: str
) -> None:
    (finding,) = found(*there, fields=[TAKEN])
    assert (finding.ok, finding.advice) == (True, advice)
    assert finding.what == "Leads has no field of its own for birthday, and no custom field is mapped to it."
    assert finding.why == "A lead's birthday is neither written to the CRM nor read from it."


def test_another_kind_or_a_mapped_field_is_not_warned_of() -> None:
    assert found(date_field("born_c"), kind="contact") == []
    assert found(date_field("born_c"), fields=[{"field": "birthday", "crm_field": "born_c"}]) == []
