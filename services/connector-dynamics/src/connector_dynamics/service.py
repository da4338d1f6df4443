"""Puts connector-dynamics together: the connector kit with the Dynamics adapter."""

from collections.abc import Mapping

from connector_dynamics.capabilities import CAPABILITIES
from connector_dynamics.connector import DynamicsAdapter
from connector_dynamics.organisations import Organisations
from connector_dynamics.probing import Probing
from connector_dynamics.settings import DynamicsConnection, DynamicsSettings
from leadbus.connector.connection import Connection
from leadbus.connector.observing import CallObserver
from leadbus.connector.service import connector_service
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.security.guarded_transport import GuardedTransport
from leadbus.service import Service


def build(environ: Mapping[str, str]) -> Service:
    """The service, as `environ` describes it. Raises ConfigurationError."""
    settings = DynamicsSettings.of(environ)
    organisations = Organisations()

    def adapter(
        connection: Connection, observer: CallObserver, transport: GuardedTransport, tokens: TokenKeeper
    ) -> DynamicsAdapter:
        known = DynamicsConnection.model_validate(connection.settings)
        probing = Probing(known, organisations, observer, transport, anew=tokens.anew)
        return DynamicsAdapter(known, probing)

    return connector_service(
        environ,
        crm=CAPABILITIES.crm,
        settings=settings,
        port=settings.port,
        kind=DynamicsConnection,
        adapter=adapter,
        public_url=settings.public_url,
    )
