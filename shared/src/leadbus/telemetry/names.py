"""Every metric and every span attribute, declared once.

Names follow OpenTelemetry's semantic conventions v1.44.0 where there is one (messaging is still in
development there: a renaming is a change of this file), else begin with `leadbus.`. No label has
unbounded values: no email, no tenant, no prospect; a connection's id is fine.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric is recorded."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. unit: UCUM. labels: the attributes it is recorded with. buckets: of a histogram."""

    name: str
    kind: Kind
    unit: str
    purpose: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bucket edges in seconds for what takes milliseconds to seconds."""
SLOW = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)
"""Bucket edges in seconds for journeys, whose promise is one second."""

# Span attributes and metric labels -------------------------------------------------------------------
MESSAGING_SYSTEM = "messaging.system"  # always "kafka"
OPERATION_NAME = "messaging.operation.name"  # send, process
OPERATION_TYPE = "messaging.operation.type"  # send, process
DESTINATION = "messaging.destination.name"  # the topic, as the registry names it
PARTITION = "messaging.destination.partition.id"  # as text
GROUP = "messaging.consumer.group.name"  # = service.name
MESSAGE_ID = "messaging.message.id"  # the event id
MESSAGE_COUNT = "messaging.batch.message_count"
OFFSET = "messaging.kafka.offset"
MESSAGE_KEY = "messaging.kafka.message.key"  # a prospect id, never an email
HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"  # the pattern, never the path
HTTP_STATUS = "http.response.status_code"
ERROR_TYPE = "error.type"  # the error's class
SERVER_ADDRESS = "server.address"

ALWAYS_SAMPLED = "leadbus.always_sampled"  # true: recorded whatever the ratio says
TENANT = "leadbus.tenant.id"  # spans only
PROSPECT = "leadbus.prospect.id"  # spans only
DISTRIBUTION = "leadbus.distribution.id"  # spans only
LEAD_TRACE = "leadbus.lead.trace_id"  # spans only: the trace that brought the lead in
CONNECTION = "leadbus.connection.id"
CRM = "leadbus.crm"  # sugar, dynamics, zoho
CRM_OPERATION = "leadbus.crm.operation"  # the adapter's verb
CRM_CALL = "leadbus.crm.call.id"  # spans only: one call that carries several prospects
INPUT = "leadbus.input"  # events, distributions, prospects, campaigns, lists
OUTCOME = "leadbus.outcome"  # a closed set of words, named at each metric
MAIL = "leadbus.mail"  # its kind: active, new_lead, login, trouble, refusals
KIND = "leadbus.kind"  # what was pulled: leads, contacts, opportunities, ...

# Metrics ---------------------------------------------------------------------------------------------
CONSUMER_LAG = Metric(
    "leadbus.consumer.lag",
    Kind.GAUGE,
    "{message}",
    "Records of a partition that are not applied yet.",
    (DESTINATION, PARTITION),
)
MESSAGES_CONSUMED = Metric(
    "messaging.client.consumed.messages", Kind.COUNTER, "{message}", "Records read.", (DESTINATION,)
)
MESSAGES_DEAD = Metric(
    "leadbus.consumer.dead_letters",
    Kind.COUNTER,
    "{message}",
    "Records that could not be read and went to the dead letters.",
    (DESTINATION, ERROR_TYPE),
)
BATCH_DURATION = Metric(
    "messaging.process.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to apply a batch, from reading it to its transaction's end.",
    (),
    FAST,
)
BATCH_SIZE = Metric(
    "leadbus.consumer.batch.size",
    Kind.HISTOGRAM,
    "{message}",
    "Records in a batch.",
    (),
    (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000),
)
MESSAGES_SENT = Metric(
    "messaging.client.sent.messages",
    Kind.COUNTER,
    "{message}",
    "Records that every in-sync replica acknowledged (outcome ok) or not (outcome failed).",
    (DESTINATION, OUTCOME),
)
INGEST_ITEMS = Metric(
    "leadbus.ingest.items",
    Kind.COUNTER,
    "{item}",
    "Items posted, by outcome: accepted, duplicate, rejected, failed.",
    (INPUT, OUTCOME),
)
INGEST_IN_FLIGHT = Metric(
    "leadbus.ingest.in_flight", Kind.GAUGE, "{item}", "Items that await Kafka's acknowledgement."
)
HTTP_DURATION = Metric(
    "http.server.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to answer an HTTP request.",
    (HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS),
    FAST,
)
OLDEST_UNDELIVERED = Metric(
    "leadbus.delivery.oldest.age",
    Kind.GAUGE,
    "s",
    "Age of the oldest lead that is due and not yet in its CRM.",
    (CONNECTION,),
)
DELIVERIES_WAITING = Metric(
    "leadbus.delivery.waiting",
    Kind.GAUGE,
    "{delivery}",
    "Deliveries that wait, by outcome so far: due, retry, parked, off.",
    (CONNECTION, OUTCOME),
)
LEAD_LATENCY = Metric(
    "leadbus.lead.latency",
    Kind.HISTOGRAM,
    "s",
    "Time from acceptance at ingest to the record in the CRM.",
    (CRM,),
    SLOW,
)
CRM_CALL_DURATION = Metric(
    "leadbus.crm.call.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one call to a CRM, by operation and outcome: ok or the error's class.",
    (CRM, CRM_OPERATION, OUTCOME),
    FAST,
)
CRM_CALLS = Metric(
    "leadbus.crm.calls",
    Kind.COUNTER,
    "{call}",
    "Calls to CRMs per connection, by outcome: ok or the error's class.",
    (CRM, CONNECTION, OUTCOME),
)
CREDITS_LEFT = Metric(
    "leadbus.crm.credits.left",
    Kind.GAUGE,
    "{credit}",
    "Credits that a connection's CRM organisation has left of those it is allowed in 24 hours.",
    (CONNECTION,),
)
DELIVERIES = Metric(
    "leadbus.deliveries",
    Kind.COUNTER,
    "{delivery}",
    "Deliveries worked off, by outcome: created, matched, updated, parked, unlinked, retried.",
    (CRM, CONNECTION, OUTCOME),
)
PULLED_ROWS = Metric(
    "leadbus.pull.rows",
    Kind.COUNTER,
    "{row}",
    "Rows read from CRMs, by outcome: published, echo, unchanged, skipped (no prospect), refused.",
    (CRM, CONNECTION, KIND, OUTCOME),
)
MAILS = Metric(
    "leadbus.mails",
    Kind.COUNTER,
    "{mail}",
    "Mails to people, by outcome: sent, postponed, refused, given_up, off (its recipient does not want it).",
    (MAIL, OUTCOME),
)
OLDEST_MAIL = Metric(
    "leadbus.mail.oldest.age", Kind.GAUGE, "s", "Age of the oldest mail that is not sent yet."
)
PULL_AGE = Metric(
    "leadbus.pull.age", Kind.GAUGE, "s", "Time since a pull last reached its end.", (CONNECTION, KIND)
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


def send_span(topic: str) -> str:
    """The name of the span of one record on its way out."""
    return f"send {topic}"


def process_span(topic: str) -> str:
    """The name of the span of one record being worked on."""
    return f"process {topic}"
