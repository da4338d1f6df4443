"""Words of the metadata for columns."""

import pytest

from connector_dynamics.web_api import metadata


@pytest.mark.parametrize(
    ("format_", "behaviour", "expected"),
    [
        ("DateOnly", "DateOnly", "date"),
        ("DateOnly", "UserLocal", "local_date"),
        ("DateOnly", "TimeZoneIndependent", "local_date"),
        ("DateAndTime", "UserLocal", "datetime"),
    ],
)
def test_a_date_that_the_web_api_has_as_a_time_is_told_from_one_that_it_has_as_a_date(
    format_, behaviour, expected
):
    row = {"LogicalName": "new_day", "AttributeType": "DateTime", "Format": format_}
    assert metadata._attribute(row | {"DateTimeBehavior": {"Value": behaviour}}).type == expected
