"""Envelopes, results and queries, against what was recorded on SuiteCRM 7.12.5."""

import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import zeep.exceptions
from lxml import etree

from connector_sugar import wire

RECORDINGS = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "soap"
OURS = {"login", "logout", "get_server_info", "get_module_fields", "get_entry_list", "set_entries"}
recorded = pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings are not beside this checkout")


def operation_of(path: Path) -> etree._Element:
    return etree.fromstring(path.read_bytes())[0][0]


def name(element: etree._Element) -> str:
    return etree.QName(element).localname


REQUESTS = [p for p in sorted(RECORDINGS.glob("*.request.xml")) if name(operation_of(p)) in OURS]


def canonical(element: etree._Element) -> Any:
    """Local names, arrayType and texts, in order: what NuSOAP looks at."""
    sizes = [value for key, value in element.attrib.items() if key.endswith("arrayType")]
    return name(element), sizes, (element.text or "").replace("\r\n", "\n"), [canonical(c) for c in element]


def texts(element: etree._Element) -> list[str]:
    return [child.text or "" for child in element]


def pairs(element: etree._Element) -> dict[str, str]:
    return {item[0].text or "": item[1].text or "" for item in element}


READERS: dict[str, Callable[[etree._Element], Any]] = {
    "select_fields": lambda e: wire.strings(texts(e)),
    "fields": lambda e: wire.strings(texts(e)),
    "name_value_list": lambda e: wire.pairs(pairs(e)),
    "name_value_lists": lambda e: wire.pair_lists(pairs(row) for row in e),
    "link_name_to_fields_array": lambda e: wire.links({i[0].text or "": texts(i[1]) for i in e}),
    "user_auth": lambda e: {name(child): child.text for child in e},
    "favorites": lambda e: e.text == "true",
}


@recorded
@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.name.split(".")[0])
def test_calls_look_as_those_that_the_server_understood(path: Path) -> None:
    call = operation_of(path)
    version = "v2" if "_v2_" in path.name else "v4_1"
    arguments = [READERS.get(name(part), lambda e: e.text or "")(part) for part in call]
    if version == "v2":
        arguments.append(False)  # what the client says to every version
    sent = wire.encode(name(call), *arguments, version=version)
    assert canonical(etree.fromstring(sent)[0][0]) == canonical(call)


def answer(number: str, operation: str, status: int = 200) -> Any:
    (path,) = RECORDINGS.glob(f"{number}_*.response.xml")
    body = path.read_bytes()
    return wire.decode(operation, wire.Reply(status, body, {"Content-Type": "text/xml"}))


@recorded
def test_exactly_the_servers_four_entities_are_decoded() -> None:
    (entry,) = wire.entry_list(answer("11", "get_entry_list")).entries
    assert entry.values["last_name"] == 'O\'Brien & "Sons"'
    assert entry.values["description"] == "line1\nline2 5 < 6 > 4"
    assert wire.values_of([{"name": "a", "value": "&amp;lt; &nbsp; &amp;"}]) == {"a": "&amp;lt; &nbsp; &amp;"}


@recorded
def test_related_rows_are_read_from_the_structs_of_v4_and_the_bare_arrays_of_v2() -> None:
    page = wire.entry_list(answer("12", "get_entry_list"))
    assert page.total == 25
    assert [e.values["email1"] for e in page.entries] == [
        e.linked["email_addresses"][0]["email_address"] for e in page.entries
    ]
    old = wire.entry_list(answer("26", "get_entry_list"))
    assert old.total is None
    assert old.entries[0].linked == {"email_addresses": [{"email_address": "p001@example.com"}]}


@recorded
def test_a_page_past_the_end_is_empty() -> None:
    page = wire.entry_list(answer("13", "get_entry_list"))
    assert (page.entries, page.total) == ([], 25)


@recorded
def test_an_answer_of_nothing_is_told_from_an_empty_one() -> None:
    assert wire.is_nothing(answer("06", "get_entry_list"))
    assert wire.is_nothing(answer("06", "set_entries"))
    assert not wire.is_nothing(answer("13", "get_entry_list"))
    assert not wire.is_nothing(answer("10", "set_entries"))


@recorded
@pytest.mark.parametrize(
    ("number", "code"), [("02", "10"), ("05", "11"), ("16", "20"), ("17", "-1"), ("18", "40")]
)
def test_faults_carry_the_servers_code(number: str, code: str) -> None:
    with pytest.raises(zeep.exceptions.Fault) as fault:
        answer(number, "get_entry_list", 500)
    assert fault.value.code == code


def test_an_answer_with_a_document_type_is_refused() -> None:
    body = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    with pytest.raises(zeep.exceptions.Error):
        wire.decode("login", wire.Reply(200, body))


def test_nothing_is_fetched_to_read_the_wsdl(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    wire._codec.cache_clear()
    assert b"get_server_info" in wire.encode("get_server_info", version="v4")


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_left_out_of_every_argument(bad: str) -> None:
    row = {"first_name": f"A{bad}n", "last_name": "Ω😀 <&>\"'\t\n"}
    arguments = ("s", "Leads", wire.pair_lists([row]))
    (sent,) = etree.fromstring(wire.encode("set_entries", *arguments, version="v2")).iter("name_value_list")
    assert pairs(sent) == {"first_name": "An", "last_name": "Ω😀 <&>\"'\t\n"}


def test_an_empty_array_says_nothing_of_its_size() -> None:
    assert wire.strings([]) == []
    assert wire.links({}) == []


def test_literals_cannot_be_left() -> None:
    assert wire.quoted("O'Brien\\\x00") == "'O''Brien\\\\'"


def test_plain_addresses_are_listed_and_odd_ones_become_patterns() -> None:
    emails = [
        "ann_b@x.example",
        "o'neil@x.example",
        "a--b;c@x.example",
        "me@credit-union.example",
        "é@x.example",
    ]
    query = wire.with_emails("Leads", emails)
    assert "ea.email_address_caps IN ('ANN_B@X.EXAMPLE')" in query
    assert re.findall("LIKE '(.*?)'", query) == [
        "O_NEIL@X.EXAMPLE",
        "A-_B_C@X.EXAMPLE",
        "ME@CREDIT-_NION.EXAMPLE",
        "_@X.EXAMPLE",
    ]
    assert not re.search("--|;|UNION", query)


def test_the_next_page_of_changes_begins_after_the_last_row() -> None:
    assert (
        wire.changed_after("leads", "2026-01-01 00:00:00", None)
        == "leads.date_modified >= '2026-01-01 00:00:00'"
    )
    assert wire.changed_after("leads", "x", ("2026-01-01 00:00:00", "id'")) == (
        "leads.date_modified > '2026-01-01 00:00:00' OR"
        " (leads.date_modified = '2026-01-01 00:00:00' AND leads.id > 'id''')"
    )


def test_times_are_written_in_utc_and_read_back() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert wire.sugar_time(at) == "2026-02-28 23:30:00"
    assert wire.moment("2026-02-28 23:30:00") == at.astimezone(UTC)


def test_rights_are_those_granted_and_v2_tells_none_apart() -> None:
    listed = [
        {
            "module_key": "Leads",
            "acls": [{"action": "edit", "access": "1"}, {"action": "list", "access": None}],
        },
        {"module_key": "Notes", "acls": None},
    ]
    assert wire.rights(listed) == {"Leads": {"edit"}, "Notes": set()}
    assert {"list", "view", "edit"} <= wire.rights(["Leads"])["Leads"]
