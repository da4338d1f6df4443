"""Answers of CRMs are read as texts that can be kept, whatever somebody has typed or cut off there."""

from decimal import Decimal

import pytest

from leadbus.foreign_json import loads


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (rb'{"a": "gold \ud83d", "b": ["\uDE00x"]}', {"a": "gold \ufffd", "b": ["\ufffdx"]}),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        ('"가 😀"'.encode(), "가 😀"),
        (b'"cut \xed\xa0\xbd"', "cut \ufffd"),
        (rb'{"\ud83d": null}', {"\ufffd": None}),
        (b'{"amount": 0.10, "n": 1}', {"amount": Decimal("0.10"), "n": 1}),
    ],
)
def test_halves_of_characters_are_replaced_and_all_else_is_as_it_was_sent(content, value):
    assert loads(content) == value


@pytest.mark.parametrize("content", [b"", b"<html>", b"[" * 100_000])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(ValueError, match=r"Expecting value|nested too deeply"):
        loads(content)
