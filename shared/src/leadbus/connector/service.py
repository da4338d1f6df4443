"""The composition root of every connector: a vendor's adapter in, a service out."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from leadbus.connector.api.commands import ConnectionCommands
from leadbus.connector.api.connection_routes import connection_routes
from leadbus.connector.api.field_routes import field_routes
from leadbus.connector.api.mail_routes import mail_routes
from leadbus.connector.api.ownership import Ownership
from leadbus.connector.api.reading_routes import reading_routes
from leadbus.connector.api.rereads import new_fields
from leadbus.connector.api.secret_routes import secret_routes
from leadbus.connector.api.sign_in import SignIn
from leadbus.connector.api.sign_in_routes import PATH as SIGN_IN_PATH
from leadbus.connector.api.sign_in_routes import sign_in_routes
from leadbus.connector.api.signing_in import SigningIn
from leadbus.connector.campaigning.taking_in import CampaignHandler
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.delivering.handler import TOPICS, MergingHandler
from leadbus.connector.delivering.settling import Settling
from leadbus.connector.delivering.sparing import Sparing
from leadbus.connector.mailing.mailing import Mailing
from leadbus.connector.observing import CallObserver
from leadbus.connector.pulling.hinting import HintingHandler
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.rehearsing.dry_run import DryRun
from leadbus.connector.settings import ConnectionSettings
from leadbus.connector.stores.connections import Connections
from leadbus.connector.stores.credits import Credits
from leadbus.connector.stores.deliveries import Deliveries
from leadbus.connector.stores.descriptions import Descriptions
from leadbus.connector.stores.holdings import ConnectorHoldings
from leadbus.connector.stores.leases import Leases
from leadbus.connector.stores.links import Links
from leadbus.connector.stores.mirror import Mirror
from leadbus.connector.stores.sign_ins import SignIns
from leadbus.connector.stores.tokens import Tokens
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.connector.workers import Workers
from leadbus.connector.workshop import Workshop
from leadbus.consuming.consumer import Consumer
from leadbus.consuming.dead_letter_routes import dead_letter_routes
from leadbus.consuming.dead_letters import DeadLetters
from leadbus.consuming.ledger import Ledger
from leadbus.erasing.erasing import Erasing
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
from leadbus.tenant_fields import MongoTenantFields
from leadbus.topics import (
    CRM_ACCOUNTS,
    CRM_ACTIVITIES,
    CRM_CONNECTIONS,
    CRM_CONTACTS,
    CRM_DELIVERIES,
    CRM_LEAD_STATUS,
    CRM_LISTS,
    CRM_OPPORTUNITIES,
    CRM_SUBSCRIPTIONS,
    CRM_USERS,
    LEADS_ANSWERED,
    PROSPECTS_FORGOTTEN,
)

WRITES = (
    CRM_CONNECTIONS,
    CRM_DELIVERIES,
    CRM_LEAD_STATUS,
    CRM_OPPORTUNITIES,
    CRM_CONTACTS,
    CRM_SUBSCRIPTIONS,
    CRM_ACTIVITIES,
    CRM_ACCOUNTS,
    CRM_USERS,
    CRM_LISTS,
    LEADS_ANSWERED,
    PROSPECTS_FORGOTTEN,
)


def connector_service(
    environ: Mapping[str, str],
    *,
    crm: str,
    settings: Settings,
    port: int,
    kind: type[ConnectionSettings],
    adapter: Callable[[Connection, CallObserver, GuardedTransport, TokenKeeper], Adapter],
    sign_in: SignIn | None = None,
    public_url: str = "",
) -> Service:
    """The service `connector-<crm>`, ready to be started.

    kind: the vendor's settings of a connection. adapter: opens one connection's adapter, which sends all its
    HTTP through the transport it is given, and keeps with the keeper what must outlive a restart; signing in
    can wait for the first call. sign_in: how people sign in with a browser, where the CRM asks for it.
    public_url: where their browsers reach this service; empty = where it listens.

    Raises:
        ConfigurationError: a variable is missing or wrong.
    """
    name = f"connector-{crm}"
    kafka, prefix, database = (
        settings.brokers,
        settings.topic_prefix,
        settings.mongodb_database,
    )
    telemetry = Telemetry(name, environ)
    client = connect(settings.mongodb_url.get_secret_value(), app_name=name)
    publisher = KafkaPublisher(kafka, name, topic_prefix=prefix)
    guard = AddressGuard(settings.allow_internal_addresses)
    secrets = SecretBox(settings.secret_key.get_secret_value())
    connections = Connections(client, database, name, kind, secrets)
    tokens = Tokens(client, database, name, secrets)
    deliveries = Deliveries(client, database, name)
    links = Links(client, database, name)
    mirror = Mirror(client, database, name)
    sign_ins = SignIns(client, database, name)
    descriptions = Descriptions(client, database, name)
    erasing = Erasing(name, client[database], ConnectorHoldings(client[database], name, connections))
    pulls = PullShop.of(
        client,
        database,
        name,
        mirror=mirror,
        links=links,
        deliveries=deliveries,
        publisher=publisher,
        telemetry=telemetry,
    )

    async def opened(connection: Connection, keeper: TokenKeeper) -> Adapter:
        await guard.check(connection.settings.address)
        return adapter(connection, CallObserver(crm, connection, telemetry), GuardedTransport(guard), keeper)

    async def adapter_for(connection: Connection) -> Adapter:
        return await opened(connection, tokens.of(connection))

    async def adapter_unopened(connection: Connection) -> Adapter:
        """For what needs no call: nothing is looked up, so that nobody waits for a name server."""
        return adapter(
            connection,
            CallObserver(crm, connection, telemetry),
            GuardedTransport(guard),
            tokens.of(connection),
        )

    async def adapter_for_test(connection: Connection) -> Adapter:
        return await opened(connection, tokens.anew(connection))

    mailing = Mailing(
        settings,
        client,
        name,
        connections=connections,
        shop=pulls,
        adapter_for=adapter_unopened,
        telemetry=telemetry,
        base=lambda: public_url or service.url,
    )
    consumer = Consumer(
        name,
        TOPICS,
        erasing.handler(
            mailing.handler(
                HintingHandler(
                    CampaignHandler(
                        MergingHandler(connections, deliveries, telemetry), connections, pulls.campaigns
                    ),
                    connections=connections,
                    asked=pulls.asked,
                    watches=pulls.watches,
                    adapter_for=adapter_unopened,
                )
            )
        ),
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
        pulling=pulls,
        credits=Credits(client, database, name),
        settling=Settling(
            crm, deliveries, publisher, telemetry, Sparing(client[database], name, connections)
        ),
        telemetry=telemetry,
        adapter_for=adapter_for,
    )
    workers = Workers(workshop, Leases(client, database, name, owner=uuid4().hex))
    commands = ConnectionCommands(
        crm,
        kind,
        connections=connections,
        deliveries=deliveries,
        campaigns=pulls.campaigns,
        descriptions=descriptions,
        own_fields=MongoTenantFields(client[database]).names_of,
        publisher=publisher,
        adapter_for=adapter_for_test,
        changed=workers.settings_changed,
        outgoing_address=settings.outgoing_address,
        active=mailing.active,
    )

    async def collections() -> None:
        for stores in (connections, deliveries, links, mirror, pulls, mailing, erasing):
            await stores.prepare()
        if sign_in is not None:
            await sign_ins.prepare()

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
            (workers, *mailing.parts),
        ),
        title=f"Leadbus {name}",
        description="Connections to CRM organisations, and what became of each lead there.",
        trusted_proxies=settings.trusted_proxies,
    )
    keys = ApiKeys(MongoApiKeys(client[database]))
    authenticator = Authenticator(keys, settings.operator_token.get_secret_value())
    ownership = Ownership(authenticator, connections)
    dead_letters = DeadLetters(kafka, name, TOPICS, publisher, prefix)
    service.api.state.connection_settings = kind
    for router in (
        dead_letter_routes(authenticator, dead_letters),
        secret_routes(authenticator, connections, tokens),
        erasing.routes(authenticator),
        connection_routes(
            kind=kind,
            ownership=ownership,
            commands=commands,
            connections=connections,
            deliveries=deliveries,
            links=links,
            new_fields=lambda connection: new_fields(connection, pulls.pulls, adapter_unopened),
        ),
        reading_routes(ownership=ownership, shop=pulls, adapter_for=adapter_unopened),
        field_routes(
            ownership=ownership,
            descriptions=descriptions,
            dry_run=DryRun(client, database, name),
            shop=pulls,
            adapter_for=adapter_for,
            adapter_unopened=adapter_unopened,
            shut_out=commands.shut_out,
        ),
        mail_routes(mailing.links, mailing.choices),
    ):
        service.api.include_router(router)
    if sign_in is not None:
        signing_in = SigningIn(
            sign_in,
            connections,
            sign_ins,
            tokens,
            commands,
            transport=lambda: GuardedTransport(guard),
            redirect_uri=lambda: (public_url or service.url).rstrip("/") + SIGN_IN_PATH,
        )
        service.api.include_router(sign_in_routes(ownership=ownership, signing_in=signing_in))
    return service
