"""The composition root: the only place that knows which parts are real."""

from collections.abc import Mapping

from leadbus.consuming.consumer import Consumer
from leadbus.consuming.dead_letter_routes import dead_letter_routes
from leadbus.consuming.dead_letters import DeadLetters
from leadbus.consuming.ledger import Ledger
from leadbus.erasing.routes import export_routes
from leadbus.erasing.tombstones import Tombstones
from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.provisioning import provision
from leadbus.security.api_keys import ApiKeys, MongoApiKeys
from leadbus.security.callers import Authenticator
from leadbus.service import Managed, Service
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry
from leadbus.topics import (
    CRM_CONNECTIONS,
    CRM_CONTACTS,
    CRM_DELIVERIES,
    CRM_OPPORTUNITIES,
    LEADS_ACTIVITIES,
    LEADS_DISTRIBUTED,
    LEADS_LISTS,
    LEADS_QUALIFIED,
    LEADS_SCORED,
    MARKETING_EVENTS,
    PROSPECTS_ERASED,
    PROSPECTS_FORGOTTEN,
    PROSPECTS_JOINED,
    PROSPECTS_LINKED,
    PROSPECTS_UPDATED,
)
from scoring.api import add_routes
from scoring.applying import Applier, MongoApplications
from scoring.confirming import ConfirmingHandler
from scoring.connections import Connections, ConnectionsReader
from scoring.cooler import Cooler
from scoring.eraser import Eraser
from scoring.erasures import MongoErasures
from scoring.erasures_api import add_erasures
from scoring.handlers import ScoringHandler
from scoring.holdings import holdings
from scoring.outcomes import OutcomeReader
from scoring.outcomes_api import add_outcomes
from scoring.rules_api import add_rules
from scoring.rules_store import MongoRules
from scoring.settings import ScoringSettings
from scoring.store import MongoProspects
from scoring.sweep import Sweeper, Sweeps

NAME = "scoring"
FETCH_WAIT_MS = 50
BATCH_RECORDS = 20_000
"""A backlog's prospects come again: each is written once for all of its events in a batch."""
FETCH_BYTES = 12 * 1024 * 1024
"""Some 20,000 events: a batch of a backlog then is mostly of one partition, where prospects come again."""
READS = (
    MARKETING_EVENTS,
    LEADS_DISTRIBUTED,
    PROSPECTS_UPDATED,
    PROSPECTS_LINKED,
    PROSPECTS_JOINED,
    CRM_DELIVERIES,
    CRM_CONTACTS,
    CRM_OPPORTUNITIES,
    PROSPECTS_FORGOTTEN,
)
TABLES = (CRM_CONNECTIONS,)
WRITES = (
    LEADS_SCORED,
    LEADS_QUALIFIED,
    LEADS_ACTIVITIES,
    LEADS_LISTS,
    PROSPECTS_LINKED,
    PROSPECTS_JOINED,
    PROSPECTS_ERASED,
)


def build(environ: Mapping[str, str]) -> Service:
    """Scoring, ready to be started.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    settings = ScoringSettings.of(environ)
    kafka, prefix = settings.brokers, settings.topic_prefix
    telemetry = Telemetry(NAME, environ)
    client = connect(settings.mongodb_url.get_secret_value(), app_name=NAME)
    database = client[settings.mongodb_database]
    prospects, rules, connections = MongoProspects(database), MongoRules(database), Connections()
    applications = MongoApplications(database)
    erasures, tombstones = MongoErasures(database), Tombstones(database, NAME)
    publisher = LibrdkafkaPublisher(kafka, NAME, topic_prefix=prefix)
    consumer = Consumer(
        NAME,
        READS,
        ConfirmingHandler(
            ScoringHandler(prospects, rules, connections, telemetry, tombstones), tombstones, erasures
        ),
        bootstrap_servers=kafka,
        ledger=Ledger(client, settings.mongodb_database, NAME),
        publisher=publisher,
        telemetry=telemetry,
        topic_prefix=prefix,
        batch_records=BATCH_RECORDS,
        fetch_bytes=FETCH_BYTES,
        fetch_wait_ms=FETCH_WAIT_MS,
    )

    async def prepare() -> None:
        await prospects.prepare()
        await rules.prepare()
        await erasures.prepare()
        await tombstones.prepare()

    async def topics() -> None:
        await provision(kafka, READS, NAME, prefix)
        await provision(kafka, (*WRITES, *TABLES), prefix=prefix)

    service = Service(
        NAME,
        settings.host,
        settings.port,
        telemetry,
        stages=(
            (Managed("MongoDB", prepare, client.close), Managed("topics", topics)),
            # All connections are known before the first record asks for them.
            (
                Managed("publisher", publisher.start, publisher.stop),
                ConnectionsReader(connections, kafka, prefix),
            ),
            (consumer,),
            (
                Sweeper(consumer, Sweeps(database), prospects, rules, connections),
                Cooler(consumer, prospects, rules, connections),
                Applier(consumer, applications, prospects, rules, connections),
                Eraser(consumer, prospects, erasures, database, tombstones),
            ),
        ),
        title="Leadbus scoring",
        description="Scores of prospects, where their points come from, and the rules behind them.",
        trusted_proxies=settings.trusted_proxies,
    )
    authenticator = Authenticator(ApiKeys(MongoApiKeys(database)), settings.operator_token.get_secret_value())
    add_routes(service.api, authenticator, prospects, rules)
    add_rules(service.api, authenticator, rules, prospects, connections, applications)
    add_outcomes(service.api, authenticator, OutcomeReader(database), rules)
    add_erasures(service.api, authenticator, erasures, prospects, connections)
    service.api.include_router(export_routes(authenticator, NAME, database, holdings))
    dead_letters = DeadLetters(kafka, NAME, READS, publisher, prefix)
    service.api.include_router(dead_letter_routes(authenticator, dead_letters))
    return service
