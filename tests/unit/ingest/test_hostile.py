"""Whoever wants to be another tenant, or to be read in two ways, is refused, or says what anybody says."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from ingest.formats.json import Cutter, NotJson, pieces
from ingest.inputs import INPUTS
from ingest.items import Item
from ingest.stamping import Receipt, Stamped, stamp
from ingest.validation import validate
from leadbus.ids import prospect_id

RECEIPT = Receipt("acme", datetime(2026, 11, 20, 12, 30, tzinfo=UTC))
EVENTS = INPUTS[0]
OURS = ("tenant_id", "prospect_id", "received_at", "schema_version")
REST = '"type":"web_view","email":"ada@example.com"'


def published(body: bytes) -> list[Stamped]:
    """What Kafka would be given."""
    found = []
    try:
        cut = pieces(Cutter(), body)
    except NotJson:
        return []
    for index, (said, text, faults) in enumerate(cut):
        item = Item(index, text, EVENTS, faults, said=said)
        valid = validate(item)
        if valid is not None and (done := stamp(RECEIPT, item, EVENTS, valid)) is not None:
            found.append(done)
    return found


def names_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "whoever takes the first of two reads another thing"
    return dict(pairs)


def judge(stamped: Stamped) -> None:
    """Every kind of reader finds the key's tenant, and in all the rest the same."""
    text = stamped.value.decode("utf-8")
    last_wins = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert json.loads(text, object_pairs_hook=names_once) == last_wins == from_json(text)
    assert len({name.casefold() for name in last_wins}) == len(last_wins), "some readers ignore case"
    assert last_wins["tenant_id"] == "acme"
    assert last_wins["prospect_id"] == stamped.key == prospect_id("acme", email=last_wins["email"])
    assert EVENTS.topic.message.model_validate_json(text).tenant_id == "acme"
    assert "\\u0000" not in text.replace("\\\\", "")


def escaped(name: str) -> str:
    return "".join(f"\\u{ord(letter):04X}" for letter in name)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "spelt",
    [
        str,
        escaped,
        lambda name: f"{escaped(name[0])}{name[1:]}",
        lambda name: f"{name[:-1]}{escaped(name[-1]).lower()}",
        str.upper,
        str.title,
        lambda name: f"{name} ",
        lambda name: f"\\u0000{name}",
        lambda name: f"{name}\\u0000",
        lambda name: f"\\ufeff{name}",
        lambda name: f"{name}\\u200b",
        lambda name: f"\\ud800{name}",
        lambda name: name.replace("i", "\\u0131"),
        lambda name: name.replace("_", "\\uff3f"),
    ],
)
def test_no_spelling_of_a_name_that_ingest_gives_is_taken(name: str, spelt: Any) -> None:
    said = f'"{spelt(name)}":"other"'
    for body in (f"{{{said},{REST}}}", f"{{{REST},{said}}}", f"{{{REST},{said},{said}}}"):
        assert published(body.encode()) == []
        assert published(f"[{body},{{{REST}}}]".encode())[1:] == []


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{" + REST.encode() + b"}",
        f"{{{REST}}}".encode("utf-16"),
        f"{{{REST}}}".encode("utf-32-le"),
        b"{" + REST.encode() + b',"title":"\xed\xa0\x80"}',
        b"{" + REST.encode() + b',"title":"\xc0\xa2,\xc0\xa2tenant_id\xc0\xa2:\xc0\xa2other"}',
        b"{" + REST.encode() + b',"title":"\xf4\x90\x80\x80"}',
        f'{{{REST}}},{{"tenant_id":"other"}}'.encode(),
        f'{{{REST}}}{{"tenant_id":"other"}}'.encode(),
        f"{{{REST}}}\x00".encode(),
        f"{{{REST},}}".encode(),
        f"{{{REST}/*,*/}}".encode(),
        f"{{{REST},'title':'x'}}".encode(),
        f'{{{REST},"title":"a\nb"}}'.encode(),
        f'{{{REST},"title":"\\ud800"}}'.encode(),
        f'{{{REST},"properties":{{"\\udfff":1}}}}'.encode(),
        f'{{{REST},"properties":{{"a":1,"\\u0061":2}}}}'.encode(),
        f'{{{REST},"fields":{{"custom":{{"a":"1","a":"2"}}}}}}'.encode(),
        f'{{{REST},"fields":{{"company":"x","Company":"y"}}}}'.encode(),
        f'{{{REST},"network":{{"tenant_id":"other"}}}}'.encode(),
        f'{{{REST},"properties":{{"a":NaN}}}}'.encode(),
        f'{{{REST},"properties":{{"a":-Infinity}}}}'.encode(),
        f'{{{REST},"properties":{{"a":1e400}}}}'.encode(),
        f'{{{REST},"properties":{{"a":{"9" * 5_000}}}}}'.encode(),
        f'{{{REST},"properties":{{"a":9223372036854775808}}}}'.encode(),
        f'{{{REST},"properties":{{"a":01}}}}'.encode(),
        f'{{{REST},"properties":{{"a":\uff11}}}}'.encode(),
        f'{{{REST},"occurred_at":"２０２６-11-20T10:00:00Z"}}'.encode(),
        f'{{{REST},"properties":{"[" * 100_000}'.encode(),
        f'{{{REST},"properties":{"{" + chr(34) + "a" + chr(34) + ":"}'.encode() * 2_000,
        b"{}",
        b"[[]]",
        b'["tenant_id"]',
    ],
)
def test_what_two_readers_could_take_differently_is_refused(body: bytes) -> None:
    assert published(body) == []


@pytest.mark.parametrize(
    "more",
    [
        '"properties":{"tenant_id":"other","Tenant_Id":"other","prospect_id":1}',
        '"fields":{"custom":{"tenant_id":"other"}}',
        '"title":"\\",\\"tenant_id\\":\\"other"',
        '"title":"\\\\\\",\\"tenant_id\\":\\"other\\\\"',
        '"title":"}{\\"tenant_id\\":\\"other\\"}"',
        '"title":"\u2028\ufeff\U0001f600\\ud83d\\ude00"',
        '"properties":{"a":-0,"b":-0.0,"c":1E2,"d":9223372036854775807,"e":0.1000000000000000055511151231}',
        '"properties":{"a":true,"b":1,"c":1.0,"__proto__":"x","":"y"}',
        '"event_id":"\\",\\"tenant_id\\":\\"other"',
        '"event_id":null,"occurred_at":null,"title":null',
    ],
)
def test_what_only_looks_dangerous_is_taken_as_anybody_would_read_it(more: str) -> None:
    for body in (f"{{{more},{REST}}}", f"[{{{REST},{more}}}]"):
        [stamped] = published(body.encode())
        judge(stamped)


fragments = st.sampled_from(
    [
        *(
            '"',
            "\\",
            "\\u0022",
            "\\u005c",
            ",",
            ":",
            "{",
            "}",
            "[",
            "]",
            " ",
            "\n",
            "\x00",
            "\ufeff",
            "\\ud800",
        ),
        *('"tenant_id"', '"other"', '"title"', '"properties"', '"a"', "null", "true", "1", "1e999", "NaN"),
        *('"\\u0074enant_id"', '"Tenant_id"', '"event_id"', '"occurred_at"', '"2026-11-20T10:00:00Z"'),
    ]
)


@settings(max_examples=500)
@given(st.lists(fragments, max_size=14).map("".join), st.integers(0, 3))
def test_whatever_is_put_between_what_is_there_the_tenant_stays_the_keys(garbage: str, place: int) -> None:
    forms = ("{{{0},{1}}}", "{{{1},{0}}}", '{{{1},"properties":{{{0}}}}}', '{{{1},"title":"{0}"}}')
    for stamped in published(forms[place].format(garbage, REST).encode()):
        judge(stamped)
