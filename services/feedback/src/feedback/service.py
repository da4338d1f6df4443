"""The composition root: the only place that knows which parts are real."""

from collections.abc import Mapping

from feedback.answer_pages import answer_routes
from feedback.api import distribution_routes
from feedback.desk import Desk
from feedback.handlers import FeedbackHandler
from feedback.holdings import holdings
from feedback.settings import FeedbackSettings
from feedback.store import MongoDistributions
from leadbus.consuming.consumer import Consumer
from leadbus.consuming.dead_letter_routes import dead_letter_routes
from leadbus.consuming.dead_letters import DeadLetters
from leadbus.consuming.ledger import Ledger
from leadbus.erasing.erasing import Erasing
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher
from leadbus.security.answer_links import AnswerLinks
from leadbus.security.api_keys import ApiKeys, MongoApiKeys
from leadbus.security.callers import Authenticator
from leadbus.service import Managed, Service
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry
from leadbus.topics import (
    CRM_ACTIVITIES,
    CRM_CONTACTS,
    CRM_DELIVERIES,
    CRM_LEAD_STATUS,
    CRM_OPPORTUNITIES,
    LEADS_ANSWERED,
    LEADS_DISTRIBUTED,
    LEADS_FEEDBACK,
    PROSPECTS_ERASED,
    PROSPECTS_FORGOTTEN,
)

NAME = "feedback"
READS = (
    LEADS_DISTRIBUTED,
    LEADS_ANSWERED,
    CRM_DELIVERIES,
    CRM_LEAD_STATUS,
    CRM_OPPORTUNITIES,
    CRM_ACTIVITIES,
    CRM_CONTACTS,
    PROSPECTS_ERASED,
)
WRITES = (LEADS_FEEDBACK, LEADS_ANSWERED, PROSPECTS_FORGOTTEN)
BATCH_RECORDS = 1_000
"""A distribution that much has come back of takes 100 kB of memory; each record may be about another one."""


def build(environ: Mapping[str, str]) -> Service:
    """Feedback, ready to be started.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    settings = FeedbackSettings.of(environ)
    kafka, prefix = settings.brokers, settings.topic_prefix
    telemetry = Telemetry(NAME, environ)
    client = connect(settings.mongodb_url.get_secret_value(), app_name=NAME)
    database = client[settings.mongodb_database]
    distributions = MongoDistributions(database)
    erasing = Erasing(NAME, database, holdings)
    publisher = KafkaPublisher(kafka, NAME, topic_prefix=prefix)
    links = AnswerLinks(settings.secret_key.get_secret_value(), settings.feedback_public_url)
    consumer = Consumer(
        NAME,
        READS,
        erasing.handler(FeedbackHandler(distributions, telemetry)),
        bootstrap_servers=kafka,
        ledger=Ledger(client, settings.mongodb_database, NAME),
        publisher=publisher,
        telemetry=telemetry,
        topic_prefix=prefix,
        batch_records=BATCH_RECORDS,
    )

    async def collections() -> None:
        await distributions.prepare()
        await erasing.prepare()

    async def topics() -> None:
        await provision(kafka, READS, NAME, prefix)
        await provision(kafka, WRITES, prefix=prefix)

    service = Service(
        NAME,
        settings.host,
        settings.port,
        telemetry,
        stages=(
            (Managed("MongoDB", collections, client.close), Managed("topics", topics)),
            (Managed("publisher", publisher.start, publisher.stop),),
            (consumer,),
        ),
        title="Leadbus feedback",
        description="What became of each distribution: the answer to it, and what came back of the lead.",
        trusted_proxies=settings.trusted_proxies,
    )
    authenticator = Authenticator(ApiKeys(MongoApiKeys(database)), settings.operator_token.get_secret_value())
    desk = Desk(publisher, telemetry)
    service.api.include_router(distribution_routes(authenticator, distributions, desk))
    service.api.include_router(answer_routes(links, distributions, desk))
    service.api.include_router(erasing.routes(authenticator))
    dead_letters = DeadLetters(kafka, NAME, READS, publisher, prefix)
    service.api.include_router(dead_letter_routes(authenticator, dead_letters))
    return service
