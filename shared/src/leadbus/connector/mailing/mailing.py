"""All that a connector does by mail, put together. Without a mail server no mail is made at all."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession

from leadbus.connector.api.error_report import ErrorReport
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Adapter
from leadbus.connector.mailing.actions import Actions
from leadbus.connector.mailing.choices import Choices
from leadbus.connector.mailing.handler import MailingHandler
from leadbus.connector.mailing.links import Links
from leadbus.connector.mailing.mail import Mail, mails, shown
from leadbus.connector.mailing.refusals import Refusals
from leadbus.connector.mailing.sender import Sender
from leadbus.connector.mailing.smtp import MailServer
from leadbus.connector.mailing.spool import Spool
from leadbus.connector.mailing.standing import Standings
from leadbus.connector.mailing.told import Told
from leadbus.connector.mailing.turning import Turning
from leadbus.connector.mailing.watching import Watch
from leadbus.connector.pulling.shop import PullShop
from leadbus.connector.stores.connections import Connections
from leadbus.consuming.records import Handler
from leadbus.security.answer_links import AnswerLinks
from leadbus.security.secrets import SecretBox
from leadbus.settings import Settings
from leadbus.storage.mongo import Client
from leadbus.telemetry import Telemetry

log = logging.getLogger(__name__)

PURPOSE = "links in mails"


class Mailing:
    """See the module.

    base: where people's browsers reach this service. links, choices: for the page that turns mails off.
    parts: of the service, none without a mail server.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client,
        service: str,
        *,
        connections: Connections,
        shop: PullShop,
        adapter_for: Callable[[Connection], Awaitable[Adapter]],
        telemetry: Telemetry,
        base: Callable[[], str],
    ) -> None:
        """Raises ConfigurationError: the mail server's address, or the sender's, is none."""
        database = settings.mongodb_database
        self._service = service
        self._connections = connections
        self._server = MailServer.of(settings.smtp_url.get_secret_value(), settings.mail_from)
        self._spool = Spool(client, database, service)
        self.choices = Choices(client, database, service)
        self.links = Links(SecretBox(settings.secret_key.get_secret_value(), PURPOSE), base)
        self.parts: tuple[Turning, ...] = ()
        if self._server is None:
            return
        standings = Standings(connections, shop.deliveries, shop.links, adapter_for)
        refusals = Refusals(ErrorReport(shop), shop.deliveries, adapter_for)
        told = Told(client, database, service)
        links = AnswerLinks(settings.secret_key.get_secret_value(), settings.feedback_public_url)
        actions = Actions(links if settings.feedback_public_url else None)

        async def standing(mail: Mail) -> Mapping[str, Any]:
            return {**(await standings.of(mail)), **actions.of(mail)}

        sender = Sender(self._server, self._spool, self.choices, self.links, standing, telemetry)
        watch = Watch(connections, self._spool, told, refusals.of_day)
        self.parts = (Turning("mails", sender.turn), Turning("mails about connections", watch.turn))

    async def prepare(self) -> None:
        """Creates the indexes; says it if there will be no mails."""
        if self._server is None:
            log.info("%s makes no mails: SMTP_URL is not set.", self._service)
            return
        await self._spool.prepare()

    def handler(self, inner: Handler) -> Handler:
        """The consumer's handler, with mails about new leads beside it."""
        return MailingHandler(inner, self._connections, self._spool) if self._server else inner

    async def active(self, connection: Connection, session: AsyncClientSession) -> None:
        """The connection has been turned on, in this transaction."""
        if self._server is None:
            return
        facts = {"at": shown(datetime.now(UTC), connection)}
        said = (connection.id, str(connection.revision))
        await self._spool.put(mails(connection, connection.settings.notify, "active", facts, *said), session)
