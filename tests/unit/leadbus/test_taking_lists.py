"""Members of a list: who is new, who left, and that a repeat after a crash is no second event."""

from dataclasses import replace
from datetime import UTC, datetime

from leadbus.connector.mapping import FieldMap, MappedField
from leadbus.connector.settings import ListRule
from leadbus.connector.settings.lists import EVERY_LIST, PulledPeople
from leadbus.connector.stores.members import BATCH, ListMember
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.lists import LONGEST_VALUE, MOST_CHARACTERS, _bounded, _valid, compare
from leadbus.messages import Record

FIELDS = FieldMap({"target": {"phone": MappedField("phone", "phone_work")}})
CHOSEN = ListRule(list="x", pull_fields=("phone",))
AT = datetime(2026, 3, 1, tzinfo=UTC)


def record(key):
    return Record(module="Targets", id=key)


def person(key, prospect="p"):
    email = f"{key}@example.com" if prospect else None
    return MirrorRow("one", record(key), "target", email=email, prospect_id=prospect)


def with_phone(key, phone):
    return replace(person(key), values={"phone_work": phone, "department": "Mills"})


def member(key, prospect="p"):
    email = f"{key}@example.com" if prospect else None
    return ListMember("one", "x", record(key), "before", prospect, email)


def compared(page, on_list, people, rule=EVERY_LIST):
    return compare(
        "one",
        "x",
        "now",
        [record(key) for key in page],
        {m.record: m for m in on_list},
        {p.record: p for p in people},
        rule,
        FIELDS,
    )


def test_who_was_not_on_the_list_is_added_and_all_are_seen_by_this_run():
    found = compared(["a", "b"], [member("a")], [person("a"), person("b")])
    assert [m.record.id for m in found.added] == ["b"]
    assert {(m.record.id, m.run) for m in found.members} == {("a", "now"), ("b", "now")}


def test_who_is_no_prospect_yet_is_told_once_it_is_one():
    first = compared(["a"], [], [person("a", prospect=None)])
    assert (list(first.added), first.members[0].prospect_id) == ([], None)
    second = compared(["a"], first.members, [person("a")])
    assert [m.email for m in second.added] == ["a@example.com"]
    assert compared(["a"], second.members, [person("a")]).added == []


def test_who_was_told_under_one_prospect_stays_told_under_it():
    found = compared(["a"], [member("a", "before")], [person("a", "after")])
    assert [m.prospect_id for m in found.members] == ["before"]


def test_chosen_fields_are_told_with_a_member_and_again_when_they_change():
    first = compared(["a"], [], [with_phone("a", "1")], CHOSEN)
    assert dict(first.fields) == {record("a"): {"phone": "1"}}
    assert compared(["a"], first.members, [with_phone("a", "1")], CHOSEN).updated == []
    second = compared(["a"], first.members, [with_phone("a", "2")], CHOSEN)
    assert (second.added, [m.record.id for m in second.updated]) == ([], ["a"])
    assert dict(second.fields) == {record("a"): {"phone": "2"}}
    assert compared(["a"], second.members, [with_phone("a", "2")], CHOSEN).updated == []


def test_what_the_rule_does_not_want_told_is_told_once_it_does():
    quiet = CHOSEN.model_copy(update={"pull": PulledPeople(add=False, update=False)})
    first = compared(["a"], [], [with_phone("a", "1")], quiet)
    assert (first.added, first.members[0].prospect_id) == ([], None)
    told = compared(["a"], first.members, [with_phone("a", "1")], CHOSEN)
    assert [m.record.id for m in told.added] == ["a"]
    unchanged = compared(["a"], told.members, [with_phone("a", "2")], quiet)
    assert (unchanged.updated, unchanged.members[0].said) == ([], told.members[0].said)
    assert len(compared(["a"], unchanged.members, [with_phone("a", "2")], CHOSEN).updated) == 1


def test_events_are_bounded_by_members_and_by_what_is_told_of_them():
    many = [member(f"m{number:04}") for number in range(BATCH + 1)]
    assert [len(part) for part in _bounded(many, {})] == [BATCH, 1]
    long = {m.record: {"comments": "x" * LONGEST_VALUE, "custom.notes": "y" * LONGEST_VALUE} for m in many}
    sizes = [len(part) for part in _bounded(many, long)]
    assert (sum(sizes), max(sizes)) == (BATCH + 1, MOST_CHARACTERS // (2 * LONGEST_VALUE))
    cut = compared(["a"], [], [with_phone("a", "9" * 5_000)], CHOSEN)
    assert len(cut.fields[record("a")]["phone"]) == LONGEST_VALUE


def test_a_value_that_a_message_cannot_hold_is_left_out_alone():
    assert _valid({"birthday": "in May", "phone": "1"}).flat() == {"phone": "1"}
