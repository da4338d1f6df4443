"""A lead's status in Dynamics: the status reason with its state, and what only qualifying gives."""

import pytest

from connector_dynamics.stating import lead_status
from connector_dynamics.wire import Attribute, Option
from leadbus.errors import Rejected

SHAPES = {
    "statuscode": Attribute(
        "statuscode",
        "Status Reason",
        "status",
        options={1: "New", 3: "Qualified", 4: "Lost"},
        states={1: 0, 3: 1, 4: 2},
    )
}


@pytest.mark.parametrize(("word", "state", "status"), [("New", 0, 1), ("lost", 2, 4)])
def test_a_status_reason_is_written_with_the_state_that_it_goes_with(
    word: str, state: int, status: int
) -> None:
    written = lead_status(word, SHAPES)
    assert written == {"statecode": state, "statuscode": status}
    assert all(isinstance(value, Option) for value in written.values())


@pytest.mark.parametrize(("word", "said"), [("Cold", "no status reason Cold"), ("Qualified", "is a client")])
def test_what_is_no_status_reason_or_comes_of_qualifying_is_refused_with_what_to_do(
    word: str, said: str
) -> None:
    with pytest.raises(Rejected, match=said) as refused:
        lead_status(word, SHAPES)
    assert refused.value.field == "statuscode"
