"""Puts connector-sugar together: the connector kit with the SugarCRM adapter."""

from collections.abc import Mapping

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.connector import SugarAdapter
from connector_sugar.modern.sessions import Sessions
from connector_sugar.probing import Probing
from connector_sugar.settings import ConnectorSugarSettings, SugarConnection
from leadbus.connector.connection import Connection
from leadbus.connector.observing import CallObserver
from leadbus.connector.service import connector_service
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.service import Service


def build(environ: Mapping[str, str]) -> Service:
    """The service, as `environ` describes it. Raises ConfigurationError."""
    settings = ConnectorSugarSettings.of(environ)
    sessions = Sessions()

    def adapter(
        connection: Connection, observer: CallObserver, transport: GuardedTransport, tokens: TokenKeeper
    ) -> SugarAdapter:
        known = SugarConnection.model_validate(connection.settings)
        probing = Probing(known.access, tokens, sessions, observer, transport=transport)
        return SugarAdapter(known, probing.open, probing.leave)

    return connector_service(
        environ,
        crm=CAPABILITIES.crm,
        settings=settings,
        port=settings.port,
        kind=SugarConnection,
        adapter=adapter,
        public_url=settings.public_url,
    )
