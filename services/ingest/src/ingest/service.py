"""Puts ingest together."""

from collections.abc import Mapping

from ingest.address_routes import address_routes
from ingest.field_routes import field_routes
from ingest.handlers import Handlers
from ingest.hooks import ROUTE as HOOKS
from ingest.hooks import Hooks
from ingest.inputs import INPUTS
from ingest.intake import Intake
from ingest.key_routes import key_routes
from ingest.limits import InFlight, RateLimits
from ingest.openapi import document_inputs
from ingest.outbound import Outbound
from ingest.own_fields import OwnFields
from ingest.reading import Bodies
from ingest.settings import IngestSettings
from leadbus.librdkafka import LibrdkafkaPublisher
from leadbus.provisioning import provision
from leadbus.security.api_keys import ApiKeys, MongoApiKeys
from leadbus.security.authorised_addresses import MongoAuthorisedAddresses
from leadbus.security.callers import Authenticator
from leadbus.service import Managed, Service
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry
from leadbus.tenant_fields import MongoTenantFields
from leadbus.topics import CRM_NOTIFICATIONS

NAME = "ingest"
DESCRIPTION = "Takes in marketing events, lead distributions, prospect updates, campaigns and lists."
WRITES = (*(i.topic for i in INPUTS), CRM_NOTIFICATIONS)


def build(environ: Mapping[str, str]) -> Service:
    """Ingest, as `environ` describes it. Raises ConfigurationError."""
    settings = IngestSettings.of(environ)
    telemetry = Telemetry(NAME, environ)
    kafka = settings.brokers
    publisher = LibrdkafkaPublisher(
        kafka, NAME, topic_prefix=settings.topic_prefix, patience_seconds=settings.answer_seconds
    )
    mongodb = connect(settings.mongodb_url.get_secret_value(), app_name=NAME)
    database = mongodb[settings.mongodb_database]
    store, addresses = MongoApiKeys(database), MongoAuthorisedAddresses(database)
    keys = ApiKeys(store)
    tenant_fields = MongoTenantFields(database)
    own_fields = OwnFields(tenant_fields.names_of)
    authenticator = Authenticator(keys, settings.operator_token.get_secret_value())
    # Half the time a request waits: those who come later need not find out for themselves.
    in_flight = InFlight(settings.items_in_flight, settings.answer_seconds / 2)
    outbound = Outbound(publisher, in_flight, telemetry)
    rates, bodies = RateLimits(settings.items_per_second), Bodies()
    handlers = Handlers(authenticator, rates, bodies, Intake(outbound, own_fields, telemetry), telemetry)
    hooks = Hooks(authenticator, rates, bodies, outbound, telemetry)

    async def provision_topics() -> None:
        await provision(kafka, WRITES, prefix=settings.topic_prefix)

    service = Service(
        NAME,
        settings.host,
        settings.port,
        telemetry,
        [
            [Managed("MongoDB", store.prepare, mongodb.close), Managed("Kafka", provision_topics)],
            [Managed("publisher", publisher.start, publisher.stop, waiting=outbound.waiting)],
        ],
        description=DESCRIPTION,
        trusted_proxies=settings.trusted_proxies,
    )
    for i in INPUTS:
        service.post_straight(i.path, handlers.endpoint(i.path, i))
    cloud_events = "/v1/cloudevents"
    service.post_straight(cloud_events, handlers.endpoint(cloud_events, None))
    service.api.add_route(HOOKS, hooks.receive, ["POST"], include_in_schema=False)
    service.api.add_route(HOOKS, hooks.check, ["GET"], include_in_schema=False)
    service.api.include_router(
        key_routes(authenticator, store, keys, lambda: settings.public_url or service.url)
    )
    service.api.include_router(address_routes(authenticator, addresses, keys))
    service.api.include_router(field_routes(authenticator, tenant_fields, own_fields))
    document_inputs(service.api)
    return service
