"""Values that would spoil more than their own row, if they went out as they are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector_dynamics import metadata
from connector_dynamics.verbs import Verbs
from leadbus.connector.contract import NewActivity, NewPerson, PersonChange
from leadbus.errors import Gone, Rejected
from leadbus.messages import Record
from sandbox.dynamics import Dynamics

Stored = Callable[..., dict[str, dict[str, Any]]]
Make = Callable[..., NewPerson]
NOBODY = "c4567bb6-47a3-e711-811b-e0071b6ac1b1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("numberofemployees", "99999999999"),
        ("numberofemployees", "-2147483649"),
        ("campaignid", "Spring Fair"),
        ("campaignid", f"{NOBODY})/name"),
        ("estimatedclosedate", "0999-12-31"),
        ("schedulefollowup_qualify", "0001-01-01T00:00:00+05:00"),
        ("schedulefollowup_qualify", "0999-01-01T00:00:00Z"),
    ],
)
async def test_a_value_that_no_server_can_read_costs_its_own_row_alone(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored, field: str, value: str
) -> None:
    good, bad = person("ada@example.test"), person("ben@example.test", **{field: value})
    created, refused = await verbs.writing.create([good, bad])
    assert created == good.id
    assert isinstance(refused, Rejected)
    assert refused.field == field
    assert value not in str(refused)
    assert stored().keys() == {good.id}


async def test_texts_are_cut_as_the_crm_counts_them(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    crm.desk.add_attribute("lead", "new_Motto", length=20)
    ada = person("ada@example.test", firstname="😀" * 60, new_motto="x" + "😀" * 30)
    assert await verbs.writing.create([ada]) == [ada.id]
    row = stored()[ada.id]
    assert row["firstname"] == "😀" * 25
    assert row["new_motto"] == "x" + "😀" * 9


async def test_a_floating_point_number_and_a_long_one_are_written_by_their_types(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    crm.desk.add_attribute("lead", "new_Ratio", "double")
    crm.desk.add_attribute("lead", "new_Visits", "bigint")
    ada = person("ada@example.test", new_ratio="0.25", new_visits="99999999999")
    assert await verbs.writing.create([ada]) == [ada.id]
    row = stored()[ada.id]
    assert (row["new_ratio"], row["new_visits"]) == (0.25, 99_999_999_999)


async def test_a_column_that_is_gone_is_named(crm: Dynamics, verbs: Verbs, person: Make) -> None:
    crm.desk.add_attribute("lead", "new_Motto")
    ada = person("ada@example.test", new_motto="Onward")
    await verbs.writing.create([person("ben@example.test", new_motto="Onward")])
    crm.desk.drop_attribute("lead", "new_motto")
    (refused,) = await verbs.writing.create([ada])
    assert isinstance(refused, Rejected)
    assert refused.field == "new_motto"
    assert "new_motto" in str(refused)


async def test_an_option_that_is_gone_is_told_with_its_field(
    crm: Dynamics, verbs: Verbs, person: Make
) -> None:
    await verbs.writing.create([person("ben@example.test", leadqualitycode="Hot")])
    crm.desk.drop_option("lead", "leadqualitycode", "Hot")
    (refused,) = await verbs.writing.create([person("ada@example.test", leadqualitycode="Hot")])
    assert isinstance(refused, Rejected)
    assert refused.field == "leadqualitycode"


async def test_a_reference_to_what_is_gone_is_no_deleted_record(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored
) -> None:
    ada = person("ada@example.test")
    await verbs.writing.create([ada])
    change = PersonChange(Record(module="lead", id=ada.id), {"campaignid": NOBODY})
    (refused,) = await verbs.writing.update([change])
    assert isinstance(refused, Rejected)
    task = NewActivity(NOBODY, Record(module="lead", id=ada.id), "task", "Call", owner_id=NOBODY)
    (refused,) = await verbs.writing.add_activities([task])
    assert isinstance(refused, Rejected)
    nobody = replace(task, record=Record(module="lead", id=NOBODY), owner_id=crm.user_id)
    (gone,) = await verbs.writing.add_activities([nobody])
    assert isinstance(gone, Gone)


async def test_an_option_that_was_added_for_a_refused_row_is_found(
    crm: Dynamics, verbs: Verbs, person: Make, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person("ada@example.test", leadqualitycode="Tepid")
    (refused,) = await verbs.writing.create([ada])
    assert isinstance(refused, Rejected)
    assert "add the option" in str(refused)
    value = crm.desk.add_option("lead", "leadqualitycode", "Tepid")
    monkeypatch.setattr(metadata, "_AGAIN_SECONDS", 0.0)
    assert await verbs.writing.create([ada]) == [ada.id]
    assert stored()[ada.id]["leadqualitycode"] == value
