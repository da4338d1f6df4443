"""Panels of one connection: how its CRM answers, what waits for it, and what comes back."""

from collections.abc import Mapping, Sequence

from leadbus.telemetry import names
from observability.panels import WINDOW, Panel
from observability.promql import highest, of, quantile, total

_CHOSEN = {names.CONNECTION: "$connection"}
_OUTCOME = "{{leadbus_outcome}}"
_TIME = total(names.CRM_TIME, _CHOSEN, window=WINDOW)
_CALLS = total(names.CRM_CALLS, _CHOSEN, window=WINDOW)

CRM_ROWS: Mapping[str, Sequence[Panel]] = {
    "The CRM": (
        Panel(
            "State",
            "short",
            {"{{leadbus_state}}": highest(names.CONNECTION_STATE, _CHOSEN, by=(names.STATE,))},
            "refused: nothing is tried until a person corrects the sign-in.",
            now=True,
        ),
        Panel(
            "Calls, by outcome",
            "reqps",
            {_OUTCOME: total(names.CRM_CALLS, _CHOSEN, by=(names.OUTCOME,), window=WINDOW)},
        ),
        Panel("Time of a call", "s", {"mean": f"{_TIME} / {_CALLS}"}),
        Panel(
            "Time of a call, by what it does",
            "s",
            {
                "99 % {{leadbus_crm}} {{leadbus_crm_operation}}": quantile(
                    0.99, names.CRM_CALL_DURATION, by=(names.CRM, names.CRM_OPERATION), window=WINDOW
                )
            },
            "Of all connections to CRMs of a kind.",
        ),
        Panel(
            "Calls left of a day's",
            "percentunit",
            {"left": f"{of(names.CREDITS_LEFT, _CHOSEN)} / {of(names.CREDITS_ALLOWED, _CHOSEN)}"},
            "Of the whole organisation. Below 20 % nothing is read, below 10 % only new leads are written.",
        ),
        Panel(
            "Since it last pushed",
            "s",
            {"pushed": highest(names.PUSH_AGE, _CHOSEN, by=(names.CONNECTION,))},
        ),
    ),
    "To it": (
        Panel(
            "Oldest delivery that waits",
            "s",
            {"oldest": highest(names.OLDEST_UNDELIVERED, _CHOSEN, by=(names.CONNECTION,))},
        ),
        Panel(
            "Deliveries that wait",
            "short",
            {_OUTCOME: highest(names.DELIVERIES_WAITING, _CHOSEN, by=(names.OUTCOME,))},
        ),
        Panel(
            "Deliveries worked off, by outcome",
            "cps",
            {_OUTCOME: total(names.DELIVERIES, _CHOSEN, by=(names.OUTCOME,), window=WINDOW)},
            "parked: the CRM refuses it; `leadbus errors` says why.",
        ),
    ),
    "From it": (
        Panel(
            "Rows read, by outcome",
            "cps",
            {_OUTCOME: total(names.PULLED_ROWS, _CHOSEN, by=(names.OUTCOME,), window=WINDOW)},
        ),
        Panel(
            "Rows read, by kind",
            "cps",
            {"{{leadbus_kind}}": total(names.PULLED_ROWS, _CHOSEN, by=(names.KIND,), window=WINDOW)},
        ),
        Panel(
            "Since it was last read",
            "s",
            {"{{leadbus_kind}}": highest(names.PULL_AGE, _CHOSEN, by=(names.KIND,))},
        ),
    ),
}
