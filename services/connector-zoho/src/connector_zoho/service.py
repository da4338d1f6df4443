"""Puts connector-zoho together: the connector kit with the Zoho adapter."""

from collections.abc import Mapping

from connector_zoho.capabilities import CAPABILITIES
from connector_zoho.client import ZohoClient
from connector_zoho.connector import ZohoAdapter
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoConnection, ZohoSettings
from connector_zoho.signing_in import ZohoSignIn
from leadbus.connector.connection import Connection
from leadbus.connector.observing import CallObserver
from leadbus.connector.service import connector_service
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.service import Service


def build(environ: Mapping[str, str]) -> Service:
    """The service, as `environ` describes it. Raises ConfigurationError."""
    settings = ZohoSettings.of(environ)
    organisations = Organisations()

    def adapter(
        connection: Connection, observer: CallObserver, transport: GuardedTransport, tokens: TokenKeeper
    ) -> ZohoAdapter:
        known = ZohoConnection.model_validate(connection.settings)
        return ZohoAdapter(known, ZohoClient(known, tokens, organisations, observer, transport))

    return connector_service(
        environ,
        crm=CAPABILITIES.crm,
        settings=settings,
        port=settings.port,
        kind=ZohoConnection,
        adapter=adapter,
        sign_in=ZohoSignIn(organisations),
        public_url=settings.public_url,
    )
