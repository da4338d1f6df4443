"""Numbers in one form for all CRMs."""

from decimal import Decimal

import pytest

from leadbus.connector.figures import amount, plain


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1234.500000", "1234.5"),
        ("100", "100"),
        ("0", "0"),
        ("-3.10", "-3.1"),
        ("1E+3", "1000"),
        (Decimal("12500.5000"), "12500.5"),
        ("1.23456789", "1.234568"),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        ("1" * 16, None),
        ("9" * 60, None),
        ("1,5", None),
        ("twelve", None),
    ],
)
def test_an_amount_is_a_plain_decimal_that_a_message_can_carry_or_nothing(number, shown):
    assert amount(number) == shown


@pytest.mark.parametrize("number", ["1E+999999999", "1E-999999999", "NaN", "-Infinity", "many"])
def test_what_no_crm_keeps_is_no_number(number):
    assert plain(number) is None


def test_a_number_has_neither_exponent_nor_needless_zeros():
    assert [plain(n) for n in ("1E+20", "1.230", 5, "-0.0")] == ["100000000000000000000", "1.23", "5", "-0"]
