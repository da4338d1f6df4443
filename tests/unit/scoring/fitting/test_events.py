"""What columns of a file tell the default rules."""

import pytest

from leadbus.errors import LeadbusError
from leadbus.event_types import TRAITS, EventType
from scoring.fitting.events import Told, recognised, scores, told
from scoring.fitting.leads import Leads

POINTS = {type_: trait.millipoints for type_, trait in TRAITS.items()}
LEADS = Leads(
    {
        "TotalVisits": ["0", "3", "4", None],
        "Last Activity": ["Email Opened", "Form Submitted on Website", "Page Visited on Website", None],
        "Last Notable Activity": ["Email Opened", "Modified", "Unsubscribed", None],
        "How did you hear about us": ["SMS", "Pay per Click Ads", "Online Search", None],
        "Page Views Per Visit": ["0", "1.5", "2.5", "3"],
    },
    [True, False, True, False],
)


def test_columns_and_cells_that_name_events_are_recognised() -> None:
    assert recognised(LEADS) == [
        Told("TotalVisits", None, EventType.WEB_VIEW),
        Told("Last Activity", "Email Opened", EventType.EMAIL_OPEN),
        Told("Last Activity", "Form Submitted on Website", EventType.FORM_SUBMISSION),
        Told("Last Activity", "Page Visited on Website", EventType.WEB_VIEW),
        Told("Last Notable Activity", "Email Opened", EventType.EMAIL_OPEN),
        Told("Last Notable Activity", "Unsubscribed", EventType.EMAIL_UNSUBSCRIBE),
    ]


def test_an_event_that_two_columns_tell_of_counts_once() -> None:
    assert scores(LEADS, recognised(LEADS), POINTS) == [2_000, 9_000 + 20_000, 12_000 - 20_000, 0]


def test_a_person_says_which_columns_tell_of_events() -> None:
    given = ["TotalVisits=web_click", "Last Activity:Email Opened=telequalification"]
    assert scores(LEADS, told(given, LEADS), POINTS) == [30_000, 12_000, 16_000, 0]


@pytest.mark.parametrize(
    ("word", "reason"),
    [("Visits=web_view", "of a column that there is"), ("TotalVisits=visit", "There is no event visit")],
)
def test_what_names_no_column_or_event_is_refused(word: str, reason: str) -> None:
    with pytest.raises(LeadbusError, match=reason):
        told([word], LEADS)
