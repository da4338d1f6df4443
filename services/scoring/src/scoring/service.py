"""The composition root: the only place that knows which parts are real."""

from collections.abc import Mapping

from leadbus.consuming.consumer import Consumer
from leadbus.consuming.dead_letter_routes import dead_letter_routes
from leadbus.consuming.dead_letters import DeadLetters
from leadbus.consuming.ledger import Ledger
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher
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
)
from scoring.api import add_routes
from scoring.connections import Connections, ConnectionsReader
from scoring.handlers import ScoringHandler
from scoring.rules import MongoRules
from scoring.settings import ScoringSettings
from scoring.store import MongoProspects
from scoring.sweep import Sweeper, Sweeps

NAME = "scoring"
READS = (MARKETING_EVENTS, LEADS_DISTRIBUTED, CRM_DELIVERIES, CRM_CONTACTS, CRM_OPPORTUNITIES)
TABLES = (CRM_CONNECTIONS,)
WRITES = (LEADS_SCORED, LEADS_QUALIFIED, LEADS_ACTIVITIES, LEADS_LISTS)


def build(environ: Mapping[str, str]) -> Service:
    """Scoring, ready to be started.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    settings = ScoringSettings.of(environ)
    kafka, prefix = settings.kafka_bootstrap_servers, settings.topic_prefix
    telemetry = Telemetry(NAME, environ)
    client = connect(settings.mongodb_url.get_secret_value(), app_name=NAME)
    database = client[settings.mongodb_database]
    prospects, rules, connections = MongoProspects(database), MongoRules(database), Connections()
    publisher = KafkaPublisher(kafka, NAME, topic_prefix=prefix)
    consumer = Consumer(
        NAME,
        READS,
        ScoringHandler(prospects, rules, connections, telemetry),
        bootstrap_servers=kafka,
        ledger=Ledger(client, settings.mongodb_database, NAME),
        publisher=publisher,
        telemetry=telemetry,
        topic_prefix=prefix,
    )

    async def topics() -> None:
        await provision(kafka, READS, NAME, prefix)
        await provision(kafka, (*WRITES, *TABLES), prefix=prefix)

    service = Service(
        NAME,
        settings.host,
        settings.port,
        telemetry,
        stages=(
            (Managed("MongoDB", prospects.prepare, client.close), Managed("topics", topics)),
            # All connections are known before the first record asks for them.
            (
                Managed("publisher", publisher.start, publisher.stop),
                ConnectionsReader(connections, kafka, prefix),
            ),
            (consumer,),
            (Sweeper(consumer, Sweeps(database), prospects, rules, connections),),
        ),
        title="Leadbus scoring",
        description="Scores of prospects, where their points come from, and the rules behind them.",
        trusted_proxies=settings.trusted_proxies,
    )
    authenticator = Authenticator(ApiKeys(MongoApiKeys(database)), settings.operator_token.get_secret_value())
    add_routes(service.api, authenticator, prospects, rules)
    dead_letters = DeadLetters(kafka, NAME, READS, publisher, prefix)
    service.api.include_router(dead_letter_routes(authenticator, dead_letters))
    return service
