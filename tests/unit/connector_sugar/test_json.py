"""Legacy REST, against the samples made from documents."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from connector_sugar import faults
from connector_sugar.http import Reply
from connector_sugar.legacy.json import Json
from connector_sugar.legacy.operations import OPERATIONS
from leadbus.errors import AuthExpired, AuthRefused, LeadbusError, OutcomeUnknown, Rejected, Unsupported

SAMPLES = Path(__file__).parents[4] / "shared" / "contracts" / "sugar" / "rest" / "samples"
sampled = pytest.mark.skipif(not SAMPLES.exists(), reason=f"the samples are not there: {SAMPLES}")


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"v4_1-{name}.json").read_text())


def sent(operation: str, *arguments: Any) -> dict[str, Any]:
    form = parse_qs(Json().encode("v4_1", operation, arguments).decode(), strict_parsing=True)
    assert (form["method"], form["input_type"], form["response_type"]) == ([operation], ["JSON"], ["JSON"])
    found: dict[str, Any] = json.loads(form["rest_data"][0])
    return found


def read(operation: str, body: Any, status: int = 200, *, writing: bool = False) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Json().decode(operation, Reply(status, content, {"Content-Type": "text/html"}), writing=writing)


def pairs(listed: list[dict[str, str]]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in listed}


@sampled
@pytest.mark.parametrize("operation", ["login", "get_entry_list", "set_relationship"])
def test_arguments_stand_in_the_order_of_the_samples(operation: str) -> None:
    wanted = sample(f"{operation}-rest_data")
    native = dict(wanted)
    native["name_value_list"] = pairs(native.get("name_value_list", []))
    if links := native.get("link_name_to_fields_array"):
        native["link_name_to_fields_array"] = {link["name"]: link["value"] for link in links}
    if auth := native.get("user_auth"):
        native["user_auth"] = {name: auth[name] for name in ("user_name", "password")}
    arguments = [native[name] for name in OPERATIONS[operation]]
    assert json.dumps(sent(operation, *arguments)) == json.dumps(wanted)


def test_rows_to_write_are_lists_of_pairs_that_php_can_read() -> None:
    rows = [{"id": "1", "last_name": "A\x00\ud800é😀"}, {"id": "2"}]
    lists = sent("set_entries", "s", "Leads", rows)["name_value_lists"]
    assert [pairs(row) for row in lists] == [{"id": "1", "last_name": "Aé😀"}, {"id": "2"}]


@sampled
def test_answers_are_read_in_our_shape() -> None:
    page = read("get_entry_list", sample("get_entry_list-response"))
    (row,) = page.rows
    assert (page.total, row.id, row.values["first_name"]) == (1, "l-1", "Ewa")
    assert row.linked["email_addresses"][0]["email_address"] == "ewa@kot.test"
    assert read("login", sample("login-response")) == sample("login-response")["id"]
    assert read("get_server_info", sample("get_server_info-response"))["flavor"] == "CE"
    assert read("set_entries", sample("set_entries-response")) == ["l-1", "l-2"]
    assert read("set_relationship", sample("set_relationship-response")) is True


def test_what_php_makes_of_empty_things_is_read_too() -> None:
    entry = {"id": "1", "name_value_list": []}
    body = {"total_count": "-1", "entry_list": [entry], "relationship_list": []}
    page = read("get_entry_list", body)
    assert (page.total, page.rows[0].values, page.rows[0].linked) == (None, {}, {})
    odd = {name: {"name": name, "value": value} for name, value in zip("abcd", ODD, strict=True)}
    page = read("get_entry_list", {"entry_list": [{"id": "1", "name_value_list": odd}]})
    assert page.rows[0].values == {"a": "0", "b": "", "c": "<'&amp;", "d": "1.5"}


ODD = (False, None, "&lt;&#039;&amp;", 1.5)
NUMBERS = [(10, AuthRefused), (11, AuthExpired), (20, Unsupported), (40, Rejected), (1012, AuthRefused)]


@pytest.mark.parametrize(("number", "error"), NUMBERS)
def test_errors_come_with_http_200(number: int, error: type[LeadbusError]) -> None:
    with pytest.raises(error):
        read("set_entries", {"name": "x", "number": number, "description": "y"}, writing=True)


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"Database failure.", b"<br />\n<b>Warning</b>: x in y<br />{}", b'{"id": ']
)
def test_a_warning_of_php_or_nothing_at_all_is_a_call_that_broke_off(body: bytes) -> None:
    with pytest.raises(faults.Died):
        read("get_entry_list", body)
    with pytest.raises(faults.DiedWriting):
        read("set_entries", body, writing=True)


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"  <html lang='en'>", b"<!-- x --><HTML>"])
def test_a_web_page_says_that_this_is_not_the_service(body: bytes) -> None:
    with pytest.raises(faults.NotServed, match="web page"):
        read("login", body)


@pytest.mark.parametrize("body", [{}, [], "x", 7, {"entry_list": 7}, {"entry_list": [{}]}])
def test_what_is_no_such_answer_is_trouble_and_not_a_crash(body: Any) -> None:
    with pytest.raises(LeadbusError, match="cannot be read"):
        read("get_entry_list", body)
    with pytest.raises(OutcomeUnknown):
        read("set_entries", body, writing=True)


def test_an_answer_of_nothing_is_a_session_that_is_lost() -> None:
    with pytest.raises(AuthExpired):
        read("get_entry_list", None)
