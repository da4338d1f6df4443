"""A reader's place among the changes."""

import pytest

from feedback.cursor import Cursor
from leadbus.errors import Rejected
from leadbus.topics import PARTITIONS


def test_a_cursor_survives_being_written() -> None:
    cursor = Cursor().moved(3, 7).moved(0, 2**40)
    assert Cursor.read(str(cursor)) == cursor
    assert dict(cursor.places)[3] == 7
    assert len(cursor.places) == PARTITIONS


@pytest.mark.parametrize(
    "text",
    ["", "x", "W10", "AAAA", "é", "bnVsbA", "Wy0xLCAwLCAwLCAwLCAwLCAwLCAwLCAwLCAwLCAwLCAwLCAwXQ"],
)
def test_what_is_no_cursor_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(Rejected, match="leave it out"):
        Cursor.read(text)
