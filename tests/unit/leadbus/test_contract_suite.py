"""The contract suite of connectors cannot be quietly thinned out."""

from typing import Any

import pytest

from leadbus.testing.contract import ConnectorContract, expected_failure
from leadbus.testing.once import ONCE

CASE = "test_the_same_fact_twice_makes_one_record_and_one_note"


async def _other(self: Any) -> None:
    assert True


@pytest.mark.parametrize("instead", [_other, None], ids=["overridden", "deleted"])
def test_a_case_is_neither_overridden_nor_deleted_without_a_reason(instead: Any) -> None:
    with pytest.raises(TypeError, match=rf"Poor\.{CASE} overrides a case of the contract"):
        type("Poor", (ConnectorContract,), {CASE: instead})


def test_a_mark_without_a_reason_is_none() -> None:
    with pytest.raises(TypeError, match="expected failure with a reason"):
        type("Poor", (ConnectorContract,), {CASE: pytest.mark.xfail(_other)})


def test_a_case_may_be_an_expected_failure_with_a_reason() -> None:
    case = expected_failure("The vendor cannot do it.")
    honest: Any = type("Honest", (ConnectorContract,), {CASE: case, "test_of_its_own": _other})
    assert vars(honest)[CASE] is case
    assert CASE in honest.promised


def test_each_case_that_runs_once_exists_and_the_next_class_leaves_it_out() -> None:
    class Again(ConnectorContract, again=True):
        """Another protocol."""

    assert Again.promised > ONCE
    assert {name for name in Again.promised if getattr(Again, name) is None} == set(ONCE)


def test_no_two_parts_of_the_suite_have_a_case_of_the_same_name() -> None:
    names = [name for part in ConnectorContract.__bases__ for name in vars(part) if name.startswith("test_")]
    assert sorted(set(names)) == sorted(names)
    assert len(names) > 60
