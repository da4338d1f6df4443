"""How rows are spread over calls."""

from collections.abc import Sequence

import pytest

from connector_sugar.capabilities import CAPABILITIES
from leadbus.connector.together import chunks, rows_per_call


@pytest.mark.parametrize(
    ("rows", "calls"),
    [
        (1, [1]),
        (10, [10]),
        (11, [6, 5]),  # not one call of ten and one of a single row
        (39, [10, 10, 10, 9]),
        (150, [38, 38, 38, 36]),
        (200, [50, 50, 50, 50]),
        (210, [42, 42, 42, 42, 42]),
    ],
)
def test_rows_are_spread_evenly_over_the_calls_that_go_side_by_side(rows: int, calls: Sequence[int]) -> None:
    assert [len(part) for part in chunks(range(rows), rows_per_call(CAPABILITIES, rows))] == calls


def test_no_call_is_too_large_and_no_more_are_made_than_there_is_room_for() -> None:
    for rows in range(1, 500):
        size = rows_per_call(CAPABILITIES, rows)
        assert size <= CAPABILITIES.rows_per_write
        room = max(4, -(-rows // CAPABILITIES.rows_per_write))
        assert -(-rows // size) <= min(room, -(-rows // CAPABILITIES.fewest_rows_per_write))
