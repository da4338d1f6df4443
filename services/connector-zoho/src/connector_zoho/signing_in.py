"""Signing in with the browser: which page of Zoho's a person is sent to, and what comes back from there.

Zoho's documentation, section OAuth for server-based applications: whoever comes back brings a code, the
location of the organisation, and the accounts server at which the code is to be exchanged.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from connector_zoho import data_centres, refusals
from connector_zoho.checking import refusal
from connector_zoho.client import ZohoClient
from connector_zoho.organisations import Organisations
from connector_zoho.settings import ZohoAccess, ZohoConnection
from leadbus.connector.connection import Connection
from leadbus.connector.contract import Finding
from leadbus.connector.token_keeper import TokenKeeper
from leadbus.errors import AuthRefused, RateLimited

SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.ALL",
    "ZohoCRM.users.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.notifications.ALL",
    "ZohoCRM.coql.READ",
    "ZohoCRM.bulk.ALL",
    "ZohoFiles.files.ALL",
    "ZohoSearch.securesearch.READ",
)
"""All that Leadbus asks to be allowed; the official SDK's names."""


class ZohoSignIn:
    """Implements `leadbus.connector.api.sign_in.SignIn`."""

    def __init__(self, organisations: Organisations) -> None:
        self._organisations = organisations

    def page(self, connection: Connection, state: str, redirect_uri: str) -> str:
        """See `SignIn`. A consent that is asked for each time brings a refresh token each time."""
        access = _settings(connection).access
        asked = {
            "response_type": "code",
            "access_type": "offline",
            "prompt": "consent",
            "client_id": access.client_id,
            "redirect_uri": redirect_uri,
            "scope": ",".join(SCOPES),
            "state": state,
        }
        return f"{access.accounts_server}/oauth/v2/auth?{urlencode(asked)}"

    async def finish(
        self,
        connection: Connection,
        answer: Mapping[str, str],
        redirect_uri: str,
        tokens: TokenKeeper,
        transport: httpx.AsyncBaseTransport,
    ) -> list[Finding]:
        """See `SignIn`."""
        settings = _settings(connection)
        client = ZohoClient(settings, tokens, self._organisations, transport=transport)
        try:
            code = answer.get("code")
            if not code:
                raise refusals.refused(refusals.DECLINED)
            accounts = _accounts_server(settings.access, answer)
            await client.session.take_code(code, redirect_uri, accounts)
            organisation = await client.organisation()
        except (AuthRefused, RateLimited) as error:
            return [refusal(error)]
        finally:
            await client.close()
        who = f"{organisation.user_email} has signed in to organisation {organisation.zgid}."
        return [Finding(True, who), *_elsewhere(settings.access, accounts)]


def _accounts_server(access: ZohoAccess, answer: Mapping[str, str]) -> str:
    """Where the code is exchanged: at one of Zoho's servers, or the connection's own, and nowhere else.

    Whoever forges what comes back could else have our client secret sent to a server of his.
    """
    said = answer.get("accounts-server", "")
    named = data_centres.of_accounts_server(said)
    if named is not None:
        return f"https://{named.accounts}"
    location = answer.get("location", "").lower()
    if not said:
        centre = next((c for c in data_centres.DATA_CENTRES if c.location == location), None)
        own = data_centres.of_accounts_server(access.accounts_server)
        return f"https://{centre.accounts}" if centre and own else access.accounts_server
    if data_centres.origin_of(said) == access.accounts_server:
        return access.accounts_server
    raise refusals.refused(refusals.FORGED)


def _elsewhere(access: ZohoAccess, accounts: str) -> list[Finding]:
    centre = data_centres.of_accounts_server(accounts)
    if accounts == access.accounts_server or centre is None:
        return []
    return [
        Finding(
            True,
            f"The organisation lives in the data centre {centre.name}, not in {access.data_centre}.",
            "Connections to one organisation are known as such by their data centre, too.",
            f"Set access.data_centre to {centre.name}, then sign in again.",
        )
    ]


def _settings(connection: Connection) -> ZohoConnection:
    return ZohoConnection.model_validate(connection.settings)
