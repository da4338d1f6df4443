"""Which leads' traces are shown: of who was won by marketing, became a client and brought an opportunity."""

from typing import Any

from sandbox.crms.tables import Record, Tables, Words
from sandbox.judge.topics import Heard
from sandbox.tracing import Journey, journey, won

Message = dict[str, Any]
_CRMS = {
    "acme": Tables.of(
        Words("New", None, frozenset()),
        [Record("lead", f"l-{who}", True, 0.0, (), who, became=f"c-{who}") for who in ("ada", "bob")],
        [],
        [],
    )
}


def _header(trace: str, flag: str = "01") -> str:
    return f"00-{trace * 32}-{'1' * 16}-{flag}"


def _told(who: str, connection: str, trace: str, **more: Any) -> Message:
    known = {"event_id": f"{connection}/{who}/{trace}", "connection_id": connection, "prospect_id": who}
    return known | {"record": {"id": f"l-{who}"}, "traceparent": _header(trace), "deleted": False} | more


def _heard() -> Heard:
    """Ada exceeded the threshold, Bob was handed over; both are clients and were sold to. Eve is neither."""
    back = {"kind": "lead", "state": "client", "lead_trace_id": "a" * 32}
    return Heard(
        {
            "leads.qualified": [_told("ada", "c", "a"), _told("eve", "c", "e")],
            "crm.deliveries": [
                _told("ada", "c", "a", outcome="created"),
                _told("bob", "c", "b", outcome="created"),
                _told("eve", "c", "e", outcome="created", traceparent=_header("e", "00")),
            ],
            "crm.contacts": [
                _told("bob", "c", "1", **back | {"lead_trace_id": "b" * 32}),
                _told("ada", "c", "2", **back),
                _told("eve", "c", "3", kind="lead", state="prospect"),
            ],
            "crm.opportunities": [
                _told("ada", "c", "5", lead_trace_id="a" * 32),
                _told("bob", "c", "4", lead_trace_id="b" * 32),
            ],
        }
    )


def test_who_was_won_by_marketing_in_a_trace_that_is_kept_is_sold_to_first() -> None:
    assert won(_heard()) == {"l-ada"}


def test_a_journey_is_that_of_who_was_won_by_marketing_though_there_is_a_newer_lead() -> None:
    assert journey(_heard(), _CRMS, "c") == Journey("l-ada", "a" * 32, ("2" * 32, "5" * 32))


def test_without_anybody_won_by_marketing_it_is_that_of_the_newest_lead() -> None:
    heard = _heard()
    heard.messages["leads.qualified"].clear()
    assert journey(heard, _CRMS, "c") == Journey("l-bob", "b" * 32, ("1" * 32, "4" * 32))


def test_what_was_told_in_one_trace_is_one_way_back() -> None:
    heard = _heard()
    heard.of("crm.opportunities")[0]["traceparent"] = _header("2")
    found = journey(heard, _CRMS, "c")
    assert found is not None
    assert found.back == ("2" * 32,)


def test_nobody_who_came_in_a_trace_that_is_not_kept_is_shown() -> None:
    heard = _heard()
    for message in heard.of("crm.deliveries"):
        message["traceparent"] = message["traceparent"][:-2] + "00"
    assert journey(heard, _CRMS, "c") is None


def test_of_another_connection_there_is_no_journey() -> None:
    assert journey(_heard(), _CRMS, "other") is None
