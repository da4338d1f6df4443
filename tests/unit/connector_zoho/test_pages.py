"""Where a reading goes on."""

from datetime import UTC, datetime

from connector_zoho.pages import Cursor, Place
from leadbus.connector.capabilities import Kind

SINCE = datetime(2026, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 1, 13, tzinfo=UTC)


def stages(place: Place | None, kind: Kind) -> list[tuple[str, str]]:
    """Of a whole reading from here."""
    found = []
    while place is not None:
        found.append((place.module, place.stage))
        place = place.following(kind)
    return found


def test_a_token_says_everything_that_is_needed_to_go_on() -> None:
    place = Place("Leads", "rows", SINCE, NOW, 12, Cursor("abc", 3), SINCE, NOW, "job", 2_000)
    assert Place.of(place.token()) == place
    first = Place.first("lead", None)
    assert Place.of(first.token()) == first
    assert len(first.token()) < 50


def test_changes_are_followed_by_deletions_module_after_module() -> None:
    assert stages(Place.first("lead", SINCE), "lead") == [("Leads", "rows"), ("Leads", "deleted")]
    assert stages(Place.first("user", SINCE), "user") == [("Users", "rows")]
    assert stages(Place.first("list", SINCE), "list") == [
        ("Campaigns", "rows"),
        ("Campaigns", "deleted"),
        ("Tags", "rows"),
    ]
    assert [module for module, _ in stages(Place.first("activity", SINCE), "activity")] == [
        *("Tasks", "Tasks", "Calls", "Calls", "Events", "Events", "Notes", "Notes")
    ]


def test_a_full_reading_by_file_is_followed_by_the_converted_leads() -> None:
    lead, contact = Place.first("lead", None), Place.first("contact", None)
    assert stages(lead.entering("file"), "lead") == [("Leads", "file"), ("Leads", "converted")]
    assert stages(lead.entering("rows"), "lead") == [("Leads", "rows")]
    assert stages(contact.entering("file"), "contact") == [("Contacts", "file")]


def test_a_walk_begun_anew_begins_at_its_last_row() -> None:
    place = Place.first("lead", SINCE).at(Cursor("abc", 2), NOW)
    assert place is not None
    anew = place.anew()
    assert (anew.after, anew.cursor) == (NOW, Cursor())
    assert anew.anew() == anew


def test_pages_go_on_by_token_where_there_is_one_and_else_by_number() -> None:
    more = {"more_records": True, "next_page_token": None}
    assert Cursor().params == {}
    assert Cursor().following({"more_records": False, "next_page_token": "x"}) is None
    assert Cursor().following(None) is None
    second = Cursor().following(more)
    assert second is not None
    assert second.params == {"page": "2"}
    third = second.following({**more, "next_page_token": "x"})
    assert third is not None
    assert third.params == {"page_token": "x"}
