"""Puts ingest together."""

from collections.abc import Mapping

from ingest.handlers import Handlers
from ingest.inputs import INPUTS
from ingest.intake import Intake
from ingest.key_routes import key_routes
from ingest.limits import InFlight, RateLimits
from ingest.openapi import document_inputs
from ingest.settings import IngestSettings
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher
from leadbus.security.api_keys import ApiKeys, MongoApiKeys
from leadbus.security.callers import Authenticator
from leadbus.service import Managed, Service
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry

NAME = "ingest"
DESCRIPTION = "Takes in marketing events, lead distributions, prospect updates, campaigns and lists."


def build(environ: Mapping[str, str]) -> Service:
    """Ingest, as `environ` describes it. Raises ConfigurationError."""
    settings = IngestSettings.of(environ)
    telemetry = Telemetry(NAME, environ)
    kafka = settings.kafka_bootstrap_servers
    publisher = KafkaPublisher(
        kafka, NAME, topic_prefix=settings.topic_prefix, patience_seconds=settings.answer_seconds
    )
    mongodb = connect(settings.mongodb_url.get_secret_value(), app_name=NAME)
    store = MongoApiKeys(mongodb[settings.mongodb_database])
    keys = ApiKeys(store)
    authenticator = Authenticator(keys, settings.operator_token.get_secret_value())
    # Half the time a request waits: those who come later need not find out for themselves.
    in_flight = InFlight(settings.items_in_flight, settings.answer_seconds / 2)
    intake = Intake(publisher, in_flight, telemetry)
    handlers = Handlers(authenticator, RateLimits(settings.items_per_second), intake, telemetry)

    async def provision_topics() -> None:
        await provision(kafka, [i.topic for i in INPUTS], prefix=settings.topic_prefix)

    service = Service(
        NAME,
        settings.host,
        settings.port,
        telemetry,
        [
            [Managed("MongoDB", store.prepare, mongodb.close), Managed("Kafka", provision_topics)],
            [Managed("publisher", publisher.start, publisher.stop, waiting=in_flight.waiting)],
        ],
        description=DESCRIPTION,
    )
    for i in INPUTS:
        service.api.add_route(i.path, handlers.endpoint(i.path, i), ["POST"], include_in_schema=False)
    cloud_events = "/v1/cloudevents"
    service.api.add_route(
        cloud_events, handlers.endpoint(cloud_events, None), ["POST"], include_in_schema=False
    )
    service.api.include_router(key_routes(authenticator, store, keys))
    document_inputs(service.api)
    return service
