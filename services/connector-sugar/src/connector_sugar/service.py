"""Puts connector-sugar together: the connector kit with the SugarCRM adapter."""

from collections.abc import Mapping

from connector_sugar.capabilities import CAPABILITIES
from connector_sugar.connector import SugarAdapter
from connector_sugar.settings import ConnectorSugarSettings, SugarConnection
from leadbus.connector.connection import Connection
from leadbus.connector.observing import CallObserver
from leadbus.connector.service import connector_service
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.service import Service


def build(environ: Mapping[str, str]) -> Service:
    """The service, as `environ` describes it. Raises ConfigurationError."""
    settings = ConnectorSugarSettings.of(environ)

    def adapter(connection: Connection, observer: CallObserver, transport: GuardedTransport) -> SugarAdapter:
        known = SugarConnection.model_validate(connection.settings)
        return SugarAdapter(known, on_call=observer, transport=transport)

    return connector_service(
        environ,
        crm=CAPABILITIES.crm,
        settings=settings,
        port=settings.port,
        kind=SugarConnection,
        adapter=adapter,
    )
