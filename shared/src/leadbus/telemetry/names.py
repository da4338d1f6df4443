"""Every metric and every span attribute, declared once; `docs/signals.md` is generated from here.

Names follow OpenTelemetry's semantic conventions v1.44.0 where there is one (messaging is still in
development there: a renaming is a change of this file), else begin with `leadbus.`. No label has
unbounded values: no email, no tenant, no prospect; a connection's id is fine.
"""

from leadbus.telemetry.metric import Kind, Metric

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bucket edges in seconds for what takes milliseconds to seconds."""
SLOW = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)
"""Bucket edges in seconds for journeys, whose promise is one second."""

# Span attributes and metric labels -------------------------------------------------------------------
ATTRIBUTES: dict[str, str] = {}
"""What each means, in a sentence."""


def _attribute(name: str, purpose: str) -> str:
    ATTRIBUTES[name] = purpose
    return name


MESSAGING_SYSTEM = _attribute("messaging.system", "Always `kafka`.")
OPERATION_NAME = _attribute("messaging.operation.name", "`send` or `process`.")
OPERATION_TYPE = _attribute("messaging.operation.type", "`send` or `process`.")
DESTINATION = _attribute("messaging.destination.name", "The topic, as the registry names it.")
PARTITION = _attribute("messaging.destination.partition.id", "As text.")
GROUP = _attribute("messaging.consumer.group.name", "The same as `service.name`.")
MESSAGE_ID = _attribute("messaging.message.id", "The event id.")
MESSAGE_COUNT = _attribute("messaging.batch.message_count", "How many go together.")
OFFSET = _attribute("messaging.kafka.offset", "Of the record, in its partition.")
MESSAGE_KEY = _attribute("messaging.kafka.message.key", "A prospect's id, never an email.")
HTTP_METHOD = _attribute("http.request.method", "Such as `POST`.")
HTTP_ROUTE = _attribute("http.route", "The pattern, never the path.")
HTTP_STATUS = _attribute("http.response.status_code", "Such as `202`.")
ERROR_TYPE = _attribute("error.type", "The error's class, never its text.")

ALWAYS_SAMPLED = _attribute("leadbus.always_sampled", "True: recorded whatever the ratio says.")
TENANT = _attribute("leadbus.tenant.id", "Spans only.")
PROSPECT = _attribute("leadbus.prospect.id", "Spans only.")
DISTRIBUTION = _attribute("leadbus.distribution.id", "Spans only.")
LEAD_TRACE = _attribute("leadbus.lead.trace_id", "Spans only: the trace that brought the lead in.")
CONNECTION = _attribute("leadbus.connection.id", "The connection's name.")
CRM = _attribute("leadbus.crm", "`sugar`, `dynamics`, `zoho`, …")
CRM_OPERATION = _attribute("leadbus.crm.operation", "The vendor's word for the call.")
CRM_CALL = _attribute("leadbus.crm.call.id", "Spans only: one call that carries several prospects.")
INPUT = _attribute("leadbus.input", "`events`, `distributions`, `prospects`, `campaigns` or `lists`.")
OUTCOME = _attribute("leadbus.outcome", "A closed set of words, named at each metric.")
STATE = _attribute("leadbus.state", "Of a connection: `off`, `well`, `trouble` or `refused`.")
RIGHT = _attribute("leadbus.right", "What a lead came by: `distribution`, `marketing` or `request`.")
ANSWERING = _attribute("leadbus.crm.answering", "`yes`: the CRM was well all the while; else `no`.")
MAIL = _attribute("leadbus.mail", "A mail's kind: `active`, `new_lead`, `login`, `trouble` or `refusals`.")
KIND = _attribute("leadbus.kind", "What was pulled: `lead`, `contact`, `opportunity`, …")

# Metrics ---------------------------------------------------------------------------------------------
CONSUMER_LAG = Metric(
    "leadbus.consumer.lag",
    Kind.GAUGE,
    "{message}",
    "Records of a partition that are not applied yet.",
    (DESTINATION, PARTITION),
)
COMMITS = Metric(
    "leadbus.consumer.commits",
    Kind.COUNTER,
    "{batch}",
    "Batches of a partition that are stored, and whose messages Kafka has acknowledged.",
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
    "Records that every in-sync replica acknowledged (`ok`) or not (`failed`): ingest's, and those that"
    " consuming causes.",
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
    "Age of the oldest delivery that is due, of connections that are on.",
    (CONNECTION,),
)
DELIVERIES_WAITING = Metric(
    "leadbus.delivery.waiting",
    Kind.GAUGE,
    "{delivery}",
    "Deliveries that are due (`due`) or refused until somebody acts (`parked`); 10,000 stands for more.",
    (CONNECTION, OUTCOME),
)
LEAD_LATENCY = Metric(
    "leadbus.lead.latency",
    Kind.HISTOGRAM,
    "s",
    "Time until a lead is in the CRM, from acceptance at ingest (a distribution, a request) or by Kafka (a"
    " qualification); not of leads that waited for a person.",
    (CRM, RIGHT, ANSWERING),
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
CRM_TIME = Metric(
    "leadbus.crm.calls.time",
    Kind.COUNTER,
    "s",
    "Time that calls to CRMs have taken together, per connection; by the number of calls, that of one.",
    (CRM, CONNECTION),
)
CREDITS_LEFT = Metric(
    "leadbus.crm.credits.left",
    Kind.GAUGE,
    "{credit}",
    "Credits that a connection's CRM organisation has left of those it is allowed in 24 hours.",
    (CONNECTION,),
)
CREDITS_ALLOWED = Metric(
    "leadbus.crm.credits.allowed",
    Kind.GAUGE,
    "{credit}",
    "Credits that a connection's CRM organisation is allowed in 24 hours.",
    (CONNECTION,),
)
CONNECTION_STATE = Metric(
    "leadbus.connection.state",
    Kind.GAUGE,
    "{connection}",
    "1 for the state that a connection is in; `refused`: the CRM takes its sign-in or token no more.",
    (CONNECTION, STATE),
)
ORGANISATIONS = Metric(
    "leadbus.organisations",
    Kind.GAUGE,
    "{organisation}",
    "Organisations that a connector has to work: with a connection that is on. Each pod tells all of them.",
    (),
)
ORGANISATIONS_WORKED = Metric(
    "leadbus.organisations.worked",
    Kind.GAUGE,
    "{organisation}",
    "Of these, how many this pod works. What nobody works tells nothing else of itself.",
    (),
)
PUSH_AGE = Metric(
    "leadbus.push.age",
    Kind.GAUGE,
    "s",
    "Time since the CRM of a connection last pushed something, or since it first agreed to.",
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
    "leadbus.pull.age",
    Kind.GAUGE,
    "s",
    "Time since a reading of a kind of record last ended.",
    (CONNECTION, KIND),
)

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


# Spans -----------------------------------------------------------------------------------------------
SPANS = {
    "POST {route}": "Server: a request to ingest, from its first byte to the answer.",
    "send {topic}": "Producer: one record on its way to Kafka. In ingest it ends with the acknowledgement;"
    " what comes back of a lead has a trace of its own, which names the lead's (`leadbus.lead.trace_id`).",
    "process {topic}": "Consumer: one record being worked on. Scoring has it for sampled records that cause"
    " something; a merged delivery continues the trace of the fact that made it due.",
    "{crm} {operation}": "Client: one lead's part in a call to a CRM, which `leadbus.crm.call.id` names.",
}
"""Every span by its name's pattern: who makes it, and what it covers."""


def send_span(topic: str) -> str:
    """The name of the span of one record on its way out."""
    return f"send {topic}"


def process_span(topic: str) -> str:
    """The name of the span of one record being worked on."""
    return f"process {topic}"
