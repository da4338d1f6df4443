"""Where the CRM tells versions, what somebody changes in it after we have read is not written over."""

from typing import Any

import pytest

from leadbus.connector.contract import Person, PersonChange
from leadbus.errors import Conflict, Gone

TELLING = ["9.2", "2016", "2015 Update 1"]
"""Dynamics 365, the Web API on premises, and SOAP with RowVersion."""


async def ada(crm: Any, verbs: Any, kind: str = "lead") -> Person:
    """In the CRM, and as she was read."""
    values = {"lastname": "Lovelace", "jobtitle": "Clerk", "emailaddress1": "ada@example.com"}
    crm.desk.create(kind, values)
    found = await verbs.reading.find_by_email(["ada@example.com"])
    (person,) = found["ada@example.com"]
    return person


def promoted(person: Person) -> PersonChange:
    return PersonChange(person.record, {"jobtitle": "Countess"}, version=person.version)


@pytest.mark.parametrize("version", TELLING)
@pytest.mark.parametrize("kind", ["lead", "contact"])
async def test_a_row_as_it_was_read_is_changed(crm, verbs, stored, kind):
    person = await ada(crm, verbs, kind)
    assert person.version
    assert await verbs.writing.update([promoted(person)]) == [None]
    assert stored(kind)[person.record.id]["jobtitle"] == "Countess"


@pytest.mark.parametrize("version", TELLING)
async def test_a_row_that_somebody_changed_meanwhile_is_left_alone_and_the_others_are_not(crm, verbs, stored):
    crm.desk.create("lead", {"lastname": "Kot", "emailaddress1": "ben@example.com"})
    person = await ada(crm, verbs)
    (other,) = (await verbs.reading.find_by_email(["ben@example.com"]))["ben@example.com"]
    crm.desk.change("lead", person.record.id, {"jobtitle": "Mathematician"})
    overtaken, done = await verbs.writing.update([promoted(person), promoted(other)])
    assert type(overtaken) is Conflict
    assert done is None
    rows = stored()
    assert rows[person.record.id]["jobtitle"] == "Mathematician"
    assert rows[other.record.id]["jobtitle"] == "Countess"


@pytest.mark.parametrize("version", TELLING)
async def test_read_again_it_can_be_changed(crm, verbs, stored):
    person = await ada(crm, verbs)
    crm.desk.change("lead", person.record.id, {"telephone1": "1"})
    assert type((await verbs.writing.update([promoted(person)]))[0]) is Conflict
    again = (await verbs.reading.read([person.record]))[person.record.id]
    assert again.version not in (None, person.version)
    assert await verbs.writing.update([promoted(again)]) == [None]
    assert stored()[person.record.id]["jobtitle"] == "Countess"


@pytest.mark.parametrize("version", TELLING)
async def test_a_row_that_was_deleted_meanwhile_is_gone_and_not_made_anew(crm, verbs, stored):
    person = await ada(crm, verbs)
    crm.desk.delete("lead", person.record.id)
    (outcome,) = await verbs.writing.update([promoted(person)])
    assert type(outcome) is Gone
    assert stored()[person.record.id]["deleted"]


@pytest.mark.parametrize("version", ["2011", "2015"])
async def test_before_there_were_versions_the_last_one_wins(crm, verbs, stored):
    person = await ada(crm, verbs)
    assert person.version is None
    crm.desk.change("lead", person.record.id, {"jobtitle": "Mathematician"})
    assert await verbs.writing.update([promoted(person)]) == [None]
    assert stored()[person.record.id]["jobtitle"] == "Countess"
