"""Members of a list: who is new, who left, and that a repeat after a crash is no second event."""

from datetime import UTC, datetime

from leadbus.connector.stores.members import ListMember
from leadbus.connector.stores.mirror import MirrorRow
from leadbus.connector.taking.lists import compare
from leadbus.messages import Record

AT = datetime(2026, 3, 1, tzinfo=UTC)


def record(key):
    return Record(module="Targets", id=key)


def person(key, prospect="p"):
    email = f"{key}@example.com" if prospect else None
    return MirrorRow("one", record(key), "target", email=email, prospect_id=prospect)


def member(key, prospect="p"):
    email = f"{key}@example.com" if prospect else None
    return ListMember("one", "x", record(key), "before", prospect, email)


def compared(page, on_list, people):
    return compare(
        "one",
        "x",
        "now",
        [record(key) for key in page],
        {m.record: m for m in on_list},
        {p.record: p for p in people},
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
