"""Panels of the way through: ingest, scoring, and every consumer."""

from collections.abc import Mapping, Sequence

from leadbus.telemetry import names
from leadbus.topics import LEADS_ACTIVITIES, LEADS_QUALIFIED, LEADS_SCORED
from observability.panels import WINDOW, Panel
from observability.promql import highest, of, quantile, total

_TOPIC, _OUTCOME = "{{messaging_destination_name}}", "{{leadbus_outcome}}"
_POSTS = {names.HTTP_METHOD: "POST"}
_SCORING = {"job": "scoring"}
_EMITTED = "=~" + "|".join(topic.name for topic in (LEADS_SCORED, LEADS_QUALIFIED, LEADS_ACTIVITIES))

FLOW_ROWS: Mapping[str, Sequence[Panel]] = {
    "In": (
        Panel(
            "Items posted, by outcome",
            "cps",
            {_OUTCOME: total(names.INGEST_ITEMS, by=(names.OUTCOME,), window=WINDOW)},
            "failed: not acknowledged by Kafka, to be sent again. rejected: the sender is told why.",
        ),
        Panel(
            "Items accepted, by input",
            "cps",
            {
                "{{leadbus_input}}": total(
                    names.INGEST_ITEMS, {names.OUTCOME: "accepted"}, by=(names.INPUT,), window=WINDOW
                )
            },
        ),
        Panel(
            "Time to answer a post",
            "s",
            {
                "99 % {{http_route}}": quantile(
                    0.99, names.HTTP_DURATION, _POSTS, by=(names.HTTP_ROUTE,), window=WINDOW
                )
            },
        ),
        Panel(
            "Posts answered, by status",
            "reqps",
            {
                "{{http_response_status_code}}": total(
                    names.HTTP_DURATION, _POSTS, by=(names.HTTP_STATUS,), window=WINDOW, part="_count"
                )
            },
        ),
        Panel(
            "Items that await Kafka",
            "short",
            {"{{pod}}": total(names.INGEST_IN_FLIGHT, by=("pod",))},
        ),
        Panel(
            "Records sent, by topic",
            "cps",
            {
                _TOPIC: total(
                    names.MESSAGES_SENT, {names.OUTCOME: "ok"}, by=(names.DESTINATION,), window=WINDOW
                )
            },
        ),
    ),
    "Out": (
        Panel(
            "Until a lead is in the CRM",
            "s",
            {
                "50 % {{leadbus_right}}": quantile(0.5, names.LEAD_LATENCY, by=(names.RIGHT,), window=WINDOW),
                "99 % {{leadbus_right}}": quantile(
                    0.99, names.LEAD_LATENCY, by=(names.RIGHT,), window=WINDOW
                ),
            },
        ),
        Panel(
            "Deliveries worked off, by outcome",
            "cps",
            {_OUTCOME: total(names.DELIVERIES, by=(names.OUTCOME,), window=WINDOW)},
        ),
        Panel(
            "Rows read from CRMs, by outcome",
            "cps",
            {_OUTCOME: total(names.PULLED_ROWS, by=(names.OUTCOME,), window=WINDOW)},
        ),
        Panel("Mails, by outcome", "cps", {_OUTCOME: total(names.MAILS, by=(names.OUTCOME,), window=WINDOW)}),
        Panel("Oldest mail that waits", "s", {"{{job}}": f"max by (job) ({of(names.OLDEST_MAIL)})"}),
        Panel(
            "Connections, by state",
            "short",
            {"{{leadbus_state}}": total(names.CONNECTION_STATE, by=(names.STATE,))},
            now=True,
        ),
    ),
}


def _consuming(labels: Mapping[str, str]) -> tuple[Panel, ...]:
    """Of one service, or of all."""
    batches = total(names.BATCH_SIZE, labels, by=("job",), window=WINDOW, part="_count")
    records = total(names.BATCH_SIZE, labels, by=("job",), window=WINDOW, part="_sum")
    return (
        Panel(
            "Records read",
            "cps",
            {
                f"{{{{job}}}} {_TOPIC}": total(
                    names.MESSAGES_CONSUMED, labels, by=("job", names.DESTINATION), window=WINDOW
                )
            },
        ),
        Panel(
            "Records not yet applied",
            "short",
            {f"{{{{job}}}} {_TOPIC}": total(names.CONSUMER_LAG, labels, by=("job", names.DESTINATION))},
            "Lag. It stands only where nothing is committed.",
        ),
        Panel(
            "Batches committed",
            "cps",
            {
                f"{{{{job}}}} {_TOPIC}": total(
                    names.COMMITS, labels, by=("job", names.DESTINATION), window=WINDOW
                )
            },
        ),
        Panel(
            "Time to apply a batch",
            "s",
            {
                "50 % {{job}}": quantile(0.5, names.BATCH_DURATION, labels, by=("job",), window=WINDOW),
                "99 % {{job}}": quantile(0.99, names.BATCH_DURATION, labels, by=("job",), window=WINDOW),
            },
        ),
        Panel("Records in a batch", "short", {"{{job}}": f"{records} / {batches}"}, "On average."),
        Panel(
            "Dead letters",
            "short",
            {f"{{{{job}}}} {_TOPIC}": total(names.MESSAGES_DEAD, labels, by=("job", names.DESTINATION))},
            "Since the pods began; none is as it should be.",
        ),
    )


SCORING_ROWS: Mapping[str, Sequence[Panel]] = {
    "Consumed": _consuming(_SCORING),
    "Caused": (
        Panel(
            "Scores, qualifications and activities told",
            "cps",
            {
                _TOPIC: total(
                    names.MESSAGES_SENT,
                    _SCORING | {names.DESTINATION: _EMITTED, names.OUTCOME: "ok"},
                    by=(names.DESTINATION,),
                    window=WINDOW,
                )
            },
        ),
        Panel(
            "Not acknowledged",
            "cps",
            {
                _TOPIC: total(
                    names.MESSAGES_SENT,
                    _SCORING | {names.OUTCOME: "failed"},
                    by=(names.DESTINATION,),
                    window=WINDOW,
                )
            },
            "They are sent until Kafka takes them.",
        ),
    ),
}

CONSUMER_ROWS: Mapping[str, Sequence[Panel]] = {
    "All services": _consuming({}),
    "Partitions": (
        Panel(
            "The partitions furthest behind",
            "short",
            {
                f"{{{{job}}}} {_TOPIC} {{{{messaging_destination_partition_id}}}}": "topk(10, "
                + highest(names.CONSUMER_LAG, by=("job", names.DESTINATION, names.PARTITION))
                + ")"
            },
        ),
        Panel(
            "Dead letters, by why",
            "short",
            {"{{job}} {{error_type}}": total(names.MESSAGES_DEAD, by=("job", names.ERROR_TYPE))},
        ),
        Panel("Pods that answer", "short", {"{{job}}": "sum by (job) (up)"}, now=True),
    ),
}
