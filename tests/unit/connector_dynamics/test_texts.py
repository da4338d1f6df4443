"""Values of the CRM as texts."""

from datetime import date
from decimal import Decimal

from connector_dynamics import texts


def test_a_number_that_no_crm_keeps_is_not_written_out():
    for number in (Decimal("1E+999999999"), Decimal("1E-999999999")):
        assert texts.text(number) == str(number)
    assert texts.text(Decimal("1.50E+3")) == "1500"


def test_the_end_of_time_is_no_time():
    assert texts.moment("9999-12-31T23:59:59-01:00") is None
    assert texts.day("9999-12-31T23:59:59Z") is None
    assert texts.day("9999-12-31T11:00:00Z") == date(9999, 12, 31)
