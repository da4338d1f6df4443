"""What aliases hand over: the same person, in whatever order they join and however often it is said."""

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadbus.event_types import EventType
from leadbus.messages import ProspectJoined
from scoring.explanation import view
from scoring.history import NEWEST
from scoring.prospect import Alias, Link, Prospect, Qualified
from scoring.prospect_documents import from_document, from_text, to_document, to_text
from scoring.rules import Rules, RulesBody

types = st.sampled_from([t for t in EventType if t is not EventType.EMAIL_UNSUBSCRIBE])
events = st.lists(st.tuples(st.integers(0, 12), types, st.integers(0, 90 * 86_400)), max_size=8)


def handed(scene: Any, alias: str, state: Prospect, at: float = 0) -> Any:
    message = ProspectJoined(
        event_id=f"{alias} {at}",
        tenant_id="acme",
        prospect_id=scene.key.prospect_id,
        occurred_at="2026-01-01T00:00:00Z",  # type: ignore[arg-type]
        alias=alias,
        email="ada@example.com",
        at=scene.start + int(at * 1000),
        state=to_text(state),
    )
    return scene._received("prospects.joined", message, 91 * 86_400)


@given(st.lists(events, min_size=2, max_size=3), events, st.booleans())
def test_any_order_of_joins_and_events_gives_the_same_person(
    new_scene: Any, of_aliases: Any, own: Any, capped: bool
) -> None:
    """Events that two aliases have both counted are among them: ids come from a few."""
    scene = new_scene()
    if capped:
        caps = [{"name": "few", "on": ["web_view", "web_click"], "most": 7, "per": "month"}]
        scene.rules = Rules.of(RulesBody.model_validate({"caps": caps}), 1)
    scene.connections = (scene.connection(threshold=40),)
    told = {}
    for n, type_, at in [fact for alias in [*of_aliases, own] for fact in alias]:
        told.setdefault(n, scene.event(str(n), type_, at, fields={"title": f"{n}"}))
    visitors = [
        scene.turns([[told[n]._replace(at=scene.start + at * 1000) for n, _, at in alias]])
        for alias in of_aliases
    ]
    records = [handed(scene, f"visitor:v{n}", visitor) for n, visitor in enumerate(visitors)]
    found = []
    for order in permutations([*records, [told[n] for n, _, _ in own]]):
        flat = [one for part in order for one in (part if isinstance(part, list) else [part])]
        prospect = scene.turns([flat, records])
        found.append(
            (
                list(prospect.history),
                prospect.score,
                prospect.fields,
                prospect.recent,
                sorted(prospect.aliases),
                len(view(prospect, scene.rules, prospect.at).explanation),
            )
        )
    # An event that several have counted stands as it was counted first, but the person's own is not counted
    # again once it is there; so whatever is own must not be among the aliases' for times to agree.
    if not {n for n, _, _ in own} & {n for alias in of_aliases for n, _, _ in alias}:
        assert all(one == found[0] for one in found)
    assert {len(one[0]) for one in found} == {len(told)}


def test_what_fell_off_is_added_once_however_often_it_is_handed_over(scene: Any) -> None:
    visitor = scene.turns([[scene.event(f"v{n}", "email_open", at=n) for n in range(NEWEST + 5)]])
    record = handed(scene, "visitor:v", visitor)
    person = scene.turns([[scene.event("own", at=5_000), record], [record]])
    counted = len(person.history) + sum(fallen.count for fallen in person.history.sums.values())
    assert counted == NEWEST + 6
    shown = view(person, scene.rules, person.at)
    parts = sum(row.points_now for row in [*shown.explanation, *shown.older])
    assert round(parts * 1000) == shown.millipoints == person.score


def test_points_that_are_joined_fade_as_others_do(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=30),)
    visitor = scene.turn([scene.event("v1", "form_submission", email=None, visitor_id="v")]).prospect
    person = scene.turn([scene.event("own", "form_submission")]).prospect
    turn = scene.turn([record := handed(scene, "visitor:v", visitor)], person)
    assert turn.crossings == []  # 91 days later half of a half is left of both
    turn = scene.turn([scene.event("more", "telequalification", at=92 * 86_400)], person)
    assert [crossing.number for crossing in turn.crossings] == [1]
    again = scene.turn([record], person)
    assert not again.changed


def test_points_that_are_joined_in_time_cross_the_threshold_themselves(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=30),)
    visitor = scene.turn([scene.event("v1", "form_submission", email=None, visitor_id="v")]).prospect
    person = scene.turn([scene.event("own", "form_submission")]).prospect
    turn = scene.turn([handed(scene, "visitor:v", visitor)._replace(at=scene.start)], person)
    assert [crossing.number for crossing in turn.crossings] == [1]
    assert [activity.event_id for activity in turn.activities] == ["v1"]


def test_the_number_of_crossings_goes_on_under_a_new_email(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=10, lead_distribution=False),)
    old = scene.turn([scene.event("1", "form_submission"), scene.event("2", "email_unsubscribe", at=1)])
    assert old.prospect.qualified["c1"].cooled is not None
    old = scene.turn([scene.event("3", "form_submission", at=2)], old.prospect)
    assert [crossing.number for crossing in old.crossings] == [2]
    record = handed(scene, "email:old@example.com", old.prospect)._replace(at=scene.start + 3_000)
    turn = scene.turn([record])
    assert (turn.crossings, turn.activities) == ([], [])  # the connection knows both
    assert (turn.prospect.qualified["c1"].number, turn.prospect.email) == (2, "ada@example.com")
    cooled = scene.turn([scene.event("4", "email_unsubscribe", at=4)], turn.prospect)
    assert cooled.prospect.qualified["c1"].cooled is not None
    anew = scene.turn([scene.event("5", "form_submission", at=5)], turn.prospect)
    assert [crossing.number for crossing in anew.crossings] == [3]


def test_whoever_is_hot_under_one_id_is_hot(scene: Any) -> None:
    scene.connections = (scene.connection(threshold=1),)
    old = Prospect(scene.key, 0, version=3, at=scene.start)
    old.qualified["c1"] = Qualified("c1", 1, 5, None, number=3, cooled=9)
    person = scene.turn([scene.event("1")]).prospect
    turn = scene.turn([handed(scene, "email:old@example.com", old)._replace(at=scene.start)], person)
    assert turn.crossings == []
    assert turn.prospect.qualified["c1"][4:] == (3, None)


def test_documents_hold_aliases_and_links_only_if_there_are_any(scene: Any) -> None:
    prospect = scene.turn([scene.event("1")]).prospect
    assert not {"aliases", "links"} & to_document(prospect).keys()
    prospect.aliases["visitor:v"] = Alias(5, 3)
    prospect.links.append(Link(7, "somebody", "old@example.com"))
    assert from_document(to_document(prospect)) == prospect == from_text(to_text(prospect))
