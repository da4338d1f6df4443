"""Envelopes in and out, against what was recorded on SuiteCRM 7.12.5."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connector_sugar import faults
from connector_sugar.http import Reply
from connector_sugar.legacy import soap
from connector_sugar.legacy.operations import OPERATIONS, FieldRow, Row, Rows, plain
from connector_sugar.legacy.soap import Soap
from leadbus.errors import AuthExpired, AuthRefused, LeadbusError, Transient, Unsupported

RECORDINGS = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "soap"
recorded = pytest.mark.skipif(not RECORDINGS.exists(), reason=f"the recordings are not there: {RECORDINGS}")


def operation_of(path: Path) -> etree._Element:
    return etree.fromstring(path.read_bytes())[0][0]


def name(element: etree._Element) -> str:
    return etree.QName(element).localname


REQUESTS = [p for p in sorted(RECORDINGS.glob("*.request.xml")) if name(operation_of(p)) in OPERATIONS]


def canonical(element: etree._Element) -> Any:
    """Local names, arrayType and texts, in order: what NuSOAP looks at."""
    sizes = [value for key, value in element.attrib.items() if str(key).endswith("arrayType")]
    return name(element), sizes, (element.text or "").replace("\r\n", "\n"), [canonical(c) for c in element]


def texts(element: etree._Element) -> list[str]:
    return [child.text or "" for child in element]


def pairs(element: etree._Element) -> dict[str, str]:
    return {item[0].text or "": item[1].text or "" for item in element}


def text(element: etree._Element) -> str:
    return element.text or ""


READERS: dict[str, Callable[[etree._Element], Any]] = {
    **dict.fromkeys(("select_fields", "related_fields", "fields", "related_ids"), texts),
    "name_value_list": pairs,
    "name_value_lists": lambda e: [pairs(row) for row in e],
    **dict.fromkeys(
        ("link_name_to_fields_array", "related_module_link_name_to_fields_array"),
        lambda e: {item[0].text or "": texts(item[1]) for item in e},
    ),
    "user_auth": lambda e: {name(child): child.text for child in e},
    "favorites": lambda e: e.text == "true",
}


@recorded
@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.name.split(".")[0])
def test_calls_look_as_those_that_the_server_understood(path: Path) -> None:
    call = operation_of(path)
    version = "v2" if "_v2_" in path.name else "v4_1"
    arguments = [READERS.get(name(part), text)(part) for part in call]
    arguments += [False] * (len(OPERATIONS[name(call)]) - len(arguments))  # of which v2 knows nothing
    sent = Soap().encode(version, name(call), arguments)
    assert canonical(etree.fromstring(sent)[0][0]) == canonical(call)


def answer(number: str, operation: str, status: int = 200) -> Any:
    (path,) = RECORDINGS.glob(f"{number}_*.response.xml")
    return decoded(operation, path.read_bytes(), status)


def decoded(operation: str, body: bytes, status: int = 200, *, writing: bool = False) -> Any:
    return Soap().decode(operation, Reply(status, body, {"Content-Type": "text/xml"}), writing=writing)


@recorded
def test_exactly_the_servers_four_entities_are_decoded() -> None:
    (row,) = answer("11", "get_entry_list").rows
    assert row.values["last_name"] == 'O\'Brien & "Sons"'
    assert row.values["description"] == "line1\nline2 5 < 6 > 4"
    assert plain("&amp;lt; &nbsp; &amp; &#039;&lt;") == "&amp;lt; &nbsp; &amp; '<"


@recorded
def test_related_rows_are_read_from_the_structs_of_v4_and_the_bare_arrays_of_v2() -> None:
    page = answer("12", "get_entry_list")
    assert page.total == 25
    assert [row.values["email1"] for row in page.rows] == [
        row.linked["email_addresses"][0]["email_address"] for row in page.rows
    ]
    old = answer("26", "get_entry_list")
    assert old.total is None
    assert old.rows[0].linked == {"email_addresses": [{"email_address": "p001@example.com"}]}


@recorded
def test_members_of_a_list_are_read() -> None:
    page = answer("22", "get_relationships")
    assert page.total is None
    assert page.rows
    assert all(row.id for row in page.rows)


@recorded
def test_a_page_past_the_end_is_empty() -> None:
    assert answer("13", "get_entry_list") == Rows([], 25)


@recorded
@pytest.mark.parametrize("operation", ["get_user_id", "get_entry_list", "set_entries"])
def test_an_answer_of_nothing_is_a_session_that_is_lost(operation: str) -> None:
    with pytest.raises(AuthExpired):
        answer("06", operation)


@recorded
def test_what_was_recorded_is_read_in_our_shape() -> None:
    assert len(answer("01", "login")) == 32
    info = answer("03", "get_server_info")
    assert (info["flavor"], info["version"]) == ("CE", "6.5.25")
    fields = {field.name: field for field in answer("07", "get_module_fields")}
    assert isinstance(fields["status"], FieldRow)
    assert "Recycled" in (fields["status"].options or ())
    assert fields["last_name"].required
    assert answer("10", "set_entries")
    assert answer("20", "set_relationship") is True


@recorded
@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("02", AuthRefused),
        ("05", AuthExpired),
        ("16", Unsupported),
        ("17", faults.Died),
        ("18", Unsupported),
        ("27", faults.Died),
    ],
)
def test_recorded_faults_mean_what_their_codes_say(number: str, error: type[LeadbusError]) -> None:
    with pytest.raises(error):
        answer(number, "get_entry_list", 500)


@pytest.mark.parametrize("operation", ["login", "get_entry_list"])
def test_an_answer_with_a_document_type_is_refused(operation: str) -> None:
    inner = "<return><entry_list>&b;</entry_list></return>"
    body = f'<!DOCTYPE a [<!ENTITY b "c">]><a><b><c>{inner}</c></b></a>'.encode()
    with pytest.raises(Transient, match="cannot be read"):
        decoded(operation, body)


@pytest.mark.parametrize("body", [b"<a/>", b"<a><b/></a>", b"<a>", b"<a><b><c><d/></c></b></a>", b""])
@pytest.mark.parametrize("operation", ["get_entry_list", "get_server_info", "set_entries"])
def test_what_is_no_such_answer_is_trouble_and_not_a_crash(operation: str, body: bytes) -> None:
    with pytest.raises((Transient, AuthExpired)):
        decoded(operation, body)


def test_rows_are_read_in_any_number_with_empty_values() -> None:
    pair = "<item><name>id</name><value/></item>"
    item = f"<item><id>1</id><module_name/><name_value_list>{pair}</name_value_list></item>"
    body = f"<e><b><r><return><entry_list>{item * 2}</entry_list></return></r></b></e>".encode()
    assert decoded("get_relationships", body) == Rows([Row("1", {"id": ""})] * 2, None)


def test_nothing_is_fetched_to_read_the_wsdl(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    soap._codec.cache_clear()
    assert b"get_server_info" in Soap().encode("v4", "get_server_info", ())


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_carry_is_left_out_of_every_argument(bad: str) -> None:
    row = {"first_name": f"A{bad}n", "last_name": "Ω😀 <&>\"'\t\n"}
    envelope = Soap().encode("v2", "set_entries", ("s", "Leads", [row]))
    (sent,) = etree.fromstring(envelope).iter("name_value_list")
    assert pairs(sent) == {"first_name": "An", "last_name": "Ω😀 <&>\"'\t\n"}


def test_an_empty_array_says_nothing_of_its_size() -> None:
    assert soap.strings([]) == []
    assert soap.links({}) == []


@pytest.mark.parametrize(
    ("version", "operation", "known"),
    [
        ("v4_1", "get_relationships", 11),
        ("v4", "get_relationships", 9),
        ("v2", "get_relationships", 8),
        ("v4", "get_entry_list", 10),
        ("v2", "get_entry_list", 9),
    ],
)
def test_what_a_version_does_not_know_is_left_out_at_the_end(
    version: str, operation: str, known: int
) -> None:
    samples: dict[str, Any] = {"select_fields": [], "related_fields": [], "favorites": False}
    samples |= dict.fromkeys(("offset", "limit", "deleted", "max_results"), 0)
    parts = OPERATIONS[operation]
    arguments = [samples.get(part, {} if "link_name" in part else "x") for part in parts]
    call = etree.fromstring(Soap().encode(version, operation, arguments))[0][0]
    assert [name(part) for part in call] == list(parts[:known])


def test_rights_are_those_granted_and_v2_tells_none_apart() -> None:
    listed = [
        {
            "module_key": "Leads",
            "acls": [{"action": "edit", "access": "1"}, {"action": "list", "access": None}],
        },
        {"module_key": "Notes", "acls": None},
    ]
    assert soap._rights(listed) == {"Leads": {"edit"}, "Notes": set()}
    assert {"list", "view", "edit"} <= soap._rights(["Leads"])["Leads"]
