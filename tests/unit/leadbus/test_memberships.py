"""Memberships of a delivery: newest wins, they wait for campaigns without being due, and are bounded."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from paper import RECORD, distributed, minute, updated
from paper import delivery as made

from leadbus.connector.campaigning.campaign import CampaignLink, ListThere
from leadbus.connector.contract import CampaignThere
from leadbus.connector.delivering.delivery import Delivery
from leadbus.connector.delivering.joining import waiting
from leadbus.connector.delivering.listed import begin, pushed_fields
from leadbus.connector.delivering.memberships import MOST_MEMBERSHIPS
from leadbus.connector.delivering.parts import Done, Membership, Parked, list_of, of_list
from leadbus.connector.settings import ListRule
from leadbus.messages import ProspectUpdated, Record

CONTACT = Record(module="Contacts", id="c1")


def takes_part(at: int, campaign: str = "fair", **how: Any) -> ProspectUpdated:
    return updated(f"j{at}", at, campaigns=[{"campaign_id": campaign, **how}])


def known() -> Delivery:
    """Somebody whose record is there, with nothing else to do."""
    owed = made(distributed())
    owed.settle(Done(fields={}, reported=set(owed.creators), noted=set(owed.creators)))
    assert not owed.is_due
    return owed


def dealt_with(membership: Membership, record: Record = RECORD) -> Done:
    return Done(memberships={"fair": replace(membership, pending=False, waits=False, record=record)})


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_word_about_a_campaign_counts_in_whatever_order_it_comes(order: tuple[int, ...]) -> None:
    facts = [takes_part(1, response="Invited"), takes_part(2, member=False), takes_part(3, response="Came")]
    owed = known()
    for number in order:
        owed.merge(facts[number], None, minute(number))
    assert owed.memberships == {"fair": Membership(True, "Came", minute(3), "j3")}


def test_a_membership_is_due_with_a_right_to_create_and_not_without_one() -> None:
    without = made(takes_part(1))
    assert (without.may_create, without.is_due) == (False, False)
    owed = known()
    owed.merge(takes_part(1), None, minute(1))
    assert owed.is_due


def test_one_that_waits_for_its_campaign_is_not_due_until_something_new_is_said() -> None:
    owed = known()
    owed.merge(takes_part(1), None, minute(1))
    owed.settle(Done(memberships=waiting(owed)))
    assert (owed.is_due, owed.due_since) == (False, None)
    assert owed.memberships["fair"].pending
    owed.merge(takes_part(2, response="Came"), None, minute(2))
    assert owed.is_due


def test_settling_leaves_what_was_said_since_and_keeps_the_record_that_was_put_in() -> None:
    owed = known()
    owed.merge(takes_part(1), None, minute(1))
    done = dealt_with(owed.memberships["fair"])
    owed.merge(takes_part(2, member=False), None, minute(2))
    owed.settle(done)
    assert owed.is_due
    assert owed.memberships["fair"] == Membership(False, None, minute(2), "j2", record=RECORD)
    owed.settle(dealt_with(owed.memberships["fair"]))
    assert not owed.is_due


def test_who_is_in_is_not_put_in_by_a_repeat() -> None:
    owed = known()
    owed.merge(takes_part(1), None, minute(1))
    owed.settle(dealt_with(owed.memberships["fair"]))
    owed.merge(takes_part(1), None, minute(5))
    assert (owed.is_due, owed.memberships["fair"].is_in) == (False, True)


def test_who_is_refused_is_not_in() -> None:
    refused = Membership(True, None, minute(1), "j1", False, record=RECORD, refused=Parked("no", minute(1)))
    assert not refused.is_in
    assert not refused.is_due


def test_of_more_than_two_hundred_those_that_are_dealt_with_are_forgotten_first() -> None:
    owed = known()
    for number in range(MOST_MEMBERSHIPS):
        owed.merge(takes_part(number, f"c{number:03}"), None, minute(number))
    for name in ("c150", "c007"):
        owed.memberships[name] = replace(owed.memberships[name], pending=False, record=RECORD)
    owed.memberships["c199"] = replace(owed.memberships["c199"], waits=True)
    for number in range(3):
        owed.merge(takes_part(1_000 + number, f"new{number}"), None, minute(1_000))
    assert len(owed.memberships) == MOST_MEMBERSHIPS
    assert {"c150", "c007", "c199"}.isdisjoint(owed.memberships)
    assert {"new0", "new1", "new2", "c000"} <= owed.memberships.keys()


ALL = {"add": True, "remove": True}


def listed(at: int, *, member: bool = True, list_id: str = "l-1") -> ProspectUpdated:
    return updated(f"l{at}", at, lists=[{"list_id": list_id, "member": member}])


def rules(**push: bool) -> dict[str, ListRule]:
    return {"l-1": ListRule.model_validate({"list": "Fair", "list_id": "l-1", "push": push or ALL})}


def test_a_list_that_is_not_pushed_waits_and_gives_no_right_to_create() -> None:
    owed = made(listed(1))
    begin(owed, {}, minute(1))
    begin(owed, {"l-2": rules()["l-1"]}, minute(1))
    assert (owed.may_create, owed.is_due, owed.due_since) == (False, False, None)
    assert owed.memberships[of_list("l-1")].waits
    assert list_of(of_list("l-1")) == "l-1"
    assert list_of("fair") is None


def test_being_put_on_a_list_that_is_pushed_gives_the_right_to_create_once() -> None:
    owed = made(listed(1))
    begin(owed, rules(), minute(2))
    assert (owed.may_create, owed.is_due, owed.due_since) == (True, True, minute(2))
    begin(owed, rules(), minute(3))
    assert len(owed.creators) == 1
    owed.merge(listed(4), None, minute(4))
    begin(owed, rules(), minute(4))
    assert len(owed.creators) == 2  # asked for anew: its record may have been deleted meanwhile


def test_leaving_a_list_needs_no_right_and_creates_nobody() -> None:
    owed = made(listed(1, member=False))
    begin(owed, rules(), minute(1))
    assert (owed.may_create, owed.is_due) == (False, True)


@pytest.mark.parametrize(("push", "member"), [({"add": True}, False), ({"remove": True}, True)])
def test_what_a_rule_does_not_push_is_dealt_with(push: dict[str, bool], member: bool) -> None:
    owed = made(listed(1, member=member))
    begin(owed, rules(**push), minute(1))
    assert (owed.may_create, owed.is_due) == (False, False)
    assert not owed.memberships[of_list("l-1")].pending


def test_fields_of_a_list_may_be_changed_as_long_as_the_person_is_on_it() -> None:
    rule = rules()["l-1"].model_copy(update={"push_fields": ("phone",)})
    owed = made(listed(1))
    assert pushed_fields(owed, {"l-1": rule}) == {"phone"}
    assert pushed_fields(owed, {}) == frozenset()
    owed.merge(listed(2, member=False), None, minute(2))
    assert pushed_fields(owed, {"l-1": rule}) == frozenset()


def test_lists_push_no_campaign_out() -> None:
    owed = known()
    owed.merge(takes_part(1), None, minute(1))
    for number in range(MOST_MEMBERSHIPS + 1):
        owed.merge(listed(10 + number, list_id=f"l-{number}"), None, minute(2))
    assert "fair" in owed.memberships
    assert len(owed.memberships) == MOST_MEMBERSHIPS + 1


def test_of_lists_of_one_name_the_one_for_the_kind_of_person_is_taken() -> None:
    link = CampaignLink("one", "org", "acme", of_list("l-1"))
    assert link.place_of("lead") is None
    of_leads, of_all = Record(module="list", id="1"), Record(module="list", id="2")
    link.choices = (ListThere(of_leads, ("lead",)),)
    assert link.place_of("contact") is None
    link.choices = (ListThere(of_leads, ("lead",)), ListThere(of_all))
    assert link.place_of("lead") == CampaignThere(of_leads, (of_leads,))
    assert link.place_of("contact") == CampaignThere(of_all, (of_all,))
