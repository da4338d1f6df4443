"""Where a reading goes on, as texts that outlive a restart."""

from datetime import UTC, datetime

from connector_dynamics.pages import Marks, Place


def test_a_place_is_the_same_after_a_restart() -> None:
    marks = Marks().having("task", ["subject", "statuscode"], 'leads?$deltatoken=1!"x"')
    place = Place("phonecall", "page 2", datetime(2026, 1, 31, tzinfo=UTC), marks, by_time=True)
    assert Place.of(place.token()) == place
    assert Place.of(Place("task").token()) == Place("task")


def test_a_kind_of_several_entities_is_read_one_after_the_other() -> None:
    places, place = [], Place("task")
    while place is not None:
        places.append(place.entity)
        place = place.at("page").skipping("activity")
        assert place is None or place.page is None
    assert places == ["task", "phonecall", "appointment", "email", "annotation"]


def test_a_mark_is_good_for_the_same_fields_in_any_order_and_for_no_others() -> None:
    marks = Marks.read(Marks().having("lead", ["a", "b"], "one").having("contact", ["a"], "two").text())
    assert marks.token("lead") == "one"
    assert marks.fits("lead", ["b", "a"])
    assert not marks.fits("lead", ["a", "b", "c"])
    assert not marks.fits("account", ["a"])
    assert marks.token("account") is None


def test_nothing_that_is_tracked_makes_no_mark() -> None:
    assert Marks().text() is None
    assert Marks.read(None) == Marks()
