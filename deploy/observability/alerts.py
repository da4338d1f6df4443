"""What somebody is told of, beside service levels (`levels`). Each has a page in docs/runbook and tests."""

from collections.abc import Iterator
from dataclasses import dataclass

from leadbus.installed import installed
from leadbus.telemetry import names
from observability.levels import BURNS, LEVELS, Level
from observability.promql import highest, of, total

WAITS_SECONDS, WAITS_LONG_SECONDS = 900, 3_600
"""What a row that the CRM cannot take now is put off for at most (`settling.LONGEST`); and much longer."""
SILENT_SECONDS = 6 * 3_600
MAILS_WAIT_SECONDS = 3_600
NEARLY_USED = 0.2
"""Of a day's credits; from here on nothing is read any more (`leadbus.connector.credits.KEPT`)."""


@dataclass(frozen=True, slots=True)
class Alert:
    """severity: `page` wakes somebody, `ticket` waits for the morning. lasting: for how long, to be told."""

    name: str
    severity: str
    query: str
    says: str
    lasting: str = "0m"


_PLACE = ("job", names.DESTINATION, names.PARTITION)
_CONNECTION = "{{ $labels.leadbus_connection_id }}"
_SAME_CONNECTION = "and on (leadbus_connection_id)"
_OLDEST = highest(names.OLDEST_UNDELIVERED, by=("job", names.CONNECTION))
_DEAD = of(names.MESSAGES_DEAD)
_DEAD_BEFORE = f"last_over_time({_DEAD}[1h] offset 15m)"
_WELL = highest(names.CONNECTION_STATE, {names.STATE: "well"}, by=(names.CONNECTION,))
_PODS = (
    f'up{{job=~"{"|".join(sorted(n for n in installed() if not n.startswith("connector-")))}|connector-.+"}}'
)
_PULLED = of(names.PULLED_ROWS, {names.OUTCOME: "published"})


def alerts() -> Iterator[Alert]:
    """All of them."""
    for level in LEVELS:
        yield from map(_burning, [level] * 2, ("page", "ticket"))
    yield Alert(
        "LeadbusLagWithoutCommits",
        "page",
        f"{total(names.CONSUMER_LAG, by=_PLACE)} > 0"
        f" unless sum by (job, messaging_destination_name, messaging_destination_partition_id)"
        f" (increase({of(names.COMMITS)}[10m])) > 0",
        "{{ $labels.job }} has records of {{ $labels.messaging_destination_name }}, partition"
        " {{ $labels.messaging_destination_partition_id }}, before it and applies none.",
        "10m",
    )
    yield Alert(
        "LeadbusDeliveryWaits",
        "page",
        f"{_OLDEST} > {WAITS_SECONDS} {_SAME_CONNECTION} {_WELL} == 1",
        f"A delivery for {_CONNECTION} has waited for {WAITS_SECONDS // 60} minutes, and its CRM is well.",
        "5m",
    )
    yield Alert(
        "LeadbusDeliveryWaits",
        "ticket",
        f"{_OLDEST} > {WAITS_LONG_SECONDS}",
        f"A delivery for {_CONNECTION} has waited for an hour.",
        "5m",
    )
    yield Alert(
        "LeadbusOrganisationNotWorked",
        "page",
        f"max by (job) ({of(names.ORGANISATIONS)}) - sum by (job) ({of(names.ORGANISATIONS_WORKED)}) > 0",
        "No pod of {{ $labels.job }} works {{ $value }} of its CRM organisations.",
        "5m",
    )
    yield Alert(
        "LeadbusConnectionRefused",
        "ticket",
        f"{highest(names.CONNECTION_STATE, {names.STATE: 'refused'}, by=('job', names.CONNECTION))} == 1",
        f"The CRM of {_CONNECTION} refuses its sign-in or its token; nothing is tried until a person acts.",
    )
    yield Alert(
        "LeadbusCreditsNearlyUsed",
        "ticket",
        f"min by (job, leadbus_connection_id) ({of(names.CREDITS_LEFT)} / {of(names.CREDITS_ALLOWED)})"
        f" < {NEARLY_USED}",
        f"{_CONNECTION}'s CRM organisation has {{{{ $value | humanizePercentage }}}} of a day's calls left.",
        "5m",
    )
    yield Alert(
        "LeadbusDeadLettersGrow",
        "page",
        # A series that begins with its first dead letter has no increase: what is new counts as a whole, and
        # what was there within the hour before is not new, even if Prometheus was away meanwhile.
        f"sum by (job, messaging_destination_name) (increase({_DEAD}[15m])) > 0"
        f" or sum by (job, messaging_destination_name) ({_DEAD} unless {_DEAD_BEFORE}) > 0",
        "{{ $labels.job }} could not read records of {{ $labels.messaging_destination_name }}.",
    )
    yield Alert(
        "LeadbusPushesSilent",
        "ticket",
        f"{highest(names.PUSH_AGE, by=('job', names.CONNECTION))} > {SILENT_SECONDS}"
        f" {_SAME_CONNECTION} sum by (leadbus_connection_id) (increase({_PULLED}[6h])) > 0",
        f"The CRM of {_CONNECTION} has pushed nothing for 6 hours, though things change there.",
        "30m",
    )
    yield Alert(
        "LeadbusMailsWait",
        "ticket",
        f"max by (job) ({of(names.OLDEST_MAIL)}) > {MAILS_WAIT_SECONDS}",
        "Mails of {{ $labels.job }} have been waiting for more than an hour.",
        "5m",
    )
    yield Alert(
        "LeadbusServiceAway",
        "page",
        f"count by (job) (last_over_time({_PODS}[1d])) unless sum by (job) ({_PODS}) > 0",
        "No pod of {{ $labels.job }} answers.",
        "5m",
    )


def _burning(level: Level, severity: str) -> Alert:
    allowed = 1 - level.objective
    conditions = [
        f"({level.recorded(burn.long)} > {burn.factor * allowed:.6g}"
        f" and {level.recorded(burn.short)} > {burn.factor * allowed:.6g})"
        for burn in BURNS
        if burn.severity == severity
    ]
    return Alert(level.alert, severity, " or ".join(conditions), level.says)
