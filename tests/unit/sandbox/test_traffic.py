"""The traffic generator: the same for the same seed, and with everything in it that must be survived."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from sandbox.cast import AURORA, TENANTS
from sandbox.upstream.traffic import Item, Request, Size, Traffic, traffic

_NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_SIZE = Size(events=3_000, distributions=150)


@pytest.fixture(scope="module")
def made() -> Traffic:
    return traffic(1, _SIZE, TENANTS, "t", _NOW)


def test_the_same_seed_gives_the_same_traffic(made: Traffic) -> None:
    again = traffic(1, _SIZE, TENANTS, "t", _NOW)
    assert again.requests == made.requests
    assert again.acquainted == made.acquainted


def test_another_seed_gives_other_traffic(made: Traffic) -> None:
    assert traffic(2, _SIZE, TENANTS, "t", _NOW).requests != made.requests


def test_two_runs_share_neither_ids_nor_people(made: Traffic) -> None:
    other = traffic(1, _SIZE, TENANTS, "u", _NOW)
    for name in ("event_id", "email", "visitor_id", "distribution_id"):
        ours, theirs = (
            {_plain(item.body[name]) for _, item in _right(t) if name in item.body} for t in (made, other)
        )
        assert ours
        assert ours.isdisjoint(theirs)


def test_there_is_as_much_as_was_asked_for(made: Traffic) -> None:
    counted = Counter(r.input for r, _ in _right(made))
    assert _SIZE.events <= counted["events"] <= _SIZE.events * 1.1
    assert _SIZE.distributions <= counted["distributions"] <= _SIZE.distributions * 1.2
    assert counted.keys() == {"events", "distributions", "prospects", "campaigns", "lists"}


def test_no_request_is_larger_than_a_batch_may_be_and_distributions_are_posted_singly(made: Traffic) -> None:
    assert all(1 <= len(r.items) <= 1_000 for r in made.requests)
    assert all(len(r.items) == 1 for r in made.requests if r.input == "distributions")
    assert {r.format for r in made.requests if r.input == "events"} == {"json", "ndjson", "cloudevents"}


def test_repeated_events_are_the_same_in_another_place_and_never_cloudevents(made: Traffic) -> None:
    places: dict[str, list[tuple[Request, Item]]] = {}
    for request, item in _right(made):
        if request.input == "events" and "event_id" in item.body:
            places.setdefault(item.body["event_id"], []).append((request, item))
    twice = [found for found in places.values() if len(found) > 1]
    assert len(twice) >= _SIZE.events // 100
    for found in twice:
        assert all(item.body == found[0][1].body for _, item in found)
        assert all(request.format != "cloudevents" for request, _ in found)


def test_items_without_an_id_are_in_requests_with_an_idempotency_key(made: Traffic) -> None:
    for request in made.requests:
        if request.input == "events":
            without = any("event_id" not in item.body for item in request.items)
            assert without is (request.idempotency_key is not None)
    assert any(request.idempotency_key for request in made.requests)


def test_some_items_are_wrong_each_in_its_own_way(made: Traffic) -> None:
    wrong = [item.body for r in made.requests for item in r.items if item.wrong]
    assert len(wrong) >= 14
    assert {"carrier_pigeon", "email_open"} <= {body.get("type") for body in wrong}


def test_events_come_out_of_order_and_none_from_the_future(made: Traffic) -> None:
    times = [
        datetime.fromisoformat(item.body["occurred_at"])
        for r, item in _right(made)
        if r.input == "events" and r.tenant == AURORA.id
    ]
    assert any(later < earlier for earlier, later in pairwise(times))
    assert all(time < _NOW for time in times)


def test_no_two_different_events_of_a_person_share_a_second(made: Traffic) -> None:
    seen: dict[tuple[str, str], dict[str, object]] = {}
    for request, item in _right(made):
        if request.input != "events" or "email" not in item.body:
            continue
        at = datetime.fromisoformat(item.body["occurred_at"]).astimezone(UTC)
        first = seen.setdefault((_plain(item.body["email"]), f"{at:%F %T}"), item.body)
        assert {**first, "event_id": 0} == {**item.body, "event_id": 0}


def test_names_are_written_in_many_alphabets(made: Traffic) -> None:
    names = {item.body["fields"]["last_name"] for r, item in _right(made) if r.input == "distributions"}
    scripts = {unicodedata.name(letter).split()[0] for name in names for letter in name if letter.isalpha()}
    expected = {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "CJK", "KATAKANA", "HANGUL", "DEVANAGARI"}
    assert expected <= scripts


def test_emails_are_odd_and_spelled_in_more_than_one_way(made: Traffic) -> None:
    emails = {item.body["email"] for _, item in _right(made) if "email" in item.body}
    assert any("'" in email and "+" in email for email in emails)
    assert any(not email.isascii() for email in emails)
    spellings = Counter(_plain(email) for email in emails)
    assert max(spellings.values()) > 1


def test_some_people_are_handed_over_by_two_suppliers_and_some_are_known_from_their_visits(
    made: Traffic,
) -> None:
    suppliers: dict[str, set[str]] = {}
    for request, item in _right(made):
        if request.input == "distributions" and request.tenant == AURORA.id:
            suppliers.setdefault(_plain(item.body["email"]), set()).add(item.body["supplier_id"])
    active = {_plain(i.body["email"]) for r, i in _right(made) if r.input == "events" and "email" in i.body}
    assert any(len(some) == 2 for some in suppliers.values())
    assert suppliers.keys() & active


def _right(made: Traffic) -> Iterator[tuple[Request, Item]]:
    return ((r, item) for r in made.requests for item in r.items if not item.wrong)


def _plain(text: str) -> str:
    return text.strip().lower()
