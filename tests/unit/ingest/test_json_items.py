"""Cutting JSON apart: every item by itself, and nothing that pydantic would let pass silently."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.json import Cutter, NotJson, pieces
from leadbus.problems import Problem

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_characters="\x00")), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.lists(values, max_size=6), st.sampled_from([None, 2]), st.booleans())
def test_an_array_is_cut_into_its_items_whatever_they_hold(
    items: list[object], indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(items, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        with pytest.raises(NotJson):
            pieces(Cutter(), body)
        return
    found = pieces(Cutter(), body)
    assert [json.loads(text) for _, text, _ in found] == items
    assert not any(faults for _, _, faults in found)


def test_a_single_value_may_be_surrounded_by_space() -> None:
    [(value, text, faults)] = pieces(Cutter(), b'  {"a": 1}\n')
    assert (value, text.strip(), faults) == ({"a": 1}, '{"a": 1}', [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Expecting value at character 1"),
        (b"{", "character 2"),
        (b'{"a":1} x', "something follows the value at character 9"),
        (b"[1] 2", "something follows the array at character 5"),
        (b"[] []", "something follows the array at character 4"),
        (b"[1 2]", "expected , or ] after item 0 at character 4"),
        (b"[1,]", "item 1"),
        (b"[1", "expected , or ] after item 0"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 7"),
        (b'{"a":"\x01"}', "Invalid control character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"\xef\xbb\xbf{}", "character 1"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(body: bytes, said: str) -> None:
    with pytest.raises(NotJson) as wrong:
        pieces(Cutter(), body)
    assert said in str(wrong.value)


def test_more_than_a_thousand_items_are_too_many() -> None:
    assert len(pieces(Cutter(), json.dumps([1] * 1_000).encode())) == 1_000
    with pytest.raises(Problem, match="at most 1000"):
        pieces(Cutter(), json.dumps([1] * 1_001).encode())


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ('{"tenant_id":"a","tenant_id":"b"}', "tenant_id", "duplicate_name"),
        ('{"fields":{"title":"a","title":"b"}}', "title", "duplicate_name"),
        (r'{"a":"x\u0000y"}', "", "nul"),
        (r'{"a\u0000":1}', "", "nul"),
        (r'{"a":"\\\u0000"}', "", "nul"),
        ('{"a":9223372036854775808}', "", "number_range"),
        ('{"a":-9223372036854775809}', "", "number_range"),
        ('{"a":' + "9" * 10_000 + "}", "", "number_range"),
        ('{"a":1e999}', "", "number_range"),
        ('{"a":NaN}', "", "not_a_number"),
        ('{"a":-Infinity}', "", "not_a_number"),
    ],
)
def test_what_pydantic_would_let_pass_is_a_fault_of_its_item_only(text: str, field: str, code: str) -> None:
    first, wrong, last = pieces(Cutter(), f'[{{"a":1}},{text},{{"b":2}}]'.encode())
    assert (first[2], last[2]) == ([], [])
    assert [(fault.field, fault.code) for fault in wrong[2]] == [(field, code)]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    [(_, _, faults)] = pieces(Cutter(), rb'{"a":"\\u0000"}')
    assert faults == []
