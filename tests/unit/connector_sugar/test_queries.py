"""Conditions in SQL, as the older services take them."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connector_sugar.legacy import queries

ODD = ["O'Neil; & Sons", "50% _off", "a--b", "Reunion Ltd", 'say "no"', "C:\\x", "plain", "#1 `x` /* y */"]


def test_literals_cannot_be_left() -> None:
    assert queries.quoted("O'Brien\\\x00") == "'O''Brien\\\\'"


def test_plain_addresses_are_listed_and_odd_ones_become_patterns() -> None:
    emails = [
        "ann_b@x.example",
        "o'neil@x.example",
        "a--b;c@x.example",
        "me@credit-union.example",
        "é@x.example",
    ]
    query = queries.with_emails("Leads", emails)
    assert "ea.email_address_caps IN ('ANN_B@X.EXAMPLE')" in query
    assert re.findall("LIKE '(.*?)'", query) == [
        "O_NEIL@X.EXAMPLE",
        "A-_B_C@X.EXAMPLE",
        "ME@CREDIT-_NION.EXAMPLE",
        "_@X.EXAMPLE",
    ]
    assert not re.search("--|;|UNION", query)


@pytest.mark.parametrize("value", ODD)
def test_no_value_offends_the_server_or_leaves_its_literal(value: str) -> None:
    query = queries.with_values("accounts", "name", [value])
    assert not re.search("--|;|#|/|union", query, re.IGNORECASE)
    found = re.fullmatch(r"accounts\.name (LIKE |IN \()'([^'\\]*)'\)?", query)
    assert found is not None
    assert len(found[2]) == len(value)


def test_custom_fields_are_asked_of_their_own_table() -> None:
    assert queries.with_values("leads", "size_c", ["9"]) == "leads_cstm.size_c IN ('9')"


def test_the_next_page_of_changes_begins_after_the_last_row() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert queries.changed("leads", at, None) == "leads.date_modified >= '2026-01-01 00:00:00'"
    assert queries.changed("leads", None, None) == ""
    assert queries.changed("leads", at, ("2026-01-01 00:00:00", "id'")) == (
        "(leads.date_modified > '2026-01-01 00:00:00' OR"
        " (leads.date_modified = '2026-01-01 00:00:00' AND leads.id > 'id'''))"
    )
    assert "IS NOT NULL" in queries.changed("leads", None, ("", "id"))


def test_conditions_hold_together_or_not_at_all() -> None:
    assert queries.both("", "") == ""
    assert queries.both("a OR b", "") == "(a OR b)"
    assert queries.both("a OR b", "c") == "(a OR b) AND (c)"


def test_times_are_written_in_utc_and_read_back() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert queries.sugar_time(at) == "2026-02-28 23:30:00"
    assert queries.moment("2026-02-28 23:30:00") == at.astimezone(UTC)
