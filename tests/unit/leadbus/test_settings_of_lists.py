"""Rules of lists: which holds for a list of the CRM, what goes together, and when lists are read."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from told import AnyConnection, Crm

from leadbus.connector.checking.lists import list_findings
from leadbus.connector.contract import CrmList, Page
from leadbus.connector.settings import ListRule, Schedule
from leadbus.connector.settings.lists import EVERY_LIST, pushes, rule_of, schedules_of
from leadbus.messages import Record

PUSHED = {"list": "Fair", "list_id": "l-1", "push": {"add": True}}


def test_without_rules_every_list_is_kept_in_sync_with_all_that_changes():
    rule = rule_of((), "1", "Fair")
    assert rule is EVERY_LIST
    assert (rule.keep, rule.pull.add, rule.pull.update, rule.pull.remove) == ("sync", True, True, True)
    assert not rule.push.any
    assert rule_of((), "1", "Fair", all_lists=False) is None


def test_a_rule_is_found_by_name_whatever_its_capitals_and_one_by_id_goes_before_it():
    by_name, by_id = ListRule(list=" fair of  MAY "), ListRule(list="17")
    assert rule_of((by_name,), "3", "Fair of May") is by_name
    assert rule_of((by_name, by_id), "17", "Fair of May") is by_id
    assert rule_of((by_name,), "3", "Fair of June", all_lists=False) is None


def test_a_list_that_was_renamed_is_still_the_one_of_its_rule_unless_another_names_it():
    old, new = ListRule(list="Fair"), ListRule(list="Gala")
    assert rule_of((old,), "3", "Gala", "fair", all_lists=False) is old
    assert rule_of((old, new), "3", "Gala", "fair", all_lists=False) is new


@dataclass
class Lists(Crm):
    """A CRM with one list."""

    async def changed(self, kind, since, page):
        row = CrmList(Record(module="Lists", id="17"), name="Fair")
        return Page([row], None, datetime(2026, 3, 1, tzinfo=UTC))


async def test_two_rules_that_push_to_one_list_are_found_only_where_both_push():
    by_name, by_id = ListRule(**PUSHED), ListRule(list="17", list_id="l-2", push={"remove": True})
    (found,) = [f for f in await list_findings(AnyConnection(lists=(by_name, by_id)), Lists()) if not f.ok]
    assert found.what == "Fair and 17 are the same list of the CRM."
    assert all(
        f.ok for f in await list_findings(AnyConnection(lists=(by_name, ListRule(list="17"))), Lists())
    )


def test_a_list_that_is_only_pushed_is_not_read():
    rule = ListRule(**PUSHED, pull={"add": False, "update": False, "remove": False})
    assert rule_of((rule,), "3", "fair") is None
    assert pushes((rule, ListRule(list="Other"))) == {"l-1": rule}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"list": "x", "pull": {"add": False, "update": False, "remove": False}},
            "neither pulled nor pushed",
        ),
        ({"list": "x", "push": {"add": True}}, "give list_id"),
        (PUSHED | {"push": {"update": True}}, "push_fields"),
        (PUSHED | {"push_fields": ["phone"]}, "push_fields"),
        ({"list": "x", "pull_fields": ["fone"]}, "did you mean phone"),
        ({"list": "x", "keep": "sometimes"}, "sync"),
    ],
)
def test_what_does_not_go_together_is_refused_with_a_sentence(wrong, said):
    with pytest.raises(ValidationError, match=said):
        ListRule(**wrong)


def test_each_schedule_of_lists_is_kept_by_itself():
    common, nightly = Schedule(every_seconds=1_800), Schedule(cron="0 3 * * *")
    rules = (
        ListRule(list="a", schedule=nightly),
        ListRule(list="b", schedule=nightly),
        ListRule(**PUSHED, pull={"add": False, "update": False, "remove": False}, schedule=common),
    )
    assert schedules_of(rules, common) == {"0 3 * * *": nightly, "1800 s": common}
    assert schedules_of(rules, None) == {"0 3 * * *": nightly}
