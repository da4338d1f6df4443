"""The composition root of every connector: a vendor's adapter in, a service out."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from leadbus.connector.api import connection_routes
from leadbus.connector.commands import ConnectionCommands
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.handler import TOPICS, MergingHandler
from leadbus.connector.observing import CallObserver
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.settling import Settling
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.leases import Leases
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.pulls import Pulls
from leadbus.connector.worker import Workshop
from leadbus.connector.workers import Workers
from leadbus.consuming.consumer import Consumer
from leadbus.consuming.dead_letter_routes import dead_letter_routes
from leadbus.consuming.dead_letters import DeadLetters
from leadbus.consuming.ledger import Ledger
from leadbus.provisioning import provision
from leadbus.publishing import KafkaPublisher
from leadbus.security.addresses import AddressGuard
from leadbus.security.api_keys import ApiKeys, MongoApiKeys
from leadbus.security.callers import Authenticator
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.security.secrets import SecretBox
from leadbus.service import Managed, Service
from leadbus.settings import Settings
from leadbus.storage.mongo import connect
from leadbus.telemetry import Telemetry
from leadbus.topics import CRM_CONNECTIONS, CRM_DELIVERIES, CRM_LEAD_STATUS, CRM_OPPORTUNITIES

WRITES = (CRM_CONNECTIONS, CRM_DELIVERIES, CRM_LEAD_STATUS, CRM_OPPORTUNITIES)


def connector_service(
    environ: Mapping[str, str],
    *,
    crm: str,
    settings: Settings,
    port: int,
    kind: type[ConnectionSettings],
    adapter: Callable[[Connection, CallObserver, GuardedTransport], Adapter],
) -> Service:
    """The service `connector-<crm>`, ready to be started.

    kind: the vendor's settings of a connection. adapter: opens one connection's adapter, which sends all its
    HTTP through the transport it is given; signing in can wait for the first call.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    name = f"connector-{crm}"
    kafka, prefix, database = (
        settings.kafka_bootstrap_servers,
        settings.topic_prefix,
        settings.mongodb_database,
    )
    telemetry = Telemetry(name, environ)
    client = connect(settings.mongodb_url.get_secret_value(), app_name=name)
    publisher = KafkaPublisher(kafka, name, topic_prefix=prefix)
    guard = AddressGuard(settings.allow_internal_addresses)
    connections = Connections(client, database, name, kind, SecretBox(settings.secret_key.get_secret_value()))
    deliveries = Deliveries(client, database, name)
    links = Links(client, database, name)

    async def adapter_for(connection: Connection) -> Adapter:
        await guard.check(connection.settings.address)
        return adapter(connection, CallObserver(crm, connection, telemetry), GuardedTransport(guard))

    consumer = Consumer(
        name,
        TOPICS,
        MergingHandler(connections, deliveries, telemetry),
        bootstrap_servers=kafka,
        ledger=Ledger(client, database, name),
        publisher=publisher,
        telemetry=telemetry,
        topic_prefix=prefix,
    )
    workshop = Workshop(
        connections=connections,
        deliveries=deliveries,
        links=links,
        pulls=Pulls(client, database, name),
        publisher=publisher,
        settling=Settling(crm, deliveries, publisher, telemetry),
        telemetry=telemetry,
        adapter_for=adapter_for,
    )
    workers = Workers(workshop, Leases(client, database, name, owner=uuid4().hex))
    commands = ConnectionCommands(
        crm,
        kind,
        connections=connections,
        deliveries=deliveries,
        publisher=publisher,
        adapter_for=adapter_for,
        changed=workers.settings_changed,
    )

    async def collections() -> None:
        await connections.prepare()
        await deliveries.prepare()
        await links.prepare()

    async def topics() -> None:
        await provision(kafka, TOPICS, name, prefix)
        await provision(kafka, WRITES, prefix=prefix)

    service = Service(
        name,
        settings.host,
        port,
        telemetry,
        stages=(
            (Managed("MongoDB", collections, client.close), Managed("topics", topics)),
            (Managed("publisher", publisher.start, publisher.stop),),
            (Managed("connections told", commands.tell_all), consumer),
            (workers,),
        ),
        title=f"Leadbus {name}",
        description="Connections to CRM organisations, and what became of each lead there.",
        trusted_proxies=settings.trusted_proxies,
    )
    keys = ApiKeys(MongoApiKeys(client[database]))
    authenticator = Authenticator(keys, settings.operator_token.get_secret_value())
    dead_letters = DeadLetters(kafka, name, TOPICS, publisher, prefix)
    service.api.include_router(dead_letter_routes(authenticator, dead_letters))
    service.api.include_router(
        connection_routes(
            authenticator=authenticator,
            commands=commands,
            connections=connections,
            deliveries=deliveries,
            links=links,
        )
    )
    return service
